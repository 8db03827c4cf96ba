"""Random tables of patients and their kinds, and how far a division is from the ideal."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Side
from chaosprep.params import make_params

Kinds = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Table:
    """Patients with their kinds, wish -> patient -> kind, and into how many folds they go."""

    kinds: Kinds
    folds: int

    @property
    def patients(self) -> list[str]:
        """The patients, sorted."""
        return sorted(next(iter(self.kinds.values())))

    def rows(self) -> list[str]:
        """All kinds of each patient as one."""
        return ["/".join(told[one] for told in self.kinds.values()) for one in self.patients]


def tables(count: int, seed: int, wishes: Sequence[int] = (1, 2, 3)) -> Iterator[Table]:
    """So many tables of 5 to 200 patients, with one to six kinds that may be very unequal."""
    draw = random.Random(seed)
    for _ in range(count):
        patients = [f"P{number:03}" for number in range(draw.randint(5, 200))]
        kinds = {}
        for wish in range(draw.choice(wishes)):
            weights = [draw.random() ** draw.choice([1, 4]) for _ in range(draw.randint(1, 6))]
            drawn = draw.choices(range(len(weights)), weights, k=len(patients))
            kinds[f"wish {wish}"] = {
                one: f"kind {kind}" for one, kind in zip(patients, drawn, strict=True)
            }
        yield Table(kinds, draw.randint(2, min(10, len(patients))))


def params(**fields: Any) -> SplitParams:
    """Parameters of split."""
    return make_params(SplitParams, fields)


def by_part(sides: Mapping[str, Side]) -> list[set[str]]:
    """The patients of each part."""
    return [
        {one for one in sides if sides[one] == part} for part in sorted({*sides.values()}, key=str)
    ]


def worst(parts: Sequence[set[str]], kinds: Kinds, shares: Sequence[float]) -> float:
    """How many patients of a kind the part that is furthest has more or fewer than is ideal."""
    found = 0.0
    for told in kinds.values():
        for kind, count in Counter(told.values()).items():
            for part, share in zip(parts, shares, strict=True):
                found = max(found, abs(sum(told[one] == kind for one in part) - count * share))
    return found
