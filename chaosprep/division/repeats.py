"""Repeated folds: the same patients divided several times, each time otherwise."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from chaosprep.division.growth import check_fold
from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides
from chaosprep.errors import UsageError

Folds = dict[str, tuple[int, ...]]
"""Patient id -> its fold of each time, numbered on: of 5 folds, 5 to 9 are those of the second."""

Divider = Callable[[Sides, SplitParams], Sides]
"""Gives everybody a side and a fold, those who are known theirs."""


@dataclass(frozen=True)
class Repeated:
    """The time whose fold validates: who was known, how it was divided, and what came of it.

    ``first`` is the number of its first fold, ``folds`` are those of all times.
    """

    known: Sides
    params: SplitParams
    sides: Sides
    first: int
    folds: Folds

    def numbered(self) -> Sides:
        """The sides with the folds as they are numbered over all times."""
        return {
            patient: (side, None if fold is None else fold + self.first)
            for patient, (side, fold) in self.sides.items()
        }


def repeat(
    divide: Divider,
    known: Sides,
    told: Mapping[str, tuple[int, ...]],
    params: SplitParams,
    folds: int | None = None,
) -> Repeated:
    """Divide the patients `--repeats` times into `--folds`, all but the test set.

    The first time is as without `--repeats`; each other has a seed of its own, and its folds are
    made in the same way. Without these options, it is as often as the earlier split was.

    Args:
        divide: makes folds, numbered from 0.
        known: the sides of an earlier split, if any.
        told: the folds of each time of those whom an earlier split tells so.
        params: how often.
        folds: how many each time; as few as there can be where it is not known.

    Raises:
        UsageError: `like-conflict`, there were other folds; `fold-unknown`; what ``divide`` raises.
    """
    times = params.repeats or max(map(len, told.values()), default=1)
    folds = _count(told, folds)
    chosen = _chosen(known, params)
    check_fold(chosen, times * folds)
    tested: Sides = {patient: side for patient, side in known.items() if side[0] == "test"}
    unrepeated: Sides = {patient: side for patient, side in known.items() if not told.get(patient)}
    wish = msgspec.structs.replace(params, repeats=None, folds=folds, fold=chosen % folds)
    made: list[tuple[Sides, SplitParams, Sides]] = []
    for time in range(times):
        here: Sides = {
            patient: ("val" if own[time] % folds == wish.fold else "train", own[time] % folds)
            for patient, own in told.items()
            if len(own) > time
        }
        here |= tested if time else unrepeated
        made.append((here, wish, divide(here, wish)))
        tests = tuple(sorted(one for one, (side, _) in made[0][2].items() if side == "test"))
        seed = seed_of(params.seed, time + 1)
        wish = msgspec.structs.replace(wish, test=0.0, test_patient=tests, seed=seed)
    numbered: Folds = {
        patient: tuple(
            time * folds + fold
            for time, (_, _, sides) in enumerate(made)
            if (fold := sides[patient][1]) is not None
        )
        for patient in made[0][2]
    }
    here, wish, sides = made[chosen // folds]
    return Repeated(here, wish, sides, chosen - chosen % folds, numbered)


def seed_of(seed: int, time: int) -> int:
    """The seed of a time that patients are divided; that of the first, 0, is the seed itself."""
    if not time:
        return seed
    text = f"chaosprep.split.repeat.1\n{seed}\n{time}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def fewest(told: Iterable[tuple[int, ...]]) -> int:
    """As few folds as each time can have, by patients' folds of each time; 0 where nobody is."""
    pairs = ((time, fold) for own in told for time, fold in enumerate(own))
    return max((fold // (time + 1) + 1 for time, fold in pairs), default=0)


def _count(told: Mapping[str, tuple[int, ...]], folds: int | None) -> int:
    """How many folds each time has; where it is not known, the fewest that there can be."""
    folds = folds or fewest(told.values())
    pairs = (pair for own in told.values() for pair in enumerate(own))
    if any(not time * folds <= fold < (time + 1) * folds for time, fold in pairs):
        raise UsageError(
            f"--folds {folds}: the earlier split has other folds",
            "Leave --folds out, or --like, to divide all patients again.",
            code="like-conflict",
        )
    return folds


def _chosen(known: Sides, params: SplitParams) -> int:
    """The fold that validates, numbered on: `--fold`, else the one that did."""
    if params.fold is not None:
        return params.fold
    did = {fold for side, fold in known.values() if side == "val" and fold is not None}
    return min(did, default=0)
