"""The rows of a stage directory's table.

They are untrusted input: types, ranges, unknown fields and paths are checked when they are read.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chaosprep.errors import REMAKE, ManifestError
from chaosprep.facts import Name

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
WindowSource = Literal["user", "dicom", "percentile", "minmax", "none"]

Id = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9._-]*\Z", max_length=200)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_MOST = 2**63 - 1  # what other readers of tables take for a whole number
Count = Annotated[int, Meta(ge=0, le=_MOST)]
Size = Annotated[int, Meta(ge=1, le=_MOST)]
Value = Annotated[int, Meta(ge=1, le=65535)]
Length = Annotated[float, Meta(ge=1e-6, le=1e6)]
"""From a nanometre to a kilometre, in mm."""

Spacing = tuple[Length | None, Length, Length]
Coordinate = Annotated[float, Meta(ge=-1e9, le=1e9)]
Triple = tuple[Coordinate, Coordinate, Coordinate]
Cosine = Annotated[float, Meta(ge=-2, le=2)]
Orientation = tuple[Cosine, Cosine, Cosine, Cosine, Cosine, Cosine]
Factor = Annotated[float, Meta(ge=-1e30, le=1e30)]


def _doc(description: str) -> Meta:
    return Meta(description=description)


class File(NamedTuple):
    """An image or a mask: its path in the directory, its SHA-256 and its size in bytes."""

    path: str
    sha256: str
    bytes: int


class CaseScaling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How grey values of a case become those of a network: `low` is shown as 0, `high` as 1.

    They are stored values; with `in_units` modality units, in which slices of different rescales
    can be compared. `lowest`, in these units too, stands for padding, None without. All of it is of
    so many `slices`: where the case has lost some, it is to be found again.
    """

    low: Factor
    high: Factor
    in_units: bool
    lowest: Factor | None
    slices: Size


