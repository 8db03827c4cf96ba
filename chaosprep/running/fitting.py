"""What a case becomes, known before the work: no journal is believed against it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from chaosprep.dataset.case import Case
from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.records import Slice

Expected = Mapping[str, Any]
"""The columns of a row that are settled before the work, its id among them."""

TOLD: Final = "told"
"""Of a column that a table may lack, in place of a value: the row has it, whatever it says."""

_SETTLED = (
    *("id", "case", "patient", "sequence", "slice"),
    *("copy", "split", "fold", "folds", "frame", "source"),
)
_FILES, _OF_FILE = ("image", "mask"), ("", "_sha256", "_bytes")
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]+)+")


def carried(row: Slice, **columns: Any) -> dict[str, Any]:
    """The columns of a row that the one made of it has too: all but its files, and what they hold.

    It has a mask where the row has one.
    """
    settled = {name: getattr(row, name) for name in _SETTLED} | {"parent": row.id}
    mask = None if row.mask is None else file_path(row.split, "masks", row.id, ".png")
    return settled | {"mask": mask} | columns


def one_for_each(case: object, params: object) -> Iterable[Expected] | None:
    """One row for each slice of a case of a stage directory; of any other case nothing is known."""
    return [carried(row) for row in case.slices] if isinstance(case, Case) else None


def fits(
    rows: Sequence[Slice],
    expected: Iterable[Expected] | None,
    container: Container | None = None,
) -> bool:
    """Whether rows are what a case becomes: each of those once, and no other.

    Their files lie in containers of the case of this kind, and are single without. Where those
    hold arrays, a PNG may have become the npy file of its name, whose hash nobody expects.
    """
    if expected is None:
        return False
    known = {one["id"]: one for one in expected}
    ids = [row.id for row in rows]
    return sorted(ids) == sorted(known) and all(
        _fits(row, known[row.id], container) and _lies_in(row, container) for row in rows
    )


def _fits(row: Slice, expected: Expected, container: Container | None) -> bool:
    arrays = container is not None and container.as_array is not None
    became = {kind for kind in _FILES if arrays and _is_array_of(row, kind, expected)}
    own = {f"{kind}{column}" for kind in became for column in _OF_FILE}
    alike = all(
        _is_as(getattr(row, name), one) for name, one in expected.items() if name not in own
    )
    return alike and ("image" in expected or _is_own(row))


def _lies_in(row: Slice, container: Container | None) -> bool:
    """Whether the files of a row are in the containers that the writer gives its case."""
    kinds = () if container is None else (container, container.other)
    endings = [kind.ending for kind in kinds if kind is not None]
    for file in row.files():
        whole = f"{file.path.rpartition('/')[0]}/{row.case}"
        allowed: list[str | None] = [f"{whole}{ending}" for ending in endings]
        if file.container not in (allowed or [None]):
            return False
    return True


def _is_array_of(row: Slice, kind: str, expected: Expected) -> bool:
    path = expected.get(kind)
    if path is None or not path.endswith(".png"):
        return False
    return bool(getattr(row, kind) == path.removesuffix(".png") + ".npy")


def _is_as(value: object, expected: object) -> bool:
    return value is not UNSET if expected is TOLD else value == expected


def _is_own(row: Slice) -> bool:
    """Whether the image has the name that the writer gives it."""
    begin = file_path(row.split, "images", row.id, "")
    ending = row.image.removeprefix(begin)
    return row.image.startswith(begin) and _ENDING.fullmatch(ending) is not None
