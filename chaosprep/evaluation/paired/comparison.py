"""`evaluate A B REF`: two predictions of the same cases against one reference."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from chaosprep.dataset.records import Split
from chaosprep.errors import (
    NothingFoundError,
    Problem,
    ProblemsError,
    UsageError,
    called,
    plural,
)
from chaosprep.evaluation.asked import Neighbours, Nsd, Tolerance
from chaosprep.evaluation.calling import check_call
from chaosprep.evaluation.compare import Per
from chaosprep.evaluation.evaluate import WHOSE, evaluate
from chaosprep.evaluation.matching import some
from chaosprep.evaluation.paired.differences import Difference, Pairs, differences
from chaosprep.evaluation.results import Evaluation, shown
from chaosprep.evaluation.surface import Spacing
from chaosprep.html import shown_by
from chaosprep.running.mapping import OnCase, ignore
from chaosprep.running.options import OnError

_SLICE = re.compile(r"_s\d+$")  # behind a case's id in a slice's


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two predictions, each as `evaluate` has it, and how they differ in the cases of both."""

    per: str
    cases: int
    patients: int
    differences: tuple[Difference, ...]
    a: Evaluation
    b: Evaluation
    skipped: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    _repr_html_ = shown_by("chaosprep.evaluation.paired.tables", "as_html")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        cases, patients = plural(self.cases, self.per), plural(self.patients, "patient")
        tests = plural(len(self.differences), "test")
        return f"evaluate: {cases}, {patients}, {tests}, {len(self.skipped)} skipped"


@called(patient="patients", organ="organs")
def compare_predictions(
    a: str | Path,
    b: str | Path,
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
) -> Comparison:
    """Tell whether prediction `a` differs from `b` by more than chance; see docs/evaluation.md.

    Each metric of each organ has its mean difference `a` - `b` over patients, a 95 % interval and
    a p-value. The other arguments are those of `evaluate`.

    Args:
        a: the one prediction.
        b: the other.
        ref: the reference of both.
        patients: only these.
        split: only this side of the reference.
        organs: only these.
        spacing: mm between slices, rows, cols of pictures.
        per: measure cases in 3-D, or each slice on its own; a patient's are averaged.
        tolerance: of the surface Dice, mm.
        nsd: what the surface Dice counts.
        lesions: match the components of every organ.
        lesion_iou: matched are those whose IoU is above it.
        lesion_neighbours: 26 or 6.
        jobs: worker processes.
        on_error: `stop`, or `skip` the cases with problems and those that one side alone has,
            which `Comparison.skipped` lists.
        on_case: called for each case of each prediction that is done.

    Raises:
        UsageError: what `evaluate` raises.
        NothingFoundError: a side is not understood, or no case is in common.
        ProblemsError: cases have problems or are on one side only, and are not to be skipped.
    """
    check_call(patients, organs, split, per, spacing, on_error)

    def found(side: str, pred: str | Path) -> Evaluation:
        return _told(
            side,
            lambda: evaluate(
                pred,
                ref,
                patients=patients,
                split=split,
                organs=organs,
                spacing=spacing,
                per=per,
                tolerance=tolerance,
                nsd=nsd,
                lesions=lesions,
                lesion_iou=lesion_iou,
                lesion_neighbours=lesion_neighbours,
                jobs=jobs,
                on_error="skip",
                on_case=on_case,
            ),
        )

    both = found("A", a), found("B", b)
    _check_organs(*both)
    pairs = pairs_of(*both)
    problems = [*_problems(*both), *_alone(*both)]
    if problems and (on_error == "stop" or not pairs):
        left = "" if pairs else ", and no case is left"
        raise ProblemsError(
            f"evaluate: {plural(len(problems), 'problem')}{left}",
            "Resolve them, or leave these cases out with --on-error skip.",
            tuple(problems),
        )
    rows = [row for pair in pairs for row in pair]
    metrics = [name for name, one in shown(rows).items() if one.heading]
    tests, lost = differences(pairs, metrics)
    return Comparison(
        per=per,
        cases=len({row.case for row in rows}),
        patients=len({row.patient for row in rows}),
        differences=tests,
        a=both[0],
        b=both[1],
        skipped=tuple(problems),
        notes=(
            *_notes(*both),
            *(
                f"{', '.join(names)} of {organ} not compared where a side has none: {some(cases)}"
                for organ, names, cases in lost
            ),
        ),
    )


def _told(side: str, work: Callable[[], Evaluation]) -> Evaluation:
    """What `evaluate` gives; where it is about its prediction, an error says which one."""
    try:
        return work()
    except ProblemsError as error:
        problems = tuple(_of(side, problem) for problem in error.problems)
        raise ProblemsError(f"{side}: {error.reason}", error.remedy, problems) from error
    except (UsageError, NothingFoundError) as error:
        if error.code not in ("organ", "nothing"):
            raise
        raise type(error)(f"{side}: {error.reason}", error.remedy, error.code) from error


def _of(side: str, problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, reason=f"{side}: {problem.reason}")


def pairs_of(a: Evaluation, b: Evaluation) -> Pairs:
    """The rows of the same organ of the same case."""
    others = {(row.case, row.organ): row for row in b.results}
    found = ((row, others.get((row.case, row.organ))) for row in a.results)
    return [(row, other) for row, other in found if other is not None]


def _check_organs(a: Evaluation, b: Evaluation) -> None:
    """Refuse two sides with no organ in common: REF's one structure was taken for that of each."""
    shown = [list(dict.fromkeys(row.organ for row in one.results)) for one in (a, b)]
    if not {*shown[0]} & {*shown[1]}:
        raise UsageError(
            f"A shows {some(shown[0])}, B {some(shown[1])}, and nothing says what REF shows",
            "Say what REF's values stand for, in a file labels.json next to its masks, and give "
            "A's and B's the same names.",
            code="organ",
        )


def _problems(a: Evaluation, b: Evaluation) -> Iterator[Problem]:
    """The problems of both; one of the reference is one of both, and stands once."""
    for problem in a.skipped:
        yield problem if problem in b.skipped else _of("A", problem)
    yield from (_of("B", problem) for problem in b.skipped if problem not in a.skipped)


def _alone(a: Evaluation, b: Evaluation) -> Iterator[Problem]:
    """Cases that one side has and the other has not, nor a problem of them."""
    for side, other, here, there in (("A", "B", a, b), ("B", "A", b, a)):
        known = {(row.case, row.organ) for row in there.results}
        bad = {problem.id for problem in there.skipped}
        rows = [row for row in here.results if (row.case, row.organ) not in known]
        for case, patient in dict.fromkeys((row.case, row.patient) for row in rows):
            whole = _SLICE.sub("", case) if here.per == "slice" else case
            if not {case, whole, patient} & bad:  # a case of no known patient is one itself
                yield Problem(
                    code="case-missing",
                    id=case,
                    reason=f"{side} has this case, but {other} does not",
                    remedy="Predict it, or choose with --patient or --split.",
                )


def _notes(a: Evaluation, b: Evaluation) -> Iterator[str]:
    """The notes on both; what is said of both, or of the reference, stands once."""
    if WHOSE in (*a.notes, *b.notes):
        yield WHOSE
    yield from (note if note in b.notes else f"A: {note}" for note in a.notes if note != WHOSE)
    yield from (f"B: {note}" for note in b.notes if note not in (*a.notes, WHOSE))
