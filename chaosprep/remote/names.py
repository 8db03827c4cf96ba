"""Names of objects as paths of files: what others called them is not to be trusted."""

import os
from collections.abc import Collection

from chaosprep.errors import ChaosprepError

_LONGEST = 255  # bytes of a name in a folder


def check_object_names(names: Collection[str], shown: str) -> None:
    """Refuse names that cannot be files below one folder.

    `names` are relative, with slashes; the empty one is the place itself, a single file.

    Raises:
        ChaosprepError: `remote-name`.
    """
    folders = {"/".join(parts[:end]) for parts in map(_parts, names) for end in range(len(parts))}
    for name in sorted(names):
        if reason := _reason(name, folders if len(names) > 1 else set()):
            raise ChaosprepError(
                f"{shown}: the object {name!r} cannot become a file: {reason}",
                "Rename or remove it, or give a folder without it.",
                code="remote-name",
            )


def _parts(name: str) -> list[str]:
    return name.split("/")


def _reason(name: str, folders: Collection[str]) -> str:
    if name in folders:
        return "it is a folder as well"
    if name and not {"", ".", ".."}.isdisjoint(_parts(name)):
        return "a part of its name is empty, . or .."
    if "\0" in name or (os.sep != "/" and os.sep in name):
        return "its name has a character that no file name can have"
    if any(len(os.fsencode(part)) > _LONGEST for part in _parts(name)):
        return f"a part of its name is longer than {_LONGEST} bytes"
    return ""
