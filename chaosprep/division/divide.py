"""Who goes where: a data set's own sides first, then what is known, then all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from chaosprep.dataset.descriptor import Share
from chaosprep.division.balance import balance
from chaosprep.division.growth import check_fold, grow, grown
from chaosprep.division.known import asked_otherwise, earlier_split
from chaosprep.division.official import official_sides
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.division.repeats import Folds, repeat
from chaosprep.division.shares import balance_notes, shares
from chaosprep.division.sides import Sides
from chaosprep.layouts.root import Root
from chaosprep.series.source import SourceCase


@dataclass(frozen=True)
class Divided:
    """Where every patient is, what is to be said of it, and how near it comes to the ideal.

    ``folds`` are those of each time, numbered on, where the patients are divided several times.
    """

    sides: Sides
    notes: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()
    folds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def divide(root: Root, cases: Sequence[SourceCase], params: SplitParams) -> Divided:
    """The side and the fold of every patient of these cases.

    Official sides and folds, and those of a test set, stay; so do those of an earlier split.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """
    settled = official_sides(cases, params)
    earlier = earlier_split(root, cases, settled, params)
    everybody = {case.patient for case in cases} - settled.keys()
    known = {patient: side for patient, side in earlier.sides.items() if patient in everybody}

    def divided(known: Sides, params: SplitParams) -> Sides:
        return _divided(sorted(everybody - known.keys()), known, root, params)

    told = {patient: own for patient, own in earlier.folds.items() if patient in known}
    count = params.folds or (earlier.each_time if known else None)
    notes = earlier.notes
    folds: Folds = {}
    if told or params.repeats is not None:
        made = repeat(divided, known, told, params, count)
        placed = grown(made.known, made.sides, made.params)
        sides, folds = made.numbered(), made.folds
    else:
        if count is not None:
            check_fold(params.fold, count)
            params = msgspec.structs.replace(params, folds=count)
        sides = divided(known, params)
        placed = grown(known, sides, params)
    if params.like and known:
        notes += (*asked_otherwise(earlier.asked, params), *placed)
    parts = shares(sides, root.traits)
    notes += balance_notes(parts, sides, root.traits)
    return Divided(settled | sides, notes, parts, folds)


def _divided(free: Sequence[str], known: Sides, root: Root, params: SplitParams) -> Sides:
    if params.split_file and known:
        return known
    if params.stratify:
        return balance(free, known, root.traits, params)
    return grow(free, known, params) if known else assign(free, params)
