"""convert: DICOM becomes windowed 8-bit PNG, or its stored values as 16-bit PNG or npy."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.choices.leaving import chosen
from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.case import Case
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, Problem
from chaosprep.imaging.levels import label_areas
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.measured import (
    Pixels,
    among,
    check_polarity,
    looked_up,
    measured,
    upright,
)
from chaosprep.imaging.series_window import find_window
from chaosprep.imaging.space.grids import (
    Fit,
    Grid,
    MaskSampling,
    parse_size,
    place,
    plan_grid,
    sample_mask,
)
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.running.fitting import TOLD, Expected, carried
from chaosprep.running.stage import CaseResult, Stage, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.convert_pixels import stored_slice, windowed_slice
from chaosprep.stages.convert_scaling import with_scaling

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class ConvertParams(ChoiceParams, frozen=True, kw_only=True):
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
        super().__post_init__()
        self.window_kind()
        self.rows_cols()
        if self.keeps and self.window != "percentile":
            raise ValueError("--window has no meaning where the stored values are kept")

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
        return None if self.size is None else parse_size("--size", self.size)

    def window_kind(self) -> Literal["percentile", "dicom", "minmax"] | tuple[float, float]:
        """`window`, or LOW,HIGH in modality units as numbers."""
        if self.window in ("percentile", "dicom", "minmax"):
            return self.window  # type: ignore[return-value]
        found = re.fullmatch(rf"({_NUMBER}),({_NUMBER})", self.window.replace(" ", ""))
        if not found or not -math.inf < float(found[1]) < float(found[2]) < math.inf:
            raise ValueError("--window must be percentile, dicom, minmax or LOW,HIGH, LOW < HIGH")
        return float(found[1]), float(found[2])


def run_case(case: Case, params: ConvertParams, writer: Writer) -> CaseResult:
    """Convert one case's images; masks are carried over where the grid stays.

    Raises:
        FileError: `structures-overlap`.
    """
    refuse_overlaps(case.slices)
    pixels: dict[str, Pixels] = {}
    inverted: set[bool] = set()

    def read(row: Slice) -> Slice:
        header, array = case.image_with_header(row, params.max_pixels)
        inverted.add(header.inverted)
        noted = replace(header, notes=(*header.notes, *among(header, array)))
        found = looked_up(noted, array)
        pixels[row.id] = upright(*found) if params.keeps else found
        return row

    readable = each_slice(case.slices, read)
    try:
        check_polarity(inverted)
    except FileError as error:
        return CaseResult((), (*readable.problems, Problem.of(error, case.id)))
    window, fill = None, 0.0
    if pixels and params.keeps and params.regrids:
        found = (measured(*one) for one in pixels.values())
        fill = float(min((values.min() for values in found if values.size), default=0))
    elif pixels and not params.keeps and params.window_scope == "case":
        window = find_window(list(pixels.values()), params.window_kind())

    written: dict[str, NDArray[Any]] = {}

    def work(row: Slice) -> Slice:
        header, array = found = pixels.pop(row.id)
        grid = plan_grid(
            array.shape,
            row.spacing[1:] if row.spacing else None,
            spacing=params.spacing,
            size=params.rows_cols(),
            fit=params.fit,
        )
        if params.keeps:
            values, notes, columns = stored_slice(header, array, grid, fill, params.format)
        else:
            own = window or find_window([found], params.window_kind())
            values, notes, columns = windowed_slice(header, array, grid, own)
        file = writer.image(row.split, row.id, values, f".{params.format}")
        if params.keep_16bit:
            written[row.id] = values
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
    rows = with_scaling(result.slices, written) if params.keep_16bit else result.slices
    return CaseResult(rows, (*readable.problems, *result.problems))


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


def rows(case: Case, params: ConvertParams) -> Iterator[Expected]:
    """One for each slice; its mask is the parent's where the grid stays."""
    for row in case.slices:
        image = file_path(row.split, "images", row.id, f".{params.format}")
        carries = {"mask": row.mask, "mask_sha256": row.mask_sha256}
        mask = {} if params.regrids else carries
        scaling = {"scaling": TOLD} if params.keep_16bit else {}
        yield carried(row, image=image, frame=None, **mask, **scaling)


CONVERT = Stage(
    name="convert",
    version=1,
    params=ConvertParams,
    run_case=run_case,
    open=open_parent,
    choose=chosen,
    rows=rows,
    needs=("split",),
    libraries=("cv2",),
    folder="images",
    shaping=("window", "window_scope", "keep_16bit", "format", "spacing", "size", "fit"),
    help="DIR is what split or an extract stage made. Matrix and aspect stay; the masks "
    "are carried over.",
)
