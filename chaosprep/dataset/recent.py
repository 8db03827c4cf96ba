"""A store whose files may be asked for again right after they were read."""

from collections.abc import Callable
from functools import cached_property, lru_cache

from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store


class Recent(Store):
    """The files of another store, of which it remembers two: the image and the mask of a slice."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.directory, store.links)

    def read(self, file: File, *, check: bool = True) -> bytes:
        """Do as `Store.read`, once for each file in a row."""
        return self._read(file, check=check)

    @cached_property
    def _read(self) -> Callable[..., bytes]:
        return lru_cache(maxsize=2)(super().read)
