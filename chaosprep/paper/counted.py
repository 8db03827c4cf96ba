"""A dataset in numbers, by its rows: who is where, which series, sizes and structures."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import names_in
from chaosprep.dataset.records import SPLITS, Split

Range = tuple[float, float]


@dataclass
class Side:
    """One side of the split: its patients, cases, original slices and augmented copies."""

    patients: set[str] = field(default_factory=set)
    cases: int = 0
    slices: int = 0
    copies: int = 0


@dataclass
class Counted:
    """What the rows of a dataset come to.

    ``sequences`` are cases by sequence, ``sizes`` slices by rows x cols, ``structures`` cases by
    the structures that their masks show; ``spacings`` are the smallest and the largest, between
    slices, rows and columns, in mm. ``folds`` are patients by fold, ``masked`` slices with a mask.
    """

    sides: dict[Split, Side] = field(default_factory=dict)
    sequences: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    structures: Counter[str] = field(default_factory=Counter)
    named: set[str] = field(default_factory=set)
    spacings: list[Range | None] = field(default_factory=lambda: [None, None, None])
    folds: dict[int, set[str]] = field(default_factory=dict)
    masked: int = 0
    warned: int = 0
    cases: int = 0

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return len(set[str]().union(*(side.patients for side in self.sides.values())))

    @property
    def slices(self) -> int:
        """How many original slices there are."""
        return sum(side.slices for side in self.sides.values())

    @property
    def copies(self) -> int:
        """How many augmented copies there are."""
        return sum(side.copies for side in self.sides.values())


@lru_cache(maxsize=1)
def counted(dataset: Dataset) -> Counted:
    """Count a dataset case by case; once for all that is said of it."""
    found = Counted(sides={split: Side() for split in SPLITS})
    for case in dataset.cases:
        side = found.sides[case.split]
        side.patients.add(case.patient)
        side.cases += 1
        found.cases += 1
        found.sequences[case.slices[0].sequence] += 1
        found.named |= names_in(case.slices)
        shown: set[str] = set()
        for row in case.slices:
            if row.copy:
                side.copies += 1
                continue
            side.slices += 1
            found.sizes[f"{row.rows}x{row.cols}"] += 1
            found.masked += row.mask is not None
            found.warned += bool(row.warnings)
            shown |= {name for name, pixels in row.pixels.items() if pixels}
            for axis, length in enumerate(row.spacing or ()):
                if length is not None:
                    low, high = found.spacings[axis] or (length, length)
                    found.spacings[axis] = min(low, length), max(high, length)
            if row.fold is not None:
                found.folds.setdefault(row.fold, set()).add(row.patient)
        found.structures.update(shown)
    found.sides = {split: side for split, side in found.sides.items() if side.cases}
    return found
