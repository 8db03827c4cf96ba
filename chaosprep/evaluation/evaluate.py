"""`evaluate`: predicted masks against a reference, case by case."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from chaosprep.dataset.records import Split
from chaosprep.errors import NothingFoundError, Problem, ProblemsError, UsageError, called, plural
from chaosprep.evaluation.compare import Per, Task, compare
from chaosprep.evaluation.names import called_alike, spellings
from chaosprep.evaluation.results import Evaluation, OrganResult, spread, summarize
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import MaskCase, MaskSet, Organs
from chaosprep.layouts.table import find_masks
from chaosprep.running.mapping import OnCase, ignore, map_cases
from chaosprep.running.options import OnError
from chaosprep.words import there_are


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
        jobs: worker processes.
        on_error: `stop`, or `skip` the cases with problems, which `Evaluation.skipped` lists.
        on_case: called for each case that is done.

    Raises:
        UsageError: an unknown patient or organ, organs that differ, a needless spacing.
        NothingFoundError: a side is not understood, or the two have no case in common.
        ProblemsError: cases have problems, and they are not to be skipped.
    """
    reference = find_masks(Path(ref))
    asked = _asked(reference, organs)
    prediction = find_masks(Path(pred), reference, asked)
    if spacing is not None and reference.in_mm:
        raise UsageError(
            "the reference knows the size of its voxels",
            "Leave out --spacing: it is for folders of pictures.",
            code="spacing",
        )
    prediction, reference = called_alike(prediction, reference)
    wanted, notes = _wanted(prediction, reference, tuple(patients), split)
    chosen, absent = _organs(prediction, reference, wanted, asked)
    notes = (*notes, *absent)
    narrowed = bool(patients) or split is not None
    problems = [*reference.problems, *prediction.problems]
    problems += [_missing(member) for member in wanted if member.id not in prediction.members]
    surplus, aside = _surplus(prediction, reference)
    problems += surplus
    if narrowed:
        problems = [problem for problem in problems if _is_of(problem, wanted)]
    else:
        notes = (*notes, *aside)
    broken = {problem.id for problem in prediction.problems}
    tasks = [
        Task(prediction.members[member.id], member, chosen, spacing, per)
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
            "Settle them, or leave these cases out with --on-error skip.",
            tuple(problems),
        )
    return Evaluation(
        pred=prediction.kind,
        ref=reference.kind,
        per=per,
        cases=len({row.case for row in results}),
        score=spread([row.score for row in results]).mean,
        results=results,
        summaries=summarize(results),
        skipped=tuple(problems),
        notes=(*notes, *_not_everywhere(chosen, tasks), *_notes(results)),
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
            f"{lacking[0]} is not on both sides: {both}", "Choose with --organ.", code="organ"
        )
    if not asked and not {*pred, *ref} <= known:
        raise UsageError(
            f"the two sides show different organs: {both}", "Choose with --organ.", code="organ"
        )
    absent = [organ for organ in reference.organs if organ in known - set(ref) and not asked]
    notes = (f"no case of REF shows {', '.join(absent)}: not measured",) if absent else ()
    return tuple(organ for organ in ref if not asked or organ in asked), notes


def _shown(side: MaskSet, ids: list[str]) -> Organs:
    found = {organ for id in ids for organ in side.members[id].organs}
    return tuple(organ for organ in side.organs if organ in found)


def _wanted(
    prediction: MaskSet, reference: MaskSet, patients: tuple[str, ...], split: Split | None
) -> tuple[list[MaskCase], tuple[str, ...]]:
    """The cases of the reference that must be predicted, and a note on those left aside.

    Where no split is asked for: those of the splits and series that the prediction is of.
    """
    members = [reference.members[id] for id in sorted(reference.members)]
    unknown = sorted(set(patients) - {member.patient for member in members})
    if unknown:
        raise UsageError(
            f"{unknown[0]}: the reference has no such patient",
            there_are(sorted({member.patient for member in members}), unknown),
            code="patient",
        )
    asked = [m for m in members if not patients or m.patient in patients]
    if split is not None:
        asked = [member for member in asked if member.split == split]
    common = [member for member in asked if member.id in prediction.members]
    if not common:
        raise NothingFoundError(
            "no case is on both sides: "
            f"PRED has {_some(prediction.members)}; REF {_some(m.id for m in asked)}",
            "Cases are matched by case id, set or file name.",
            code="nothing",
        )
    covered = {(member.split, member.sequence) for member in common}
    wanted = [m for m in asked if split is not None or (m.split, m.sequence) in covered]
    if len(wanted) == len(asked):
        return wanted, ()
    left = [" ".join(filter(None, (m.split, m.sequence))) for m in asked if m not in wanted]
    return wanted, (_left_aside("REF", left, "PRED"),)


def _is_of(problem: Problem, wanted: list[MaskCase]) -> bool:
    """Whether a problem is of a case or patient that was asked for."""
    patients = {member.patient for member in wanted}
    return problem.id in {member.id for member in wanted} or (
        problem.id.partition("_")[0] in patients
    )


def _missing(member: MaskCase) -> Problem:
    return Problem(
        code="case-missing",
        id=member.id,
        reason="the prediction lacks this case",
        remedy="Predict it, or choose with --patient or --split.",
    )


def _surplus(prediction: MaskSet, reference: MaskSet) -> tuple[list[Problem], tuple[str, ...]]:
    """The predicted cases that the reference lacks, and a note on those of series it never has."""
    known = {member.sequence for member in reference.members.values()}
    lacking = sorted(prediction.members.keys() - reference.members.keys())
    series = [prediction.members[id].sequence for id in lacking]
    others = [one for one in series if one and one not in known and known != {None}]
    problems = [
        Problem(
            code="case-surplus",
            id=id,
            reason="the reference has no such case",
            remedy="Move its prediction away.",
        )
        for id, one in zip(lacking, series, strict=True)
        if one not in others
    ]
    return problems, (_left_aside("PRED", others, "REF"),) if others else ()


def _not_everywhere(organs: Organs, tasks: Sequence[Task]) -> Iterator[str]:
    """A note on organs that some cases of the reference do not name, as they may lack them."""
    lacking = {organ: sum(organ not in task.ref.organs for task in tasks) for organ in organs}
    for count in sorted({count for count in lacking.values() if count}):
        named = ", ".join(organ for organ in organs if lacking[organ] == count)
        cases = f"{count} of {plural(len(tasks), 'case')}"
        yield f"not measured in {cases}, as REF does not name it there: {named}"


def _left_aside(side: str, left: Sequence[str], other: str) -> str:
    """A note on cases, each with the split or series that the other side has nothing of."""
    cases = plural(len(left), "case")
    return f"{cases} of {side} left aside: {other} has nothing of {', '.join(sorted(set(left)))}"


def _notes(results: Sequence[OrganResult]) -> Iterator[str]:
    shown = {row.organ for row in results if row.ref_voxels}
    if empty := [organ for organ in dict.fromkeys(r.organ for r in results) if organ not in shown]:
        yield f"no mask of REF has a pixel of {', '.join(empty)}: 1 is where PRED has none either"
    if any(row.pred_ml is None for row in results):
        yield "distances and scores need the size of the voxels: --spacing SLICE,ROW,COL in mm"
    lost = [r for r in results if r.pred_ml is not None and r.assd is None]
    if lost:
        named = _some(f"{row.case} {row.organ}" for row in lost)
        yield f"one mask has no border, so no distances, and they score 0: {named}"


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:3]) + (f", ... ({len(found)})" if len(found) > 3 else "") or "nothing"
