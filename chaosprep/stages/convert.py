"""convert: DICOM becomes windowed 8-bit PNG, or its stored or normalized values, PNG or npy."""

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from numpy.typing import NDArray

from chaosprep.choices.leaving import chosen
from chaosprep.dataset.case import Case
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.errors import Problem
from chaosprep.running.fitting import TOLD, Expected, carried
from chaosprep.running.stage import CaseResult, Stage, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.converting.grids import InPlane
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.planning import plan
from chaosprep.stages.converting.reading import Read, read_case
from chaosprep.stages.converting.reference import is_placed
from chaosprep.stages.converting.scales import LANDMARKS
from chaosprep.stages.converting.scaling import counted, with_scaling
from chaosprep.stages.converting.values import rule_for

if TYPE_CHECKING:
    from chaosprep.stages.converting.restacking import Restacked
    from chaosprep.stages.converting.stacks import Stack

_name = lru_cache(attrgetter("name"))  # numpy makes the name of a type anew each time


def run_case(case: Case, params: ConvertParams, writer: Writer) -> CaseResult:
    """Convert one case's images; masks are carried over where the grid stays.

    Raises:
        FileError: `structures-overlap`; what `corrected`, `new_stack` and `restacked` raise.
    """
    refuse_overlaps(case.slices)
    stack, written = _new_stack(case, params), dict[str, NDArray[Any]]()
    found = _corrected(case, read_case(case, params), params)
    rule = rule_for(case, found, params)
    slices: InPlane | Restacked = InPlane(case, found, params)
    if stack is not None:
        from chaosprep.stages.converting.restacking import restacked

        slices = restacked(case, found, stack, params)

    def work(row: Slice) -> Slice:
        header, array, grid = slices.take(row)
        values, notes, columns = rule(header, array, grid)
        file = writer.image(row.split, row.id, values, f".{params.format}")
        if params.keep_16bit:
            written[row.id] = values
        made = msgspec.structs.replace(
            row.with_image(file, values.shape),
            parent=slices.parent(row),
            frame=None,
            dtype=_name(values.dtype),
            bias=row.bias if found.bias is UNSET else found.bias,
            warnings=tuple(dict.fromkeys((*row.warnings, *header.notes, *notes))),
            **{"slope": header.rescale_slope} | columns,
        )
        return slices.finished(made, grid, writer)

    result = each_slice(slices.rows, work)
    made = counted(result.slices)
    rows = with_scaling(made, written) if params.keep_16bit else made
    problems = (*found.problems, *([] if stack is None else _unmade(case, found)))
    return CaseResult(rows, (*problems, *result.problems))


def _new_stack(case: Case, params: ConvertParams) -> "Stack | None":
    if params.between is None and not is_placed(case):
        return None
    from chaosprep.stages.converting.stacks import new_stack

    return new_stack(case, params)


def _corrected(case: Case, found: Read, params: ConvertParams) -> Read:
    if params.bias == "none":
        return found
    from chaosprep.stages.converting.bias import corrected

    return corrected(case, found, params)


def _unmade(case: Case, found: Read) -> tuple[Problem, ...]:
    from chaosprep.stages.converting.restacking import unmade

    return unmade(case, found)


def rows(case: Case, params: ConvertParams) -> Iterator[Expected]:
    """One for each slice, old or new; its mask is the parent's where the grid stays."""
    stack = _new_stack(case, params)
    for row in case.slices if stack is None else stack.rows:
        image = file_path(row.split, "images", row.id, f".{params.format}")
        carries = {"mask": row.mask, "mask_sha256": row.mask_sha256}
        mask = {} if params.regrids else carries
        told = {"normalization": TOLD if params.normalize else UNSET}
        told |= {"scaling": TOLD} if params.keep_16bit or params.normalize else {}
        told |= {} if params.bias == "none" else {"bias": TOLD}
        parent = row.id if stack is None else row.parent
        yield carried(row, image=image, frame=None, parent=parent, **mask, **told)


def _uses(params: ConvertParams) -> tuple[str, ...]:
    """SimpleITK finds the body and its field."""
    return ("SimpleITK",) if params.normalize or params.bias != "none" else ()


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
    uses=_uses,
    folder="images",
    shaping=(
        *("window", "window_scope", "keep_16bit", "normalize", "landmarks", "format"),
        *("bias", "bias_grid", "bias_distance", "bias_iterations"),
        *("spacing", "size", "fit", "through_plane", "reference"),
    ),
    help="DIR is what split or an extract stage made. Matrix and aspect stay; the masks "
    "are carried over.",
)
