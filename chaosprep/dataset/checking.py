"""Reading the rows of a table, which are untrusted input: types, ranges, fields and paths."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from chaosprep.dataset.records import MOST, Normalized, Slice
from chaosprep.errors import REMAKE, ManifestError

_rows = msgspec.json.Decoder(Slice)


def decode_row(line: bytes) -> Slice:
    """Read one line of the table, checking types, ids and paths.

    Raises:
        ManifestError: naming the field that is wrong.
    """
    try:
        row = _rows.decode(line)
    except msgspec.MsgspecError as error:
        raise ManifestError(_field_first(str(error)), REMAKE, "manifest-row") from error
    except UnicodeDecodeError as error:
        raise ManifestError("the line is not UTF-8", REMAKE, "manifest-row") from error
    except RecursionError as error:
        raise ManifestError("the line is nested too deeply", REMAKE, "manifest-row") from error
    check_row(row)
    return row


def check_row(row: Slice) -> None:
    """Refuse a row whose columns do not fit together, or whose files could be anywhere.

    Raises:
        ManifestError: naming the field that is wrong.
    """
    check_path("image", row.image)
    if row.mask is not None:
        check_path("mask", row.mask)
    is_none = row.mask is None
    if (row.mask_sha256 is None) is not is_none or (row.mask_bytes is None) is not is_none:
        raise ManifestError(
            "mask: its path, hash and bytes are not all there or all absent", REMAKE, "manifest-row"
        )
    for kind, container, offset in (
        ("image", row.image_container, row.image_offset),
        ("mask", row.mask_container, row.mask_offset),
    ):
        if container:
            check_path(f"{kind}_container", container)
        if bool(container) != isinstance(offset, int):
            raise ManifestError(
                f"{kind}_container: it is not given together with {kind}_offset",
                REMAKE,
                "manifest-row",
            )
    if abs(row.slope) < 1e-30:
        raise ManifestError("slope: it is 0 or nearly so", REMAKE, "manifest-row")
    _check_ranges(row)
    if row.overlaps:
        _check_overlaps(row.overlaps, row.labels)
    if row.grid is not None:
        _check_numbers("grid", row.grid)
    if row.augmentation is not None:
        _check_numbers("augmentation", row.augmentation)
    if not row.id.startswith(f"{row.case}_") or not row.case.startswith(f"{row.patient}_"):
        raise ManifestError(
            "id: it does not begin with its case, or the case with its patient",
            REMAKE,
            "manifest-row",
        )


def _check_overlaps(overlaps: Mapping[int, tuple[int, ...]], labels: Mapping[int, str]) -> None:
    for value, meeting in overlaps.items():
        several = len(meeting) > 1 and meeting == tuple(sorted({*meeting}))
        if value in labels or not (several and labels.keys() >= {*meeting}):
            raise ManifestError(
                "overlaps: a value does not stand for several of the labels, in ascending order",
                REMAKE,
                "manifest-row",
            )


def _check_knots(told: Normalized) -> None:
    rising = [[one < other for one, other in pairwise(some)] for some in (told.start, told.end)]
    falling = all(one > other for one, other in pairwise(told.start))
    if len(told.start) != len(told.end) or not all(rising[1]) or not (all(rising[0]) or falling):
        raise ManifestError(
            "normalization: its knots are not pairs of numbers in order",
            REMAKE,
            "manifest-row",
        )


def _check_ranges(row: Slice) -> None:
    if row.scaling and not row.scaling.low < row.scaling.high:
        raise ManifestError("scaling: high is not above low", REMAKE, "manifest-row")
    if row.bias and row.bias.least > row.bias.most:
        raise ManifestError("bias: least is above most", REMAKE, "manifest-row")
    if row.normalization:
        _check_knots(row.normalization)


def _check_numbers(field: str, record: dict[str, Any]) -> None:
    if any(abs(one) > MOST for one in _integers(record)):
        raise ManifestError(f"{field}: a number is above 2^63", REMAKE, "manifest-row")


def _integers(record: object) -> Iterator[int]:
    """Every whole number in a record, however deep."""
    left = [record]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, int):
            yield one


def _field_first(message: str) -> str:
    found = re.fullmatch(r"(?s)(.*) - at `\$\.?(.*)`", message)
    return f"{found[2]}: {found[1]}" if found and found[2] else message


# of parts that are neither empty nor `.` or `..`, without a backslash, colon or control character
_PLAIN = re.compile(r"(?:(?!\.{1,2}(?:/|\Z))[^\\:/\x00-\x1f]+(?:/(?!\Z)|\Z))+")


def check_path(field: str, path: str) -> None:
    """Refuse a path that could leave its directory: absolute, `..`, Windows, NUL.

    Raises:
        ManifestError: naming the field.
    """
    if _PLAIN.fullmatch(path) is None:
        raise ManifestError(
            f"{field}: {path!r} is not a plain relative path",
            "A table's files must lie in its own directory.",
            code="manifest-path",
        )
