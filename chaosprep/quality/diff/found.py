"""What `diff` found, as data: A is what was, B what is."""

import msgspec

from chaosprep.errors import plural
from chaosprep.html import shown_by


class Set(msgspec.Struct, frozen=True):
    """Names that only one of the two has, and how many both have."""

    came: tuple[str, ...]
    went: tuple[str, ...]
    both: int

    @classmethod
    def of(cls, a: set[str], b: set[str]) -> "Set":
        """The names of A and B, compared."""
        return cls(tuple(sorted(b - a)), tuple(sorted(a - b)), len(a & b))


class Changed(msgspec.Struct, frozen=True):
    """Something that has a name, and what it was and is, as text."""

    name: str
    a: str
    b: str


class ImageChange(msgspec.Struct, frozen=True):
    """An image whose pixels differ: how many, and the largest difference in modality units.

    Of one that has another size, `pixels` is 0 and `size` says both, as `32x32, 40x40`; an image
    that is not there has the size `nothing`.
    """

    id: str
    pixels: int
    most: float
    size: str = ""


class MaskChange(msgspec.Struct, frozen=True):
    """A mask that differs: a structure's pixels in A, in B and in both.

    `organ` is empty where only one of the two has a mask, which `note` says, or where their sizes
    differ: `size` then says both, as `32x32, 40x40`.
    """

    id: str
    organ: str
    a: int
    b: int
    both: int
    note: str = ""
    size: str = ""


class CaseDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one case that both have.

    `same` counts slices whose files are byte for byte equal or whose pixels and masks are;
    `rewritten` those of them whose files have other bytes; `problems` what `inspect` tells of the
    case on both sides, which keeps slices from being compared.
    """

    id: str
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    images: tuple[ImageChange, ...] = ()
    masks: tuple[MaskChange, ...] = ()
    rows: tuple[Changed, ...] = ()
    same: int = 0
    rewritten: int = 0
    problems: int = 0


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs between two directories.

    `kinds` are what A and B are. `sides` are patients that went from one side or fold to another,
    `labels` mask values that stand for something else, `stages` parameters and versions of stages.
    `owners` are cases that have become another patient's.
    `cases` are those of both in which anything differs; `same` and `rewritten` count slices.
    """

    kinds: tuple[str, str]
    patients: Set
    case_ids: Set
    owners: tuple[Changed, ...]
    sides: tuple[Changed, ...]
    labels: tuple[Changed, ...]
    stages: tuple[Changed, ...]
    left_out: tuple[Changed, ...]
    cases: tuple[CaseDiff, ...]
    same: int
    rewritten: int
    notes: tuple[str, ...] = ()
    _repr_html_ = shown_by("chaosprep.quality.shown", "difference")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        other = f" ({self.rewritten} in other bytes)" if self.rewritten else ""
        return (
            f"diff: {plural(self.case_ids.both, 'case')} in both, {plural(self.same, 'slice')} "
            f"equal{other}, {'different' if self.differs else 'no difference'}"
        )

    @property
    def differs(self) -> bool:
        """Whether anything differs but how files are written."""
        sets = (self.patients, self.case_ids)
        return bool(
            any(one.came or one.went for one in sets)
            or self.owners
            or self.sides
            or self.labels
            or self.stages
            or self.left_out
            or self.cases
        )
