"""extract-liver: grey levels become a binary organ mask, or a label map of all organs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.choices.leaving import chosen
from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.records import File, Slice
from chaosprep.errors import FileError, Problem, about, plural
from chaosprep.formats.pictures import MaskImage
from chaosprep.formats.stage_masks import read_stage_mask
from chaosprep.imaging.levels import (
    check_levels,
    describe_levels,
    is_interpolated,
    label_areas,
    label_map,
    level_histogram,
    level_table,
    mask_levels,
    relabel,
    rim,
    select,
)
from chaosprep.known import LEVELS, owner
from chaosprep.running.fitting import Expected, carried
from chaosprep.running.stage import CaseResult, Planned, Source, Stage, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.named_organs import has_levels, open_masks, selection
from chaosprep.stages.organ_choice import ExtractLiverParams
from chaosprep.stages.selected import noting_absence, selected_rows, write_selected


def plan(source: Dataset, cases: Sequence[Case], params: ExtractLiverParams) -> Planned[Case]:
    """Where masks name their structures, and none of the dataset shows the organ, say so."""
    if not (cases and cases[0].labels):
        return Planned(lambda case: case)
    found = selection(cases[0].labels, params)
    return Planned(noting_absence(open_dataset(cases[0].directory).cases, found))


def run_case(case: Case, params: ExtractLiverParams, writer: Writer) -> CaseResult:
    """Extract one case's masks; the images are carried over."""
    if case.labels:
        found = selection(case.labels, params)
        return write_selected(case, found, writer, drop_empty=params.drop_empty)
    result = each_slice(case.slices, partial(_extracted, case, params, writer))
    if result.problems and result.slices and _has_masks_of_others(case, params):
        left = _left_out(case, len(result.slices), result.problems[0].remedy)
        return CaseResult((), (*result.problems, left))
    agreed = CaseResult(_named_alike(result.slices), result.problems)
    return _say_if_absent(case, params, agreed)


def extract(mask: MaskImage, params: ExtractLiverParams) -> tuple[NDArray[np.uint8], list[str]]:
    """Turn a mask of grey levels into what is asked for.

    Returns:
        The new mask, (rows, cols) uint8, and notes on what was odd.

    Raises:
        FileError: a grey level of no organ, or an organ that a 1-bit mask cannot show.
    """
    if mask.binary:
        return _from_binary(mask.pixels, params), []
    notes = [mask.note] if mask.note else []
    _check_widened(mask.pixels, params)
    labels = relabel(mask.pixels, _table(params), mask.part)
    if labels is not None:
        return labels, notes
    try:
        histogram = level_histogram(mask.pixels)
        check_levels(histogram, params.known(), owner(params.levels), mask.pixels)
    except FileError as error:
        if not params.lenient_masks or _is_of_others(mask.pixels, params):
            raise
        if params.range is None or is_interpolated(mask.pixels, params.known()):
            notes.append(f"mask: {error.reason}; taken as background")
    return _chosen(mask.pixels, params), notes


def _check_widened(pixels: NDArray[np.integer], params: ExtractLiverParams) -> None:
    """Refuse labels that a range would call an organ whose levels they are not.

    What interpolation made between two levels may be taken.
    """
    own = params.widened()
    if own is None:
        return
    low, high = params.range or (own.low, own.high)
    taken = {
        value: count
        for value, count in level_histogram(pixels).items()
        if value and low <= value <= high and not own.low <= value <= own.high
    }
    levels = mask_levels(pixels) if taken else None
    solid = {value for value, one in (levels or {}).items() if one.solid}
    strange = {one: n for one, n in taken.items() if one not in rim(levels or {}, solid)}
    if strange:
        raise FileError(
            f"levels that are not named {own.name}, but --range takes: {describe_levels(strange)}",
            f"Leave --range out, or keep it within {own.low} to {own.high}; to say what labels "
            "stand for, use chaosprep split --labels.",
            "mask-levels",
        )


def _is_of_others(pixels: NDArray[np.integer], params: ExtractLiverParams) -> bool:
    """Whether a mask has labels of its own, some of which only look like levels of an organ."""
    if not params.names_organs:
        return False
    solid = {value for value, one in (mask_levels(pixels) or {}).items() if one.solid}
    table = LEVELS[params.levels].organs
    known = {value for value in solid for one in table if one.low <= value <= one.high}
    return solid != known and not known <= LEVELS[params.levels].exact


def _has_masks_of_others(case: Case, params: ExtractLiverParams) -> bool:
    """Whether any mask of a case is a label map of others: then its other masks are too."""
    for row in case.slices:
        with suppress(FileError):
            if row.mask_file is not None and _is_of_others(
                _read(case, row.mask_file, params).pixels, params
            ):
                return True
    return False


def _left_out(case: Case, slices: int, remedy: str) -> Problem:
    """The problem of masks that look sound beside label maps of others, with what helps these."""
    return Problem(
        code="mask-levels",
        id=case.id,
        reason=f"{plural(slices, 'other mask')} of the case cannot be trusted either: their levels "
        "may stand for something else",
        remedy=remedy,
    )


def _chosen(pixels: NDArray[np.integer], params: ExtractLiverParams) -> NDArray[np.uint8]:
    if params.all_organs:
        return label_map(pixels, params.wanted())
    (organ,) = params.wanted()
    return select(pixels, organ.low, organ.high).view(np.uint8) * np.uint8(params.mask_value)


