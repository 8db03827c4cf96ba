"""convert: DICOM becomes windowed 8-bit PNG, or its stored values as 16-bit PNG or npy."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.records import Slice, WindowSource
from chaosprep.dataset.stage import CaseResult, Params, Stage, each_slice
from chaosprep.dataset.writer import Writer
from chaosprep.errors import ChaosprepError, FileError, Problem
from chaosprep.imaging.dicom import Header, read
from chaosprep.imaging.windows import Histogram, apply_table, apply_window, window_table

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SIGNED_OFFSET = 32768
"""Added to signed values in a 16-bit PNG, which knows no sign; taken off the row's intercept."""


class ConvertParams(Params, frozen=True, kw_only=True):
    """How stored values become the values of the image file."""

    window: Annotated[
        str,
        Meta(
            description="percentile (0.5 to 99.5), dicom (the headers' window), minmax, or "
            "LOW,HIGH in modality units (HU for CT)."
        ),
    ] = "percentile"
    window_scope: Annotated[
        Literal["case", "slice"],
        Meta(description="One window for all slices of a case, or one for each."),
    ] = "case"
    keep_16bit: Annotated[
        bool, Meta(description="Keep the stored values, bit for bit, as 16-bit grey; no window.")
    ] = False
    format: Annotated[
        Literal["png", "npy"], Meta(description="Image files; npy always keeps the stored values.")
    ] = "png"

    def __post_init__(self) -> None:
        if self.window not in ("percentile", "dicom", "minmax"):
            self.user_window()

    def user_window(self) -> tuple[float, float]:
        """The window given as LOW,HIGH, in modality units."""
        found = re.fullmatch(rf"({_NUMBER}),({_NUMBER})", self.window.replace(" ", ""))
        if not found or not float(found[1]) < float(found[2]):
            raise ValueError("window must be percentile, dicom, minmax or LOW,HIGH with LOW < HIGH")
        return float(found[1]), float(found[2])


class _Pixels(msgspec.Struct, frozen=True):
    """A slice as it was read."""

    header: Header
    array: NDArray[Any]


class _Window(msgspec.Struct, frozen=True):
    """A window in stored values, what it came from, and what was odd about it."""

    low: float
    high: float
    source: WindowSource
    notes: tuple[str, ...] = ()


def run_case(case: Case, params: ConvertParams, writer: Writer) -> CaseResult:
    """Convert one case's images; the masks are carried over."""
    pixels, problems = _read(case)
    keeps = params.keep_16bit or params.format == "npy"
    common = None
    if pixels and not keeps and params.window_scope == "case":
        common = find_window(list(pixels.values()), params)

    def work(row: Slice) -> Slice:
        found = pixels[row.id]
        if keeps:
            made = _stored(row, found, params, writer)
        else:
            window = common or find_window([found], params)
            made = _windowed(row, found, window, writer)
        if row.mask is not None and row.mask_sha256 is not None:
            writer.carry(case, row.mask, row.mask_sha256)
        return made

    result = each_slice((row for row in case.slices if row.id in pixels), work)
    return CaseResult(result.slices, (*problems, *result.problems))


def _read(case: Case) -> tuple[Mapping[str, _Pixels], list[Problem]]:
    pixels: dict[str, _Pixels] = {}
    problems: list[Problem] = []
    for row in case.slices:
        try:
            pixels[row.id] = _Pixels(*read(case.read(row.image, row.image_sha256)))
        except ChaosprepError as error:
            problems.append(Problem.of(error, row.id, row.source))
    return pixels, problems


