"""`evaluate`: predicted masks against a reference, case by case."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from chaosprep.dataset.records import Split
from chaosprep.errors import ProblemsError, UsageError, called, plural
from chaosprep.evaluation.asked import Neighbours, Nsd, Tolerance, asked_for
from chaosprep.evaluation.calling import check_call
from chaosprep.evaluation.compare import Per, Task, compare
from chaosprep.evaluation.laying import notes_on_grids
from chaosprep.evaluation.matching import (
    called_by_source,
    is_of,
    missing,
    some,
    surplus_cases,
    wanted_cases,
)
from chaosprep.evaluation.names import called_after, called_alike, how_to_name, spellings
from chaosprep.evaluation.results import Evaluation, OrganResult, Summary, spread, summarize
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import MaskCase, MaskSet, Organs
from chaosprep.layouts.table import find_masks
from chaosprep.running.mapping import OnCase, ignore, map_cases
from chaosprep.running.options import OnError

WHOSE = (
    "REF does not say which patient a case belongs to: for intervals, each case counts as a "
    "separate patient"
)
"""A note on intervals over cases."""


@called(patient="patients", organ="organs")
def evaluate(
    pred: str | Path,
    ref: str | Path,
    *,
    patients: Sequence[str] = (),
    split: Split | None = None,
    organs: Sequence[str] = (),
    spacing: Spacing | None = None,
    per: Per = "case",
    tolerance: Tolerance | None = None,
    nsd: Nsd = "voxels",
    lesions: bool = False,
    lesion_iou: float = 0.5,
    lesion_neighbours: Neighbours = 26,
    jobs: int = 1,
    on_error: OnError = "stop",
    on_case: OnCase = ignore,
) -> Evaluation:
    """Compare predicted masks with a reference; what both can be is in docs/evaluation.md.

    Args:
        pred: the prediction.
        ref: the reference.
        patients: only these; by default all.
        split: only this side of the reference; by default those that the prediction is of.
        organs: only these; by default all, which must be the same on both sides.
        spacing: mm between slices, rows, cols of pictures, which do not know it.
        per: measure cases in 3-D, or each slice on its own.
        tolerance: of the surface Dice, mm for all organs or by organ; it is measured only then.
        nsd: the surface Dice counts border `voxels`, or the area of surface `elements`.
        lesions: match the components of every organ, one by one.
        lesion_iou: matched are those whose IoU is above it.
        lesion_neighbours: 26 or 6, by which voxels hang together.
        jobs: worker processes.
        on_error: `stop`, or `skip` the cases with problems, which `Evaluation.skipped` lists.
        on_case: called for each case that is done.

    Raises:
        UsageError: an unknown patient or organ, organs that differ, a needless spacing, a tolerance
            of no organ, or a value out of range.
        NothingFoundError: a side is not understood, or the two have no case in common.
        ProblemsError: cases have problems, and they are not to be skipped.
    """
    check_call(patients, organs, split, per, spacing, on_error)
    reference = find_masks(Path(ref))
    asked = _asked(reference, organs)
    prediction = find_masks(Path(pred), reference, asked)
    if spacing is not None and reference.in_mm:
        raise UsageError(
            "the reference gives the size of its voxels",
            "Leave out --spacing: it is for folders of pictures.",
            code="spacing",
        )
    reference, taken = called_after(prediction, reference)
    prediction, reference = called_alike(prediction, reference)
    prediction, matched = called_by_source(prediction, reference)
    wanted, notes = wanted_cases(prediction, reference, tuple(patients), split)
    chosen, absent = _organs(prediction, reference, wanted, _asked(reference, organs))
    notes = (*taken, *matched, *notes, *absent)
    options = asked_for(
        tolerance,
        chosen,
        nsd=nsd,
        lesions=lesions,
        lesion_iou=lesion_iou,
        lesion_neighbours=lesion_neighbours,
    )
    narrowed = bool(patients) or split is not None
    problems = [*reference.problems, *prediction.problems]
    problems += [missing(member) for member in wanted if member.id not in prediction.members]
    surplus, aside = surplus_cases(prediction, reference)
    problems += surplus
    if narrowed:
        problems = [problem for problem in problems if is_of(problem, wanted)]
    else:
        notes = (*notes, *aside)
    broken = {problem.id for problem in (*reference.problems, *prediction.problems)}
    tasks = [
        Task(prediction.members[member.id], member, chosen, spacing, per, options)
        for member in wanted
        if member.id in prediction.members and member.id not in broken
    ]
    rows, more = map_cases(compare, tasks, lambda task: task.ref.id, jobs, on_case)
    results = tuple(row for found in rows for row in found)
    problems = sorted([*problems, *more], key=lambda problem: (problem.id, problem.file or ""))
    if problems and (on_error == "stop" or not results):
        left = "" if results else ", and no case is left"
        raise ProblemsError(
            f"evaluate: {plural(len(problems), 'problem')}{left}",
            "Resolve them, or leave these cases out with --on-error skip.",
            tuple(problems),
        )
    summaries = summarize(results, sliced=per == "slice")
    return Evaluation(
        pred=prediction.kind,
        ref=reference.kind,
        per=per,
        cases=len({row.case for row in results}),
        score=spread([row.score for row in results]).mean,
        results=results,
        summaries=summaries,
        skipped=tuple(problems),
        notes=(
            *notes,
            *notes_on_grids(rows),
            *_not_everywhere(chosen, tasks),
            *_notes(results),
            *_whose(reference, summaries),
        ),
    )


def _asked(reference: MaskSet, organs: Sequence[str]) -> Organs:
    """The organs that were asked for, as the reference spells them."""
    spelling = spellings((*reference.organs, *organs))
    return tuple(dict.fromkeys(spelling[organ] for organ in organs))


def _organs(
    prediction: MaskSet, reference: MaskSet, wanted: list[MaskCase], asked: Organs
) -> tuple[Organs, tuple[str, ...]]:
    """The organs to compare, in the reference's order, and a note on those that it never shows.

    What its masks cannot show in any case that is compared is not measured. An organ that only the
    prediction never shows is: what a side names and does not show is absent there.
    """
    ids = [member.id for member in wanted if member.id in prediction.members]
    pred, ref = _shown(prediction, ids), _shown(reference, ids)
    both = f"PRED shows {', '.join(pred)}; REF {', '.join(ref)}"
    known = set(reference.organs) & set(prediction.organs)
    lacking = [organ for organ in asked if organ not in known or organ not in ref]
    if lacking:
        raise UsageError(
            f"{lacking[0]} is not on both sides: {both}",
            how_to_name(prediction, reference),
            code="organ",
        )
    if not asked and not {*pred, *ref} <= known:
        raise UsageError(
            f"the two sides show different organs: {both}",
            how_to_name(prediction, reference),
            code="organ",
        )
    absent = [organ for organ in reference.organs if organ in known - set(ref) and not asked]
    notes = (f"no case of REF shows {', '.join(absent)}: not measured",) if absent else ()
    return tuple(organ for organ in ref if not asked or organ in asked), notes


def _shown(side: MaskSet, ids: list[str]) -> Organs:
    found = {organ for id in ids for organ in side.members[id].organs}
    return tuple(organ for organ in side.organs if organ in found)


def _not_everywhere(organs: Organs, tasks: Sequence[Task]) -> Iterator[str]:
    """A note on organs that some cases of the reference do not name, as they may lack them."""
    lacking = {organ: sum(organ not in task.ref.organs for task in tasks) for organ in organs}
    for count in sorted({count for count in lacking.values() if count}):
        named = ", ".join(organ for organ in organs if lacking[organ] == count)
        cases = f"{count} of {plural(len(tasks), 'case')}"
        yield f"not measured in {cases}, because REF does not name it there: {named}"


def _notes(results: Sequence[OrganResult]) -> Iterator[str]:
    shown = {row.organ for row in results if row.ref_voxels}
    if empty := [organ for organ in dict.fromkeys(r.organ for r in results) if organ not in shown]:
        yield (
            f"no mask of REF has a pixel of {', '.join(empty)}: the value is 1 where PRED has none "
            "either"
        )
    if any(row.pred_ml is None for row in results):
        scored = any(row.dice_score is not None for row in results)
        what = "distances and scores need" if scored else "distances need"
        yield f"{what} the size of the voxels: --spacing SLICE,ROW,COL in mm"
    lost = [r for r in results if r.pred_ml is not None and r.assd is None]
    if lost:
        named = some(f"{row.case} {row.organ}" for row in lost)
        score = ", and they score 0" if any(row.dice_score is not None for row in lost) else ""
        yield f"one mask has no border, so no distances{score}: {named}"


def _whose(reference: MaskSet, summaries: Sequence[Summary]) -> Iterator[str]:
    """A note where intervals are over cases, for want of something better."""
    spreads = [one for summary in summaries for one in summary.metrics.values()]
    if not reference.in_patients and any(one.interval for one in spreads):
        yield WHOSE
