"""`evaluate`: predicted masks against a reference, case by case."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from chaosprep.dataset.executors import WorkerDied, map_unordered, open_executor
from chaosprep.dataset.records import Split
from chaosprep.dataset.runner import OnError
from chaosprep.errors import (
    ChaosprepError,
    NothingFoundError,
    Problem,
    ProblemsError,
    UsageError,
)
from chaosprep.evaluation.compare import Per, Task, compare
from chaosprep.evaluation.results import Evaluation, OrganResult, spread, summarize
from chaosprep.evaluation.sides import Member, Organs, Side
from chaosprep.evaluation.sources import open_prediction, open_reference
from chaosprep.evaluation.surface import Spacing

_REMEDY = "Settle them, or leave these cases out with --on-error skip."


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
    on_case: Callable[[str], None] | None = None,
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
        on_case: called with a case's id when it is done.

    Raises:
        UsageError: an unknown patient or organ, organs that differ, a needless spacing.
        NothingFoundError: a side is not understood, or the two have no case in common.
        ProblemsError: cases have problems, and they are not to be skipped.
    """
    reference = open_reference(Path(ref))
    prediction = open_prediction(Path(pred), reference)
    if spacing is not None and reference.in_mm:
        raise UsageError(
            "the reference knows the size of its voxels",
            "Leave out --spacing: it is for folders of pictures.",
            code="spacing",
        )
    wanted, notes = _wanted(prediction, reference, tuple(patients), split)
    chosen = _organs(prediction, reference, wanted, tuple(organs))
    problems = [*reference.problems, *prediction.problems]
    problems += _unmatched(prediction, reference, wanted)
    broken = {problem.id for problem in prediction.problems}
    tasks = [
        Task(prediction.members[member.id], member, chosen, spacing, per)
        for member in wanted
        if member.id in prediction.members and member.id not in broken
    ]
    results, more = _run(tasks, jobs, on_case)
    problems = sorted([*problems, *more], key=lambda problem: (problem.id, problem.file or ""))
    if problems and (on_error == "stop" or not results):
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        left = "" if results else ", and no case is left"
        raise ProblemsError(f"evaluate: {count}{left}", _REMEDY, tuple(problems))
    return Evaluation(
        pred=prediction.kind,
        ref=reference.kind,
        per=per,
        cases=len({row.case for row in results}),
        score=spread([row.score for row in results]).mean,
        results=results,
        summaries=summarize(results),
        skipped=tuple(problems),
        notes=(*notes, *_notes(results)),
    )


def _organs(prediction: Side, reference: Side, wanted: list[Member], asked: Organs) -> Organs:
    """The organs to compare, in the reference's order: of the cases that are on both sides."""
    ids = [member.id for member in wanted if member.id in prediction.members]
    pred, ref = _shown(prediction, ids), _shown(reference, ids)
    both = f"PRED shows {', '.join(pred)}; REF {', '.join(ref)}"
    lacking = [organ for organ in asked if organ not in pred or organ not in ref]
    if lacking:
        raise UsageError(f"{lacking[0]} is not on both sides: {both}", code="organ")
    if not asked and set(pred) != set(ref):
        raise UsageError(
            f"the two sides show different organs: {both}", "Choose with --organ.", code="organ"
        )
    return tuple(organ for organ in ref if not asked or organ in asked)


def _shown(side: Side, ids: list[str]) -> Organs:
    found = {organ for id in ids for organ in side.members[id].organs}
    return tuple(organ for organ in side.organs if organ in found)


def _wanted(
    prediction: Side, reference: Side, patients: tuple[str, ...], split: Split | None
) -> tuple[list[Member], tuple[str, ...]]:
    """The cases of the reference that must be predicted, and a note on those left aside.

    Where no split is asked for: those of the splits and series that the prediction is of.
    """
    members = [reference.members[id] for id in sorted(reference.members)]
    unknown = sorted(set(patients) - {member.patient for member in members})
    if unknown:
        raise UsageError(f"{unknown[0]}: the reference has no such patient", code="patient")
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
    left = sorted({" ".join(filter(None, (m.split, m.sequence))) for m in asked if m not in wanted})
    count = len(asked) - len(wanted)
    what = f"{count} case{'s' if count > 1 else ''} of REF left aside: PRED has nothing of"
    return wanted, (f"{what} {', '.join(left)}",)


def _unmatched(prediction: Side, reference: Side, wanted: list[Member]) -> Iterator[Problem]:
    for member in wanted:
        if member.id not in prediction.members:
            yield Problem(
                code="case-missing",
                id=member.id,
                reason="the prediction lacks this case",
                remedy="Predict it, or choose with --patient or --split.",
            )
    for id in sorted(prediction.members.keys() - reference.members.keys()):
        yield Problem(
            code="case-surplus",
            id=id,
            reason="the reference has no such case",
            remedy="Move its prediction away.",
        )


def _run(
    tasks: list[Task], jobs: int, on_case: Callable[[str], None] | None
) -> tuple[tuple[OrganResult, ...], list[Problem]]:
    """The rows of every task in the order of the tasks, and the problems."""
    made: dict[int, tuple[OrganResult, ...]] = {}
    problems: list[Problem] = []
    numbered = iter(enumerate(tasks))
    with closing(map_unordered(lambda: open_executor(jobs, len(tasks)), _try, numbered)) as results:
        for (index, task), result in results:
            if isinstance(result, WorkerDied):
                error = ChaosprepError(
                    "its worker process died, twice",
                    "Try --jobs 1, or more memory.",
                    "worker-died",
                )
                problems.append(Problem.of(error, task.ref.id))
            elif isinstance(result, ChaosprepError):
                problems.append(Problem.of(result, task.ref.id))
            else:
                made[index] = result
            if on_case is not None:
                on_case(task.ref.id)
    return tuple(row for index in sorted(made) for row in made[index]), problems


def _try(numbered: tuple[int, Task]) -> tuple[OrganResult, ...] | ChaosprepError:
    try:
        return compare(numbered[1])
    except ChaosprepError as error:
        return error


def _notes(results: Sequence[OrganResult]) -> Iterator[str]:
    if any(row.pred_ml is None for row in results):
        yield "distances and scores need the size of the voxels: --spacing SLICE,ROW,COL in mm"
    lost = [r for r in results if r.pred_ml is not None and r.assd is None]
    if lost:
        named = _some(f"{row.case} {row.organ}" for row in lost)
        yield f"one mask has no border, so no distances, and they score 0: {named}"


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:3]) + (f", ... ({len(found)})" if len(found) > 3 else "") or "nothing"
