"""Sides and folds that have the same of everything that is asked for."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from chaosprep.dataset.descriptor import Share
from chaosprep.division.growth import grow
from chaosprep.division.kinds import UNKNOWN, Kinds, kinds_of
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import UsageError, plural
from chaosprep.layouts.root import Traits

_SHOWN = 3  # kinds in a message
_LEAST = 2  # folds


def balance(patients: Sequence[str], known: Sides, traits: Traits, params: SplitParams) -> Sides:
    """Where everybody is: those known where they were, the others so that the parts are alike.

    Each part (a side, or a fold) has as many patients as `assign` gives it, or `grow` where some
    are known. A kind's ideal is its patients times the part of all patients that is there; folds
    that differ by one patient at most have an ideal in common. Patients are dealt out, the rarest
    kind first, each to the part that lacks most; then they are exchanged until neither two of them,
    nor several in a circle of parts, can be exchanged to lessen the sum of the squared deviations.

    With one wish, where nobody is known or named for a side, the sum is then the least there is,
    and each part has less than one patient more or fewer of each kind than is ideal. With several
    wishes exchanges find no more than a local optimum, for which no bound is known.

    It takes patients x parts steps, then (cells in a part)^2 for each pair of parts and round of
    exchanges, where a cell is all patients of equal kinds. The seed decides between equals only.

    Raises:
        UsageError: `stratify-few`, of a wish fewer than two kinds can be in every part, or
            a label can not; and what `assign` and `grow` raise.
    """
    base = grow(patients, known, params) if known else assign(patients, params)
    kinds = kinds_of(traits, base)
    _check_possible(kinds, base)
    named = {*params.val_patient, *params.test_patient}
    free = [one for one in base if one not in known and one not in named]
    return base | _dealt(base, free, kinds, params.seed) if kinds and free else base


def shares(sides: Sides, traits: Traits, params: SplitParams) -> tuple[Share, ...]:
    """How many of each kind each part has, beside how many it would have ideally."""
    of_part = _parts_of_all(sides)
    made = []
    for wish, kinds in kinds_of(traits, sides).items():
        count = Counter(kinds.values())
        there = Counter((kinds[patient], side) for patient, side in sides.items())
        for kind in sorted(count):
            for side, part in of_part.items():
                ideal = round(count[kind] * part, 4)
                share = Share(
                    kind=f"{wish}={kind}",
                    part=part_name(side),
                    patients=there[kind, side],
                    ideal=ideal,
                )
                made.append(share)
    return tuple(made)


def said(shares: Sequence[Share], sides: Sides, traits: Traits) -> tuple[str, ...]:
    """What to say of a division: how near it comes, whom nothing tells of, and what is rare."""
    parts = len({*sides.values()})
    notes = []
    for wish, kinds in kinds_of(traits, sides).items():
        count = Counter(kinds.values())
        if count[UNKNOWN]:
            notes.append(
                f"--stratify {wish}: nothing tells it of {plural(count[UNKNOWN], 'patient')} of "
                f"{len(kinds)}, who are a kind of their own"
            )
        rare = [f"{kind} ({n})" for kind, n in sorted(count.items()) if 0 < n < parts]
        rare = [one for one in rare if not one.startswith(f"{UNKNOWN} (")]
        if rare:
            shown = f"{', '.join(rare[:_SHOWN])}{', ...' if rare[_SHOWN:] else ''}"
            notes.append(
                f"--stratify {wish}: too few patients to be in each of {parts} parts: {shown}"
            )
    if shares:
        worst = max(shares, key=lambda one: abs(one.patients - one.ideal))
        notes.append(
            f"balanced: no part is further than {abs(worst.patients - worst.ideal):.2g} patients "
            f"from its share of a kind ({worst.part} has {worst.patients} of {worst.kind}, ideal: "
            f"{worst.ideal:.4g})"
        )
    return tuple(notes)


def part_name(side: Side) -> str:
    """`val`, or `fold 2`."""
    return side[0] if side[1] is None else f"fold {side[1]}"


def _parts_of_all(sides: Sides) -> dict[Side, float]:
    """Each part, and its ideal part of all patients; folds as good as equal have the same."""
    sizes = Counter(sides.values())
    folds = {side: size for side, size in sizes.items() if side[1] is not None}
    if folds and max(folds.values()) - min(folds.values()) <= 1:
        sizes_of: Mapping[Side, float] = sizes | dict.fromkeys(
            folds, sum(folds.values()) / len(folds)
        )
    else:
        sizes_of = sizes
    ordered = sorted(sizes, key=lambda side: (side[1] is None, side[1] or 0, side[0]))
    return {side: sizes_of[side] / len(sides) for side in ordered}


def _dealt(base: Sides, free: Sequence[str], kinds: Kinds, seed: int) -> Sides:
    """The sides of those who are free, as many on each as there are."""
    import numpy as np

    from chaosprep.division.exchanges import Deal, deal_out, exchange

    of_part = _parts_of_all(base)
    parts = list(of_part)
    number: dict[tuple[str, str], int] = {}
    for wish, told in kinds.items():
        for kind in sorted({*told.values()}):
            number[wish, kind] = len(number)
    rows = {one: tuple(number[wish, told[one]] for wish, told in kinds.items()) for one in base}
    count = Counter(kind for row in rows.values() for kind in row)
    cells = {row: at for at, row in enumerate(sorted({rows[one] for one in free}))}
    there = np.zeros((len(number), len(parts)), np.int64)
    for one in base.keys() - set(free):
        there[list(rows[one]), parts.index(base[one])] += 1
    ideal = np.outer([count[at] for at in range(len(number))], [of_part[part] for part in parts])
    dealt = np.zeros((len(cells), len(parts)), np.int64)
    deal = Deal(np.array([*cells], np.int64), ideal, there, dealt)
    order = sorted(free, key=lambda one: (sorted(count[kind] for kind in rows[one]), _rank(seed, one)))
    room = Counter(base[one] for one in free)
    deal_out(deal, [cells[rows[one]] for one in order], [room[part] for part in parts])
    exchange(deal)
    found: Sides = {}
    left = {row: [parts[at] for at in np.repeat(np.arange(len(parts)), dealt[cell])]
            for row, cell in cells.items()}
    for one in sorted(free, key=lambda one: _rank(seed, one)):
        found[one] = left[rows[one]].pop()
    return found


def _rank(seed: int, patient: str) -> tuple[bytes, str]:
    text = f"chaosprep.balance.1\n{seed}\n{patient}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), patient


def _check_possible(kinds: Kinds, sides: Sides) -> None:
    """Refuse a wish of which the parts can have nothing alike."""
    parts = {*sides.values()}
    for wish, told in kinds.items():
        count = Counter(told.values())
        del count[UNKNOWN]
        if wish.startswith("label:"):
            few = {"yes": count["yes"]} if 0 < count["yes"] < len(parts) else {}
        else:
            few = {kind: n for kind, n in count.items() if n < len(parts)}
            few = few if few and len(count) - len(few) < 2 else {}
        if few:
            raise _too_few(wish, few, parts)


def _too_few(wish: str, few: Mapping[str, int], parts: set[Side]) -> UsageError:
    kind, most = max(few.items(), key=lambda one: (one[1], one[0]))
    folds = sum(fold is not None for _, fold in parts)
    what = f"{folds} folds" if folds else f"{len(parts)} sides"
    if folds and folds < len(parts):
        what += " and a test side"
    fewer = most - (len(parts) - folds)
    way = f"Use --folds {fewer}" if folds and fewer >= _LEAST else "Join kinds in a table of your own"
    return UsageError(
        f"--stratify {wish}: {plural(most, 'patient')} of {kind} cannot be in each of {what}; at "
        f"best {most} of them {'has' if most == 1 else 'have'} one",
        f"{way}, or leave that out.",
        code="stratify-few",
    )
