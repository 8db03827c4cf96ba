"""convert: DICOM becomes windowed 8-bit PNG, or its stored values as 16-bit PNG or npy."""

import math
import re
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError
from chaosprep.formats.codecs import PngParams
from chaosprep.imaging.header import Header
from chaosprep.imaging.levels import label_areas
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.measured import (
    Pixels,
    looked_up,
    measured,
    padded,
    upright,
)
from chaosprep.imaging.series_window import Window, find_window
from chaosprep.imaging.space.grids import (
    Fit,
    Grid,
    MaskSampling,
    parse_size,
    place,
    plan_grid,
    sample_image,
    sample_mask,
)
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.imaging.windows import apply_table, apply_window, window_table
from chaosprep.running.stage import CaseResult, Stage, each_slice
from chaosprep.running.writer import Writer

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SIGNED_OFFSET = 32768
"""Added to signed values in a 16-bit PNG, which knows no sign; taken off the row's intercept."""


class ConvertParams(PngParams, frozen=True, kw_only=True):
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
    max_pixels: Annotated[
        Annotated[int, Meta(ge=1, le=2**30)],
        Meta(description="Largest file that is decoded, in pixels of all its frames."),
    ] = MAX_PIXELS
    spacing: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Resample in-plane to this many mm per pixel: image cubic, once."),
    ] = None
    size: Annotated[
        str | None, Meta(description="One size for all, N or ROWSxCOLS, centred; never squeezed.")
    ] = None
    fit: Annotated[
        Fit, Meta(description="Reach --size by padding and cropping, or by one of them only.")
    ] = "both"
    mask_sampling: Annotated[
        MaskSampling,
        Meta(description="With --spacing: nearest mask pixel, or label with the largest share."),
    ] = "nearest"

    def __post_init__(self) -> None:
        self.window_kind()
        self.rows_cols()
        if self.keeps and self.window != "percentile":
            raise ValueError("window has no meaning where the stored values are kept")

    @property
    def keeps(self) -> bool:
        """Whether the stored values are kept."""
        return self.keep_16bit or self.format == "npy"

    @property
    def regrids(self) -> bool:
        """Whether slices may get another pixel grid."""
        return self.spacing is not None or self.size is not None

    def rows_cols(self) -> tuple[int, int] | None:
        """`size` as rows and columns."""
        return None if self.size is None else parse_size("size", self.size)

    def window_kind(self) -> Literal["percentile", "dicom", "minmax"] | tuple[float, float]:
        """`window`, or LOW,HIGH in modality units as numbers."""
        if self.window in ("percentile", "dicom", "minmax"):
            return self.window  # type: ignore[return-value]
        found = re.fullmatch(rf"({_NUMBER}),({_NUMBER})", self.window.replace(" ", ""))
        if not found or not -math.inf < float(found[1]) < float(found[2]) < math.inf:
            raise ValueError("window must be percentile, dicom, minmax or LOW,HIGH with LOW < HIGH")
        return float(found[1]), float(found[2])


def run_case(case: Case, params: ConvertParams, writer: Writer) -> CaseResult:
    """Convert one case's images; masks are carried over where the grid stays."""
    pixels: dict[str, Pixels] = {}

    def read(row: Slice) -> Slice:
        found = looked_up(*case.image_with_header(row, params.max_pixels))
        pixels[row.id] = upright(*found) if params.keeps else found
        return row

    readable = each_slice(case.slices, read)
    window, fill = None, 0.0
    if pixels and params.keeps and params.regrids:
        found = (measured(*one) for one in pixels.values())
        fill = float(min((values.min() for values in found if values.size), default=0))
    elif pixels and not params.keeps and params.window_scope == "case":
        window = find_window(list(pixels.values()), params.window_kind())

    def work(row: Slice) -> Slice:
        header, array = pixels[row.id]
        grid = plan_grid(
            array.shape,
            row.spacing[1:] if row.spacing else None,
            spacing=params.spacing,
            size=params.rows_cols(),
            fit=params.fit,
        )
        if params.keeps:
            values, notes, columns = _stored(header, array, grid, fill, params.format)
        else:
            own = window or find_window([pixels[row.id]], params.window_kind())
            values, notes, columns = _windowed(header, array, grid, own)
        file = writer.image(row.split, row.id, values, f".{params.format}")
        made = msgspec.structs.replace(
            row.with_image(file, values.shape),
            parent=row.id,
            frame=None,
            dtype=values.dtype.name,
            slope=header.rescale_slope,
            warnings=tuple(dict.fromkeys((*row.warnings, *header.notes, *notes))),
            **columns,
        )
        if grid.is_identity:
            if row.mask_file is not None:
                writer.carry(case, row.mask_file)
            return made
        return _with_mask(case, _regridded(made, grid), grid, params, writer)

    result = each_slice(readable.slices, work)
    return CaseResult(result.slices, (*readable.problems, *result.problems))