@cache
def _table(params: ExtractLiverParams) -> bytes:
    return level_table(_chosen(np.arange(256, dtype=np.uint8), params), params.known())


def _from_binary(pixels: NDArray[np.integer], params: ExtractLiverParams) -> NDArray[np.uint8]:
    """A 1-bit mask shows one organ and nothing else."""
    shown = LEVELS[params.levels].binary
    wanted = [organ.name for organ in params.wanted()]
    if shown.name not in wanted:
        raise FileError(
            f"a 1-bit mask shows the {shown.name}, not the {wanted[0]}",
            f"Use --organ {shown.name}, without --range.",
            code="organ-unknown",
        )
    value = shown.label if params.all_organs else params.mask_value
    return np.where(pixels != 0, np.uint8(value), np.uint8(0))


def _extracted(case: Case, params: ExtractLiverParams, writer: Writer, row: Slice) -> Slice | None:
    file = row.mask_file
    if file is None:
        writer.carry(case, row.image_file)
        return msgspec.structs.replace(row, parent=row.id)
    data = case.read(file)
    with about(file.path):
        mask = read_stage_mask(file.path, data, lenient=params.lenient_masks)
        labels, notes = extract(mask, params)
    names = _names(params, binary=mask.binary)
    pixels = label_areas(labels, names)
    if params.drop_empty and not any(pixels.values()):
        return None
    row = row.with_mask(writer.mask(row.split, row.id, labels), labels=names, pixels=pixels)
    writer.carry(case, row.image_file)
    return msgspec.structs.replace(row, parent=row.id, warnings=(*row.warnings, *notes))


def _names(params: ExtractLiverParams, *, binary: bool) -> dict[int, str]:
    """Mask value -> organ: what the mask can show, also where it does not."""
    if not params.all_organs:
        (organ,) = (LEVELS[params.levels].binary,) if binary else params.wanted()
        return {params.mask_value: organ.name}
    organs = (LEVELS[params.levels].binary,) if binary else params.wanted()
    return {organ.label: organ.name for organ in organs}


def _named_alike(rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """The rows of a case with the same labels, should some of its masks only be of 1 bit."""
    names = max((row.labels for row in rows if row.mask), key=len, default={})
    none = dict.fromkeys(names.values(), 0)
    return tuple(
        msgspec.structs.replace(row, labels=names, pixels=none | row.pixels)
        if row.mask and row.labels != names
        else row
        for row in rows
    )


def _say_if_absent(case: Case, params: ExtractLiverParams, result: CaseResult) -> CaseResult:
    """A case without a single pixel of the organ is suspicious: wrong levels, wrong masks.

    A warning on each slice; where all were dropped, a problem, or the case would just be gone.
    """
    if any(any(row.pixels.values()) for row in result.slices):
        return result
    masked = [row for row in case.slices if row.mask is not None]
    if not masked or (result.problems and not result.slices):
        return result
    wanted = " or ".join(f"{organ.name} ({organ.low}-{organ.high})" for organ in params.wanted())
    shown = sorted({organ for row in masked for organ, n in row.pixels.items() if n})
    note = (
        f"no mask of the case shows {wanted}; "
        f"by {owner(params.levels).name}'s grey levels they show {', '.join(shown) or 'nothing'}"
    )
    if not result.slices:
        remedy = "Check the grey levels, or leave the case out with --on-error skip."
        gone = Problem(code="organ-absent", id=case.id, reason=note, remedy=remedy)
        return CaseResult((), (gone,))
    slices = tuple(
        msgspec.structs.replace(row, warnings=(*row.warnings, note)) for row in result.slices
    )
    return CaseResult(slices, result.problems)


def rows(case: Case, params: ExtractLiverParams) -> Iterator[Expected]:
    """One for each slice with the parent's image, but for those that are to be dropped."""
    if case.labels:
        found = selection(case.labels, params)
        yield from selected_rows(case, found, drop_empty=params.drop_empty)
        return
    for row in case.slices:
        if not (params.drop_empty and _is_empty(case, params, row)):
            yield carried(row, image=row.image, image_sha256=row.image_sha256)


def _is_empty(case: Case, params: ExtractLiverParams, row: Slice) -> bool:
    if row.mask_file is None:
        return False
    return not extract(_read(case, row.mask_file, params), params)[0].any()


def _read(case: Case, file: File, params: ExtractLiverParams) -> MaskImage:
    return read_stage_mask(file.path, case.read(file), lenient=params.lenient_masks)


def labels(source: Source[Case], params: ExtractLiverParams) -> LabelMap | None:
    """The label map of what is written; of grey levels, each case tells what it can show."""
    told = source.label_map
    return selection(told, params).labels if told else None


EXTRACT_LIVER = Stage(
    name="extract-liver",
    version=1,
    params=ExtractLiverParams,
    run_case=run_case,
    plan=plan,
    open=open_masks,
    choose=chosen,
    rows=rows,
    labels=labels,
    needs=("split",),
    libraries=("cv2",),
    folder="liver",
    takes=has_levels,
    help="DIR is what split made. CHAOS paints liver 63 (55-70), right kidney 126 (110-135), left "
    "kidney 189 (175-200) and spleen 252 (240-255). Levels that belong to no organ are an error, "
    "not background.",
)
