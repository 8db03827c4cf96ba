"""Which cases of the two sides are compared: those of one id, and what is missing or too much."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from chaosprep.dataset.records import Split
from chaosprep.errors import NothingFoundError, Problem, UsageError, plural
from chaosprep.layouts.mask_set import MaskCase, MaskSet
from chaosprep.printable import printable
from chaosprep.words import there_are

_CHANNEL = re.compile(r"_\d{4}$")


def wanted_cases(
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
            f"PRED has {some(prediction.members)}; REF {some(m.id for m in asked)}",
            _how_to_match(prediction, [member.id for member in asked], reference),
            code="nothing",
        )
    covered = {(member.split, member.sequence) for member in common}
    wanted = [m for m in asked if split is not None or (m.split, m.sequence) in covered]
    if len(wanted) == len(asked):
        return wanted, ()
    left = [" ".join(filter(None, (m.split, m.sequence))) for m in asked if m not in wanted]
    return wanted, (_left_aside("REF", left, "PRED"),)


def _how_to_match(prediction: MaskSet, asked: list[str], reference: MaskSet) -> str:
    rule = "Cases are matched by case id, set or file name"
    if not asked or not prediction.members:
        return f"{rule}."
    if not prediction.is_volumes:
        return f"{rule}: name what is predicted as REF does."
    if not reference.is_volumes or max(len(asked), len(prediction.members)) > 1:
        return f"{rule}: call the files of PRED as REF's cases, such as {printable(asked[0])}."
    return f"{rule}: call PRED's file {printable(asked[0])}, or give the two files themselves."


def called_by_source(prediction: MaskSet, reference: MaskSet) -> tuple[MaskSet, tuple[str, ...]]:
    """The prediction with cases called as the files that they were predicted on, and a note on it.

    Only where no case has its own name on both sides, and for those that the reference has, each
    once; nnU-Net's number of the channel is no part of a name.
    """
    if prediction.members.keys() & reference.members.keys():
        return prediction, ()
    new: dict[str, str] = {}
    for id, stem in prediction.sources.items():
        called = (name for name in (stem, _CHANNEL.sub("", stem)) if name in reference.members)
        if id in prediction.members and (name := next(called, None)) is not None:
            new[id] = name
    times = Counter(new.values())
    new = {id: name for id, name in new.items() if times[name] == 1}
    if not new:
        return prediction, ()
    members = {
        new.get(id, id): replace(one, id=new.get(id, id)) for id, one in prediction.members.items()
    }
    said = f"matched by the files that they were predicted on: {plural(len(new), 'case')}"
    return replace(prediction, members=members), (said,)


def is_of(problem: Problem, wanted: list[MaskCase]) -> bool:
    """Whether a problem is of a case or patient that was asked for."""
    patients = {member.patient for member in wanted}
    return problem.id in {member.id for member in wanted} or (
        problem.id.partition("_")[0] in patients
    )


def missing(member: MaskCase) -> Problem:
    """A case that the prediction lacks."""
    return Problem(
        code="case-missing",
        id=member.id,
        reason="the prediction lacks this case",
        remedy="Predict it, or choose with --patient or --split.",
    )


def surplus_cases(prediction: MaskSet, reference: MaskSet) -> tuple[list[Problem], tuple[str, ...]]:
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


def _left_aside(side: str, left: Sequence[str], other: str) -> str:
    """A note on cases, each with the split or series that the other side has nothing of."""
    cases = plural(len(left), "case")
    return f"{cases} of {side} left out: {other} has nothing of {', '.join(sorted(set(left)))}"


def some(names: Iterable[str]) -> str:
    """A few of the names, and their number where there are more."""
    found = list(names)
    return ", ".join(found[:3]) + (f", ... ({len(found)})" if len(found) > 3 else "") or "nothing"
