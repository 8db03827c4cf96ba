"""What `convert --normalize` learns: the scale of each sequence, of the training side alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import Learned
from chaosprep.errors import ChaosprepError
from chaosprep.running.learning import Learning
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.reading import read_case

if TYPE_CHECKING:
    from chaosprep.imaging.intensity.normalization import Scale, ScaleLearning

Seen: TypeAlias = "tuple[str, Scale | None]"
"""A case's sequence, and its landmarks; None where its body is of one value."""


def _due(params: ConvertParams) -> bool:
    return params.landmarks is None and _learning(params) is not None


def _learning(params: ConvertParams) -> "ScaleLearning | None":
    if params.normalize is None:
        return None
    from chaosprep.imaging.intensity.normalizations import NORMALIZATIONS

    return NORMALIZATIONS[params.normalize].learning


def _trains(case: Case) -> bool:
    return case.split == "train"


def _see(case: Case, params: ConvertParams) -> Seen:
    """The landmarks of one case.

    Raises:
        ChaosprepError: a slice cannot be read, or `body_values` refuses them.
    """
    from chaosprep.stages.converting.bias import corrected
    from chaosprep.stages.converting.bodies import body_values

    learning = _learning(params)
    assert learning is not None, "it is due"
    found = corrected(case, read_case(case, params), params)
    for problem in found.problems:  # it is told where the case is converted
        raise ChaosprepError(problem.reason, problem.remedy, problem.code)
    body = body_values(found.rows, [found.pixels[row.id] for row in found.rows])
    return found.rows[0].sequence, learning.see(body) if body.size else None


def _conclude(seen: Sequence[Seen], params: ConvertParams) -> Learned:
    learning = _learning(params)
    assert learning is not None, "it is due"
    cases: defaultdict[str, list[Scale]] = defaultdict(list)
    for sequence, scale in seen:
        if scale is not None:
            cases[sequence].append(scale)
    scales = {sequence: list(learning.conclude(some)) for sequence, some in cases.items()}
    return {"landmarks": dict(sorted(scales.items()))}


def _is_sound(learned: Learned) -> bool:
    from chaosprep.stages.converting.landmarks import is_sound

    return is_sound(learned)


def _give(case: Case, learned: Learned) -> Case:
    return replace(case, planned=case.planned | {"learned": learned})


LANDMARKS: Learning[Case, ConvertParams] = Learning(
    due=_due, takes=_trains, see=_see, conclude=_conclude, give=_give, sound=_is_sound
)


def notes(cases: Sequence[Case], params: ConvertParams) -> list[str]:
    """What is lost of CT, and for which fold landmarks are learned."""
    notes = list[str]()
    if params.normalize is None:
        return notes
    first = {case.slices[0].sequence: case for case in reversed(cases)}
    if of_ct := sorted(name for name, case in first.items() if _is_ct(name, case)):
        listed = ", ".join(of_ct)
        notes.append(f"{listed}: --normalize takes away the Hounsfield units that all CT shares")
    if _due(params) and any(case.slices[0].fold is not None for case in filter(_trains, cases)):
        notes.append(
            "landmarks are learned for the fold that validates here: split again with --fold for "
            "each other one"
        )
    return notes


def _is_ct(sequence: str, case: Case) -> bool:
    return (case.modality() or sequence).upper() == "CT"
