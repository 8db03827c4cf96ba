"""convert: DICOM becomes windowed 8-bit PNG, or its stored or normalized values, PNG or npy."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET
from numpy.typing import NDArray

from chaosprep.choices.leaving import chosen
from chaosprep.dataset.case import Case
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.running.fitting import TOLD, Expected, carried
from chaosprep.running.stage import CaseResult, Stage, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.converting.bias import corrected
from chaosprep.stages.converting.grids import grid_of, regridded, with_mask
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.reading import read_case
from chaosprep.stages.converting.scales import LANDMARKS, plan
from chaosprep.stages.converting.scaling import counted, with_scaling
from chaosprep.stages.converting.values import rule_for


def run_case(case: Case, params: ConvertParams, writer: Writer) -> CaseResult:
    """Convert one case's images; masks are carried over where the grid stays.

    Raises:
        FileError: `structures-overlap`, and what `corrected` raises.
    """
    refuse_overlaps(case.slices)
    found = corrected(case, read_case(case, params), params)
    pixels, written = found.pixels, dict[str, NDArray[Any]]()
    rule = rule_for(case, found, params)

    def work(row: Slice) -> Slice:
        header, array = pixels.pop(row.id)
        grid = grid_of(row, array, params)
        values, notes, columns = rule(header, array, grid)
        file = writer.image(row.split, row.id, values, f".{params.format}")
        if params.keep_16bit:
            written[row.id] = values
        made = msgspec.structs.replace(
            row.with_image(file, values.shape),
            parent=row.id,
            frame=None,
            dtype=values.dtype.name,
            bias=row.bias if found.bias is UNSET else found.bias,
            warnings=tuple(dict.fromkeys((*row.warnings, *header.notes, *notes))),
            **{"slope": header.rescale_slope} | columns,
        )
        made = made if grid.is_identity else regridded(made, grid)
        return with_mask(case, made, grid, params, writer)

    result = each_slice(found.rows, work)
    made = counted(result.slices)
    rows = with_scaling(made, written) if params.keep_16bit else made
    return CaseResult(rows, (*found.problems, *result.problems))


def rows(case: Case, params: ConvertParams) -> Iterator[Expected]:
    """One for each slice; its mask is the parent's where the grid stays."""
    for row in case.slices:
        image = file_path(row.split, "images", row.id, f".{params.format}")
        carries = {"mask": row.mask, "mask_sha256": row.mask_sha256}
        mask = {} if params.regrids else carries
        scaling = {"scaling": TOLD} if params.keep_16bit or params.normalize else {}
        normalization = {"normalization": TOLD if params.normalize else UNSET}
        bias = {} if params.bias == "none" else {"bias": TOLD}
        yield carried(row, image=image, frame=None, **mask, **scaling, **bias, **normalization)


CONVERT = Stage(
    name="convert",
    version=1,
    params=ConvertParams,
    run_case=run_case,
    open=open_parent,
    choose=chosen,
    plan=plan,
    rows=rows,
    learn=LANDMARKS,
    needs=("split",),
    libraries=("cv2",),
    folder="images",
    shaping=(
        *("window", "window_scope", "keep_16bit", "normalize", "landmarks"),
        *("format", "spacing", "size", "fit"),
        *("bias", "bias_grid", "bias_distance", "bias_iterations"),
    ),
    help="DIR is what split or an extract stage made. Matrix and aspect stay; the masks "
    "are carried over.",
)
