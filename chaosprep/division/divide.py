"""Who goes where: a data set's own sides first, then what is known, then all others."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaosprep.dataset.descriptor import Share
from chaosprep.division.balance import balance
from chaosprep.division.growth import grow, grown
from chaosprep.division.known import known_sides
from chaosprep.division.official import official_sides
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.division.shares import said, shares
from chaosprep.division.sides import Sides
from chaosprep.layouts.root import Root
from chaosprep.series.source import SourceCase


@dataclass(frozen=True)
class Divided:
    """Where every patient is, what is to be said of it, and how near it comes to the ideal."""

    sides: Sides
    notes: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()


def divide(root: Root, cases: Sequence[SourceCase], params: SplitParams) -> Divided:
    """The side and the fold of every patient of these cases.

    Official sides and folds, and those of a test set, stay; so do those of an earlier split.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """
    settled = official_sides(cases, params)
    known, notes = known_sides(root, cases, settled, params)
    free = sorted({case.patient for case in cases} - settled.keys() - known.keys())
    if params.split_file and known:
        sides = known
    elif params.stratify:
        sides = balance(free, known, root.traits, params)
    elif known:
        sides = grow(free, known, params)
    else:
        sides = assign(free, params)
    if known:
        notes += grown(known, sides, params)
    parts = shares(sides, root.traits)
    notes += said(parts, sides, root.traits)
    return Divided(settled | sides, notes, parts)
