"""New patients beside those of an earlier split: nobody moves."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heapreplace

from chaosprep.dataset.records import Split
from chaosprep.division.files.said import shown
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import check_folds, check_named, ranked, untrained
from chaosprep.division.sides import Side, Sides, part_of
from chaosprep.errors import UsageError, plural
from chaosprep.params import differing


def grow(patients: Iterable[str], known: Sides, params: SplitParams) -> Sides:
    """Where everybody is: those known where they were, the others where they are wanted most.

    Of all patients, `--val`, `--test` and `--folds` ask for a number in each part (see `asked`).
    The new ones, in the order of `ranked`, go one by one to the part that lacks most of its number:
    no other placing of them has a smaller worst distance, but for one patient who goes where nobody
    would be. Where the known patients have folds these go on, and the one that validates stays so,
    or is `--fold`.

    Raises:
        UsageError: `like-conflict`, the known patients are divided otherwise than is asked; `split`
            or `fold-unknown`, it cannot be done with these patients.
    """
    folds = _folds(known, params)
    validating = _validating(known, folds, params)
    sides = {patient: _at(side, validating) for patient, side in known.items()}
    new = [patient for patient in ranked(patients, params.seed) if patient not in known]
    _check_named(new, known, params)
    if not new:
        return sides
    named: Sides = dict.fromkeys(params.val_patient, ("val", None))
    named |= dict.fromkeys(params.test_patient, ("test", None))
    sides |= {patient: named[patient] for patient in new if patient in named}
    wanted = asked(sides, len(known) + len(new), folds, params)
    there = Counter(map(part_of, sides.values()))
    lacking = [(there[part] - size, place, part) for place, (part, size) in enumerate(wanted)]
    free = [patient for patient in new if patient not in named]
    if free and not any(side == "train" for side, _ in sides.values()):
        first = min(one for one in lacking if _at(one[2], validating)[0] == "train")
        lacking[first[1]] = (first[0] + 1, *first[1:])
        sides[free.pop(0)] = _at(first[2], validating)
    heapify(lacking)
    for patient in free:
        surplus, place, part = lacking[0]  # the part that lacks most; of equals, the first
        sides[patient] = _at(part, validating)
        heapreplace(lacking, (surplus + 1, place, part))
    if folds is not None and all(fold is None for _, fold in known.values()):
        check_folds(sum(fold is not None for _, fold in sides.values()), folds)
    untrained(sides)
    return sides


def asked(
    sides: Mapping[str, Side], patients: int, folds: int | None, params: SplitParams
) -> list[tuple[Side, float]]:
    """Each part, as `part_of` tells it, and how many of so many patients it is to have.

    Nobody is asked for beside the patients that are named for a part; of a fraction, at least one.
    """
    there = Counter(map(part_of, sides.values()))

    def size(side: Split, fraction: float, named: Collection[str]) -> float:
        if named:
            return there[side, None]
        return max(patients * fraction, 1) if fraction else 0

    test = size("test", params.test, params.test_patient)
    if folds is not None:
        each = (patients - test) / folds
        return [*((("train", fold), each) for fold in range(folds)), (("test", None), test)]
    val = size("val", params.val, params.val_patient)
    return [(("train", None), patients - val - test), (("val", None), val), (("test", None), test)]


def grown(known: Sides, sides: Sides, params: SplitParams) -> tuple[str, ...]:
    """What to say of new patients: where they went, and which parts are not what was asked for."""
    new = Counter(side for patient, (side, _) in sides.items() if patient not in known)
    notes = []
    if new:
        went = ", ".join(f"{count} {side}" for side, count in sorted(new.items()))
        notes.append(f"{plural(new.total(), 'new patient')}: {went}")
    folds = _folds(known, params)
    wanted = asked(sides, len(sides), folds, params)
    there = Counter(map(part_of, sides.values()))
    far = [
        f"{side if fold is None else f'fold {fold}'} has {there[side, fold]} (asked: {size:.4g})"
        for (side, fold), size in wanted
        if abs(there[side, fold] - size) > 1 or (size and not there[side, fold])
    ]
    if far:
        who = plural(len(sides), "patient")
        notes.append(f"of {who}, {shown(far)}: those of the earlier split do not move")
    return tuple(notes)


def check_fold(fold: int | None, folds: int | None) -> None:
    """Refuse a chosen fold that there is not.

    Raises:
        UsageError: `fold-unknown`.
    """
    if fold is not None and fold >= (folds or 0):
        has = f"the folds 0 to {folds - 1}" if folds else "no folds"
        raise UsageError(
            f"--fold {fold}: the earlier split has {has}",
            "Choose one of them." if folds else "Leave --fold out.",
            code="fold-unknown",
        )


def _at(side: Side, validating: frozenset[int]) -> Side:
    """The side of a patient with a fold is told by the fold."""
    fold = side[1]
    return side if fold is None else ("val" if fold in validating else "train", fold)


def _folds(known: Sides, params: SplitParams) -> int | None:
    """How many folds there are to be: as many as are asked for, else as there were."""
    there = {fold for _, fold in known.values() if fold is not None}
    for name in ("val", "val_patient"):
        if there and name in differing(params):
            option = name.replace("_", "-")
            raise _conflict(f"--{option}: the earlier split has folds, which are kept")
    if params.folds is None:
        return max(there) + 1 if there else None
    if there and max(there) >= params.folds:
        raise _conflict(f"--folds {params.folds}: the earlier split has {max(there) + 1} folds")
    if not there and any(side != "test" for side, _ in known.values()):
        raise _conflict("--folds: the earlier split has sides, but no folds")
    return params.folds


def _validating(known: Sides, folds: int | None, params: SplitParams) -> frozenset[int]:
    """The fold that validates: the chosen one, else as it was.

    Where all of the one that did are gone, it is the first in which nobody trains.
    """
    if params.fold is not None:
        check_fold(params.fold, folds)
        return frozenset({params.fold})
    did = frozenset(f for side, f in known.values() if side == "val" and f is not None)
    trains = {fold for side, fold in known.values() if side == "train"}
    return did or frozenset([fold for fold in range(folds or 0) if fold not in trains][:1])


def _check_named(new: Sequence[str], known: Sides, params: SplitParams) -> None:
    """Refuse named patients that are not here, or that were on another side."""
    for side, names in (("val", params.val_patient), ("test", params.test_patient)):
        check_named(names, {*new, *known}, f"{side}-patient")
        moved = [name for name in names if name in known and known[name][0] != side]
        if moved:
            who = shown(moved)
            raise _conflict(f"--{side}-patient: the earlier split has {who} on another side")


def _conflict(reason: str) -> UsageError:
    remedy = "Leave that option out, or --like, to divide all patients again."
    return UsageError(reason, remedy, code="like-conflict")