class Slice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the table: an image and its mask."""

    id: Annotated[Id, _doc("slice id, unique in the table")]
    case: Annotated[Id, _doc("case id: one patient's one sequence")]
    patient: Annotated[Id, _doc("patient id: modality and folder")]
    sequence: Annotated[Id, _doc("t1-in, t1-out, t2-spir, ct, or another series")]
    slice: Annotated[Count, _doc("position along the slice normal, from 0")]
    copy: Annotated[Count, _doc("0 is the original, 1 and up its augmented copies")] = 0
    split: Annotated[Split, _doc("train, val or test")]
    fold: Annotated[Count | None, _doc("fold number, null without folds")] = None
    image: Annotated[str, _doc("image file, relative to this table")]
    image_sha256: Annotated[Sha256, _doc("SHA-256 of the image file")]
    image_bytes: Annotated[Size, _doc("size of the image file in bytes")]
    frame: Annotated[Count | None, _doc("frame of a multi-frame file, from 0")] = None
    mask: Annotated[str | None, _doc("mask file, null without ground truth")] = None
    mask_sha256: Annotated[Sha256 | None, _doc("SHA-256 of the mask file")] = None
    mask_bytes: Annotated[Size | None, _doc("size of the mask file in bytes")] = None
    rows: Annotated[Size, _doc("rows of the image file")]
    cols: Annotated[Size, _doc("columns of the image file")]
    dtype: Annotated[str, _doc("number type of the image file as written")]
    bits_stored: Annotated[Size, _doc("significant bits of the image file as written")]
    spacing: Annotated[Spacing | None, _doc("mm between slices, rows, columns")] = None
    position: Annotated[Triple | None, _doc("ImagePositionPatient, mm")] = None
    orientation: Annotated[Orientation | None, _doc("ImageOrientationPatient")] = None
    grid: Annotated[
        dict[str, Any] | None,
        _doc("rows and columns before --spacing or --size, and where the pixels lie in them"),
    ] = None
    slope: Annotated[Factor, _doc("stored value x slope + intercept = modality unit")] = 1.0
    intercept: Annotated[Factor, _doc("see slope")] = 0.0
    window: Annotated[
        tuple[float, float] | None, _doc("low and high in stored values, shown as 0 and 255")
    ] = None
    window_source: Annotated[WindowSource, _doc("what the window came from")] = "none"
    padding: Annotated[
        tuple[float, float] | None,
        _doc("lowest and highest stored value that stand for nothing, null without padding"),
    ] = None
    labels: Annotated[dict[Value, Name], _doc("mask value -> organ")]
    pixels: Annotated[dict[Name, Count], _doc("organ -> area in pixels")]
    source: Annotated[str, _doc("the DICOM file, relative to the dataset root, or a pseudonym")]
    parent: Annotated[Id | None, _doc("id in the parent stage, null in the first")] = None
    augmentation: Annotated[
        dict[str, Any] | None, _doc("drawn parameters, null for an original")
    ] = None
    warnings: Annotated[tuple[str, ...], _doc("what was odd and how it was settled")] = ()
    overlaps: Annotated[
        dict[Value, tuple[Value, ...]] | UnsetType,
        _doc("mask value -> values of the organs that meet there; absent without"),
    ] = UNSET
    overwritten: Annotated[
        dict[Name, Count] | UnsetType,
        _doc("organ -> pixels of it that another one took; absent without"),
    ] = UNSET
    folds: Annotated[
        tuple[Count, ...] | UnsetType,
        _doc("the patient's fold of each repeat, numbered on; absent without repeats"),
    ] = UNSET
    scaling: Annotated[
        CaseScaling | UnsetType | None,
        _doc("values of the case that a network sees as 0 and 1; absent without --keep-16bit"),
    ] = UNSET

    @property
    def image_file(self) -> File:
        """The file with the image."""
        return File(self.image, self.image_sha256, self.image_bytes)

    @property
    def mask_file(self) -> File | None:
        """The file with the mask, None without ground truth."""
        if self.mask is None or self.mask_sha256 is None or self.mask_bytes is None:
            return None
        return File(self.mask, self.mask_sha256, self.mask_bytes)

    def files(self) -> tuple[File, ...]:
        """The image and, where there is one, the mask."""
        return tuple(file for file in (self.image_file, self.mask_file) if file is not None)

    def with_image(self, file: File, shape: tuple[int, ...]) -> Self:
        """The row with another image, of (rows, cols) pixels, of whose values nothing is known."""
        rows, cols = shape
        columns = _columns("image", file)
        return msgspec.structs.replace(self, **columns, rows=rows, cols=cols, scaling=UNSET)

    def with_mask(
        self, file: File | None, *, labels: dict[int, str] | None = None, pixels: dict[str, int]
    ) -> Self:
        """The row with another mask or none; the labels stay unless others are given.

        None of its values stands for several.
        """
        labels = self.labels if labels is None else labels
        columns = _columns("mask", file)
        return msgspec.structs.replace(
            self, **columns, labels=labels, pixels=pixels, overlaps=UNSET
        )


def file_columns(image: File, mask: File | None = None) -> dict[str, Any]:
    """The columns of a row that say where its image and its mask are."""
    return _columns("image", image) | _columns("mask", mask)


def _columns(kind: str, file: File | None) -> dict[str, Any]:
    path, digest, size = file or (None, None, None)
    return {kind: path, f"{kind}_sha256": digest, f"{kind}_bytes": size}


def encode_row(row: Slice) -> bytes:
    """One line of the table, without its line break."""
    return msgspec.json.encode(row)


RARE: tuple[str, ...] = tuple(
    field.name for field in msgspec.structs.fields(Slice) if field.default is UNSET
)
"""The columns that a table may lack; where a row needs one, all rows have it."""

EMPTY: dict[str, Any] = {name: {} for name in RARE} | {"folds": (), "scaling": None}
"""What such a column holds in a row that has nothing of it."""

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
    if len({one is None for one in (row.mask, row.mask_sha256, row.mask_bytes)}) > 1:
        raise ManifestError(
            "mask: its path, hash and bytes do not stand together", REMAKE, "manifest-row"
        )
    if abs(row.slope) < 1e-30:
        raise ManifestError("slope: it is 0 or nearly so", REMAKE, "manifest-row")
    if row.scaling and not row.scaling.low < row.scaling.high:
        raise ManifestError("scaling: high is not above low", REMAKE, "manifest-row")
    for value, meeting in (row.overlaps or {}).items():
        several = len(meeting) > 1 and meeting == tuple(sorted({*meeting}))
        if value in row.labels or not (several and row.labels.keys() >= {*meeting}):
            raise ManifestError(
                "overlaps: a value does not stand for several of the labels, in ascending order",
                REMAKE,
                "manifest-row",
            )
    for field, record in (("grid", row.grid), ("augmentation", row.augmentation)):
        if record is not None and any(abs(one) > _MOST for one in _integers(record)):
            raise ManifestError(f"{field}: a number is above 2^63", REMAKE, "manifest-row")
    if not row.id.startswith(f"{row.case}_") or not row.case.startswith(f"{row.patient}_"):
        raise ManifestError(
            "id: it does not begin with its case, or the case with its patient",
            REMAKE,
            "manifest-row",
        )


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


def check_path(field: str, path: str) -> None:
    """Refuse a path that could leave its directory: absolute, `..`, Windows, NUL.

    Raises:
        ManifestError: naming the field.
    """
    if not path or re.search(r"[\\:\x00-\x1f]", path) or {"", ".", ".."} & set(path.split("/")):
        raise ManifestError(
            f"{field}: {path!r} is not a plain relative path",
            "A table's files must lie in its own directory.",
            code="manifest-path",
        )