def find_window(slices: list[_Pixels], params: ConvertParams) -> _Window:
    """The window of some slices in their stored values: the user's, DICOM's, or measured."""
    header = slices[0].header
    if params.window not in ("percentile", "dicom", "minmax"):
        low, high = params.user_window()
        ends = sorted(
            (end - header.rescale_intercept) / header.rescale_slope for end in (low, high)
        )
        return _Window(ends[0], ends[1], "user")
    notes: tuple[str, ...] = ()
    if params.window == "dicom":
        windows = [found.header.window for found in slices if found.header.window is not None]
        if windows:
            low, high = np.median(np.asarray(windows), axis=0).tolist()
            return _Window(low, high, "dicom")
        notes = ("no usable window in the DICOM headers; percentiles taken instead",)
    histogram = Histogram()
    for found in slices:
        histogram.add(found.array)
    if params.window == "minmax":
        return _Window(*histogram.minmax(), "minmax")
    low, high = histogram.percentile_window()
    if high > low or histogram.minmax() == (low, high):
        return _Window(low, high, "percentile", notes)
    notes = (*notes, "the percentiles are equal; minimum and maximum taken instead")
    return _Window(*histogram.minmax(), "minmax", notes)


_table = lru_cache(maxsize=2)(window_table)


def _apply(window: _Window, array: NDArray[Any]) -> NDArray[np.uint8]:
    """The windowed array; the slices of a case share one table."""
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        return apply_table(array, _table(window.low, window.high, array.dtype))
    return apply_window(array, window.low, window.high)


def _windowed(row: Slice, found: _Pixels, window: _Window, writer: Writer) -> Slice:
    notes = list(window.notes)
    array = _apply(window, found.array)
    if found.array.min() == found.array.max():
        array = np.zeros_like(array)
        notes.append(f"constant image (every pixel is {found.array.flat[0]}): written as zeros")
    elif found.header.photometric_interpretation == "MONOCHROME1":
        array = 255 - array
        notes.append("MONOCHROME1: inverted, so that bright is high")
    written = writer.image(row.split, row.id, array, ".png")
    return msgspec.structs.replace(
        row,
        parent=row.id,
        image=written.path,
        image_sha256=written.sha256,
        image_bytes=written.bytes,
        dtype="uint8",
        bits_stored=8,
        window=(window.low, window.high),
        window_source=window.source,
        warnings=(*row.warnings, *notes),
    )


def _stored(row: Slice, found: _Pixels, params: ConvertParams, writer: Writer) -> Slice:
    array, intercept, notes = found.array, row.intercept, list[str]()
    if array.min() == array.max():
        notes.append(f"constant image (every pixel is {array.flat[0]})")
    if found.header.photometric_interpretation == "MONOCHROME1":
        notes.append("MONOCHROME1: the stored values are kept, so that bright is low")
    bits = row.bits_stored
    if params.format == "png":
        array, offset = as_unsigned_16bit(array)
        intercept -= offset * row.slope
        if offset:
            bits = 16
            notes.append(f"signed values: {offset} added in the PNG, and taken off the intercept")
    written = writer.image(row.split, row.id, array, f".{params.format}")
    return msgspec.structs.replace(
        row,
        parent=row.id,
        image=written.path,
        image_sha256=written.sha256,
        image_bytes=written.bytes,
        dtype=array.dtype.name,
        bits_stored=bits,
        intercept=intercept,
        warnings=(*row.warnings, *notes),
    )


def as_unsigned_16bit(array: NDArray[Any]) -> tuple[NDArray[np.uint16], int]:
    """Stored values as uint16, which is what a 16-bit PNG holds, and what was added to them.

    Raises:
        FileError: `too-wide` for values that 16 bits cannot hold.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(np.uint16), 0
    if array.dtype.kind == "i" and array.dtype.itemsize <= 2:
        return (array.astype(np.int32) + SIGNED_OFFSET).astype(np.uint16), SIGNED_OFFSET
    raise FileError(
        f"{array.dtype.name} values do not fit in a 16-bit PNG",
        "Use --format npy.",
        code="too-wide",
    )


CONVERT = Stage(
    name="convert",
    version=1,
    params=ConvertParams,
    run_case=run_case,
    open=open_parent,
    needs=("split",),
)
