"""A table of formats that imports each when it is reached: most files are of the first ones."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Formats(Generic[T]):
    """Records of formats in their order, each named by where it is: `module:attribute`."""

    def __init__(self, *places: str) -> None:
        self._places = places

    def __iter__(self) -> Iterator[T]:
        return map(_record, self._places)


@cache
def _record(place: str) -> Any:  # noqa: ANN401 - of whatever kind the table is
    module, _, attribute = place.partition(":")
    return getattr(import_module(f"chaosprep.formats.{module}"), attribute)
