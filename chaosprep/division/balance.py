"""Sides and folds that have the same of everything that is asked for."""

from collections import Counter
from collections.abc import Sequence

from chaosprep.division.growth import grow
from chaosprep.division.kinds import UNKNOWN, Kinds, kinds_of
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign, ranked
from chaosprep.division.shares import parts_of_all
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import UsageError, plural
from chaosprep.layouts.root import Traits

_FEWEST = 2  # folds; and kinds of which there can be something alike


def balance(patients: Sequence[str], known: Sides, traits: Traits, params: SplitParams) -> Sides:
    """Where everybody is: those known where they were, the others so that the parts are alike.

    A part (a side, or a fold) has as many patients as `assign` gives it, or `grow` where some are
    known. Ideally it has of each kind the part that it has of all patients, and folds have equally
    many. The patients are dealt out, the rarest kind first, each to the part that wants one most;
    then they are exchanged until no exchange of two, nor of several in a circle of parts, makes the
    sum of the squared deviations less.

    With one wish, and nobody known or named for a side, this is the least sum that there is of
    those that keep the bound: each part has less than one patient more or fewer of each kind than
    the ideal. With several wishes it is one that no exchange makes better, and no bound is known.

    That takes patients x parts steps, then for every pair of parts and round of exchanges (cells
    that are in both), where a cell is all patients of the same kinds. The seed decides between
    equals only.

    Raises:
        UsageError: `stratify-few`, a label, or all kinds but one, are in fewer patients than there
            are parts; and what `assign` and `grow` raise.
    """
    base = grow(patients, known, params) if known else assign(patients, params)
    named = {*params.val_patient, *params.test_patient}
    free = [one for one in ranked(patients, params.seed) if one not in known and one not in named]
    kinds = kinds_of(traits, base)
    _check_possible(kinds, base)
    return base | dealt(base, free, kinds) if kinds and free else base


def dealt(base: Sides, free: Sequence[str], kinds: Kinds) -> Sides:
    """The sides of those who are free, in the order of their rank; as many on each as there are."""
    import numpy as np

    from chaosprep.division.exchanges import Deal, deal_out, exchange

    parts = parts_of_all(base)
    places = {part: at for at, part in enumerate(parts)}
    every = sorted({(wish, kind) for wish, told in kinds.items() for kind in told.values()})
    number = {one: at for at, one in enumerate(every)}
    row = {one: tuple(number[wish, told[one]] for wish, told in kinds.items()) for one in base}
    count = Counter(kind for one in base for kind in row[one])
    cells = {kept: at for at, kept in enumerate(sorted({row[one] for one in free}))}
    there = np.zeros((len(every), len(parts)), np.int64)
    for one in base.keys() - set(free):
        there[list(row[one]), places[base[one]]] += 1
    deal = Deal(
        kinds=np.array([*cells], np.int64),
        ideal=np.outer([count[at] for at in range(len(every))], [*parts.values()]),
        there=there,
        dealt=np.zeros((len(cells), len(parts)), np.int64),
    )
    rarest = sorted(free, key=lambda one: sorted(count[kind] for kind in row[one]))
    room = Counter(base[one] for one in free)
    deal_out(deal, [cells[row[one]] for one in rarest], [room[part] for part in parts])
    exchange(deal)
    left = {
        kept: [part for part, at in places.items() for _ in range(deal.dealt[cell, at])]
        for kept, cell in cells.items()
    }
    return {one: left[row[one]].pop() for one in free}


def _check_possible(kinds: Kinds, sides: Sides) -> None:
    """Refuse a wish of which the parts can have nothing alike."""
    parts = {*sides.values()}
    for wish, told in kinds.items():
        count = Counter(told.values())
        del count[UNKNOWN]
        few = {kind: n for kind, n in count.items() if n < len(parts)}
        if wish.startswith("label:"):
            if "yes" in few:
                raise _too_few(wish, f"{plural(few['yes'], 'patient')} with it", few["yes"], parts)
        elif few and len(count) - len(few) < _FEWEST:
            most = max(few.values())
            what = f"{len(few)} of its {plural(len(count), 'kind')}, of {plural(most, 'patient')}"
            raise _too_few(wish, f"{what} at most,", most, parts)


def _too_few(wish: str, what: str, patients: int, parts: set[Side]) -> UsageError:
    folds = sum(fold is not None for _, fold in parts)
    sides = len(parts) - folds
    where = f"{folds} folds{' and a test side' * bool(sides)}" if folds else f"{sides} sides"
    fewer = patients - sides
    way = f"Use --folds {fewer}" if folds and fewer >= _FEWEST else "Join kinds in a table"
    return UsageError(
        f"--stratify {wish}: {what} cannot be in each of {where}; at best {patients} of these "
        f"{'has' if patients == 1 else 'have'} one",
        f"{way}, or leave that wish out.",
        code="stratify-few",
    )