_table = lru_cache(maxsize=2)(window_table)  # the slices of a case share one


Made = tuple[NDArray[Any], list[str], dict[str, Any]]
"""What is to be written: values, notes, and what they change in the other columns of the row."""


def _windowed(header: Header, array: NDArray[Any], grid: Grid, window: Window) -> Made:
    notes = list(window.notes)
    ends = None if window.look else window.stored(header)
    if (constant := _constant(header, array)) is not None:
        shown = np.zeros((grid.rows.last - grid.rows.first, grid.cols.last - grid.cols.first), "u1")
        notes.append(f"{constant}: written as zeros")
    else:
        seen, outside = _sampled(header, array, grid, float(measured(header, array).min()))
        shown = _shown(header, seen, window, ends)
        if header.inverted:
            shown = 255 - shown
            notes.append("MONOCHROME1: inverted, so that bright is high")
        if outside is not None:
            shown[outside] = 0
    columns = {"bits_stored": 8, "window": ends, "window_source": window.source, "padding": None}
    return place(grid, shown, 0), notes, columns | {"intercept": header.rescale_intercept}


def _constant(header: Header, array: NDArray[Any]) -> str | None:
    """What to say of a slice that shows nothing."""
    values = measured(header, array)
    if not values.size:
        return "every pixel is padding"
    if values.min() == values.max():
        where = "" if values.size == array.size else " that is no padding"
        return f"constant image (every pixel{where} is {values.flat[0]})"
    return None


def _sampled(
    header: Header, array: NDArray[Any], grid: Grid, fill: float
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """What the grid shows of a slice, no padding mixed into it, and where that is padding."""
    outside = padded(header, array)
    if outside is None:
        return sample_image(grid, array), None
    inside = np.where(outside, array.dtype.type(fill), array)
    return sample_image(grid, inside), sample_mask(grid, outside, "nearest")


def _shown(
    header: Header, array: NDArray[Any], window: Window, ends: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """The array in 8 bit; bright is high in modality units, also where the slope is negative."""
    if ends is None:
        return window.by_look(header, array)
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        shown = apply_table(array, _table(*ends, array.dtype))
    else:
        shown = apply_window(array, *ends)
    return shown if header.rescale_slope > 0 else 255 - shown


def _stored(header: Header, array: NDArray[Any], grid: Grid, fill: float, format: str) -> Made:
    constant = _constant(header, array)
    notes = [] if constant is None else [constant]
    shown, ends = array, header.padding
    if not grid.is_identity:
        shown, outside = _sampled(header, array, grid, fill)
        if ends is not None and outside is not None:
            shown[outside] = ends[0]
    values, offset = place(grid, shown, fill), 0
    if format == "png":
        values, offset = as_unsigned_16bit(values)
    if offset:
        notes.append(f"signed values: {offset} added in the PNG, and taken off the intercept")
    columns = {
        "bits_stored": 16 if offset else header.bits_stored,
        "intercept": header.rescale_intercept - offset * header.rescale_slope,
        "padding": ends and (ends[0] + offset, ends[1] + offset),
    }
    return values, notes, columns


def _regridded(row: Slice, grid: Grid) -> Slice:
    """The row of an image on a new grid: where its pixels lie in space, and how to undo it."""
    spacing, position = row.spacing, row.position
    if row.spacing and row.position and row.orientation:
        offset = grid.rows.offset, grid.cols.offset
        position = pixel_position(row.position, row.orientation, row.spacing[1:], *offset)
    if row.spacing:
        rows, cols = row.spacing[1] * grid.rows.step, row.spacing[2] * grid.cols.step
        spacing = (row.spacing[0], round(rows, 9), round(cols, 9))
    return msgspec.structs.replace(row, spacing=spacing, position=position, grid=grid.as_record())


def _with_mask(case: Case, row: Slice, grid: Grid, params: ConvertParams, writer: Writer) -> Slice:
    mask = case.mask(row)
    if mask is None:
        return row
    mask = place(grid, sample_mask(grid, mask, params.mask_sampling), 0)
    file = writer.mask(row.split, row.id, mask)
    return row.with_mask(file, pixels=label_areas(mask, row.labels))


def as_unsigned_16bit(array: NDArray[Any]) -> tuple[NDArray[np.uint16], int]:
    """Stored values as uint16, which is what a 16-bit PNG holds, and what was added to them.

    Raises:
        FileError: `too-wide` for values that 16 bits cannot hold.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(np.uint16, copy=False), 0
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
    libraries=("cv2",),
    folder="images",
    shaping=("window", "window_scope", "keep_16bit", "format", "spacing", "size", "fit"),
    help="DIR is what split or extract-liver made. Matrix and aspect stay as they are; the masks "
    "are carried over.",
)
