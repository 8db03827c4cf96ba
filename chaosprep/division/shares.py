"""How near the parts of a division come to having the same of everything."""

from collections import Counter
from collections.abc import Mapping, Sequence

from chaosprep.dataset.descriptor import Share
from chaosprep.division.files.said import shown
from chaosprep.division.kinds import UNKNOWN, kinds_of
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import plural
from chaosprep.layouts.root import Traits


def parts_of_all(sides: Mapping[str, Side]) -> dict[Side, float]:
    """Each part, folds first, and its ideal part of all patients.

    That is as many as it has; folds of which none has two more than another share alike.
    """
    sizes: dict[Side, float] = {**Counter(sides.values())}
    folds = [sizes[side] for side in sizes if side[1] is not None]
    for side in sizes:
        if side[1] is not None and max(folds) - min(folds) <= 1:
            sizes[side] = sum(folds) / len(folds)
    ordered = sorted(sizes, key=lambda side: (side[1] is None, side[1] or 0, side[0]))
    return {side: sizes[side] / len(sides) for side in ordered}


def shares(sides: Sides, traits: Traits) -> tuple[Share, ...]:
    """How many of each kind each part has, beside how many it would have ideally.

    Args:
        sides: of the patients who were divided, without those whose side was settled.
        traits: what was to be alike; without any, there are no shares.
    """
    parts = parts_of_all(sides)
    made: list[Share] = []
    for wish, kinds in kinds_of(traits, sides).items():
        count = Counter(kinds.values())
        there = Counter((kinds[patient], side) for patient, side in sides.items())
        made += [
            Share(
                kind=f"{wish}={kind}",
                part=_name(side),
                patients=there[kind, side],
                ideal=round(count[kind] * part, 4),
            )
            for kind in sorted(count)
            for side, part in parts.items()
        ]
    return tuple(made)


def balance_notes(shares: Sequence[Share], sides: Sides, traits: Traits) -> tuple[str, ...]:
    """What to say of a division: whom nothing tells of, which kinds are rare, how near it comes."""
    parts = len({*sides.values()})
    notes: list[str] = []
    divided: list[str] = []
    for wish, kinds in kinds_of(traits, sides).items():
        count = Counter(kinds.values())
        if len(count) > 1:
            divided += (f"{wish}={kind}" for kind in count)
        unknown = count.pop(UNKNOWN, 0)
        if unknown:
            notes.append(
                f"--stratify {wish}: it is not known for {unknown} of "
                f"{plural(len(kinds), 'patient')}: they count as a kind of their own"
            )
        if len(count) == 1 and ".." in next(iter(count)):
            notes.append(f"--stratify {wish}: too few patients for bins of it: it is not balanced")
        elif len(count) == 1 and not unknown:
            notes.append(f"--stratify {wish}: all patients have the same: {next(iter(count))}")
        rare = [f"{kind} ({n})" for kind, n in sorted(count.items()) if n < parts]
        if rare:
            where = f"in each of {parts} parts"
            notes.append(f"--stratify {wish}: too rare to be {where}: {shown(rare)}")
    told = [one for one in shares if one.kind in divided]
    if told:
        notes.append(_how_near(max(told, key=_apart)))
    return tuple(notes)


def _apart(share: Share) -> float:
    return abs(share.patients - share.ideal)


def _how_near(worst: Share) -> str:
    if not _apart(worst):
        return "balanced: each part has its share of every kind"
    return (
        f"balanced: each part is within {_apart(worst):.2g} patients of its share of every kind; "
        f"furthest is {worst.part}: {worst.patients} of {worst.kind}, ideally {worst.ideal:.4g}"
    )


def _name(side: Side) -> str:
    """`val`, or `fold 2`."""
    return side[0] if side[1] is None else f"fold {side[1]}"
