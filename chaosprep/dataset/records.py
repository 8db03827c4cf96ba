"""The rows of a stage directory's table, and the files that they name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chaosprep.facts import Name
from chaosprep.imaging.intensity.names import NormalizationName

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
WindowSource = Literal["user", "dicom", "percentile", "minmax", "none"]

Id = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9._-]*\Z", max_length=200)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
MOST = 2**63 - 1
"""What other readers of tables take for a whole number."""

Count = Annotated[int, Meta(ge=0, le=MOST)]
Size = Annotated[int, Meta(ge=1, le=MOST)]
Value = Annotated[int, Meta(ge=1, le=65535)]
Length = Annotated[float, Meta(ge=1e-6, le=1e6)]
"""From a nanometre to a kilometre, in mm."""

Spacing = tuple[Length | None, Length, Length]
Coordinate = Annotated[float, Meta(ge=-1e9, le=1e9)]
Triple = tuple[Coordinate, Coordinate, Coordinate]
Cosine = Annotated[float, Meta(ge=-2, le=2)]
Orientation = tuple[Cosine, Cosine, Cosine, Cosine, Cosine, Cosine]
LARGEST = 1e30
Share = Annotated[float, Meta(gt=0, le=LARGEST)]
Factor = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]


def _doc(description: str) -> Meta:
    return Meta(description=description)


class File(NamedTuple):
    """An image or a mask: its path in the directory, its SHA-256 and its size in bytes.

    Where it lies in a container, `container` is that file's path, and `offset` where in it, in
    bytes.
    """

    path: str
    sha256: str
    bytes: int
    container: str | None = None
    offset: int = 0

    @property
    def place(self) -> str:
        """The path of what is on the disk: the file, or its container."""
        return self.path if self.container is None else self.container


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


class BiasField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bias field that the values of a case were divided by: its range within the body.

    It is a factor without a unit; the mean of the body stayed what it was.
    """

    method: Literal["n4"]
    least: Share
    most: Share


class Normalized(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    """How the values of a case were normalized: by straight pieces through knots.

    `start` (in JSON `from`) are modality units, `end` (`to`) what they became, which stored value x
    slope + intercept gives. Beyond the knots the outer pieces go on. `start` descends where bright
    was low (MONOCHROME1), and ascends else.
    """

    method: NormalizationName
    start: Annotated[tuple[Factor, ...], Meta(min_length=2, max_length=1000)]
    end: Annotated[tuple[Factor, ...], Meta(min_length=2, max_length=1000)]


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
        _doc(
            "values of the case that a network sees as 0 and 1; absent without --keep-16bit or "
            "--normalize"
        ),
    ] = UNSET
    bias: Annotated[
        BiasField | UnsetType | None,
        _doc("field that was divided out, null where none was found; absent without --bias"),
    ] = UNSET
    normalization: Annotated[
        Normalized | UnsetType | None,
        _doc(
            "method, and knots from modality units to what stored value x slope + intercept gives; "
            "absent without --normalize"
        ),
    ] = UNSET
    image_container: Annotated[str | UnsetType | None, _doc("file that holds the image")] = UNSET
    image_offset: Annotated[Count | UnsetType | None, _doc("where in it, in bytes")] = UNSET
    mask_container: Annotated[str | UnsetType | None, _doc("file that holds the mask")] = UNSET
    mask_offset: Annotated[Count | UnsetType | None, _doc("where in it, in bytes")] = UNSET

    @property
    def image_file(self) -> File:
        """The file with the image."""
        place = self.image_container or None, self.image_offset or 0
        return File(self.image, self.image_sha256, self.image_bytes, *place)

    @property
    def mask_file(self) -> File | None:
        """The file with the mask, None without ground truth."""
        if self.mask is None or self.mask_sha256 is None or self.mask_bytes is None:
            return None
        place = self.mask_container or None, self.mask_offset or 0
        return File(self.mask, self.mask_sha256, self.mask_bytes, *place)

    def files(self) -> tuple[File, ...]:
        """The image and, where there is one, the mask."""
        return tuple(file for file in (self.image_file, self.mask_file) if file is not None)

    def placed(self, places: Mapping[str, File] = MappingProxyType({})) -> Self:
        """The row with its files in these containers, by their paths; the others are single.

        A file may have become another on its way into one.
        """
        values: dict[str, Any] = {}
        for kind, path in (("image", self.image), ("mask", self.mask)):
            file = places.get(path or "")
            values |= {} if file is None else _columns(kind, file)
            values[f"{kind}_container"] = UNSET if file is None else file.container
            values[f"{kind}_offset"] = UNSET if file is None else file.offset
        return msgspec.structs.replace(self, **values)

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
    path, digest, size = (None, None, None) if file is None else file[:3]
    return {kind: path, f"{kind}_sha256": digest, f"{kind}_bytes": size}


def encode_row(row: Slice) -> bytes:
    """One line of the table, without its line break."""
    return msgspec.json.encode(row)


RARE: tuple[str, ...] = tuple(
    field.name for field in msgspec.structs.fields(Slice) if field.default is UNSET
)
"""The columns that a table may lack; where a row needs one, all rows have it."""

EMPTY: dict[str, Any] = dict.fromkeys(RARE) | {"overlaps": {}, "overwritten": {}, "folds": ()}
"""What such a column holds in a row that has nothing of it."""
