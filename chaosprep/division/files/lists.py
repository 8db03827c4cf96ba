"""JSON lists of each side: a Decathlon `dataset.json`, MONAI's datalists, `{"train": [...]}`."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from chaosprep.dataset.records import Split
from chaosprep.division.files.content import Content
from chaosprep.division.files.said import NAMES, SIDES, Said, fold_of, known_elsewhere, useless
from chaosprep.division.sides import KnownSplit
from chaosprep.layouts.patterns import stem

_FILES = ("label", "image")  # labels first: their names have no number of a channel


def takes(content: Content) -> bool:
    """Whether it is an object with a list for one side at least."""
    found = content.json
    return isinstance(found, dict) and any(_lists(found))


def _lists(found: Mapping[str, Any]) -> Iterator[tuple[Split, list[Any]]]:
    for name, items in found.items():
        side = SIDES.get(name.casefold())
        if side is not None and isinstance(items, list):
            yield side, items


def read(content: Content, fold: int | None) -> KnownSplit:
    """The sides of what is listed, by name, or by the path of its label or image.

    An item for training that has a `fold` is on the side that this fold is.

    Raises:
        FileError: as `settled` does.
    """
    return known_elsewhere(_said(content.json), fold)


def _said(found: Mapping[str, Any]) -> Iterator[Said]:
    for side, items in _lists(found):
        for number, item in enumerate(items, 1):
            place = f"item {number} of the list for {side}"
            said = item if isinstance(item, dict) else {"image": item}
            fold = fold_of(said.get("fold"), place) if side != "test" else None
            yield Said(_name(said, place), side if fold is None else None, fold)


def _name(item: Mapping[str, Any], place: str) -> str:
    for key in NAMES:
        if isinstance(item.get(key), str) and item[key]:
            return str(item[key])
    for key in _FILES:
        value = item.get(key)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str) and first:
            path = PurePosixPath(first.replace("\\", "/"))
            return (path.parent / stem(path.name)).as_posix()
    raise useless(f"{place} has no name and no path")
