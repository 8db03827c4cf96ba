"""How often files are compared with the hashes that the manifest has for them."""

from typing import Literal

Check = Literal["once", "always"]


class Checks:
    """Which items of a dataset a process has compared with their hashes: a byte for each.

    A copy in another process, forked or spawned, knows at most what this one knew.
    """

    def __init__(self, items: int, check: Check) -> None:
        self._items = items
        self._check = check
        self._seen = bytearray(items if check == "once" else 0)

    def is_due(self, item: int) -> bool:
        """Whether the files of an item are to be compared when they are read."""
        return self._check == "always" or not self._seen[item]

    def passed(self, item: int) -> None:
        """Its files were read and are those that the manifest records."""
        if self._check == "once":
            self._seen[item] = 1

    def __reduce__(self) -> tuple[type["Checks"], tuple[int, Check]]:
        return Checks, (self._items, self._check)
