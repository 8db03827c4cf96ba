"""What `inspect` gives: cases as they were found, and what masks name."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from chaosprep.errors import Problem, UsageError, plural
from chaosprep.facts import Code
from chaosprep.html import shown_by
from chaosprep.quality.outliers.judging import Outlier
from chaosprep.quality.outliers.values import CaseValues
from chaosprep.words import there_are


class Owned(Protocol):
    """What is a patient's."""

    @property
    def patient(self) -> str:
        """The patient's id."""


T = TypeVar("T", bound=Owned)


def of_patients(found: Sequence[T], patients: Collection[str]) -> tuple[T, ...]:
    """What is of some patients; of all where none is named.

    Raises:
        UsageError: `patient`, nothing is of one of them.
    """
    known = {one.patient for one in found}
    unknown = sorted({*patients} - known)
    if unknown:
        reason = f"no patient is called {', '.join(unknown)}"
        raise UsageError(reason, there_are(sorted(known), unknown), code="patient")
    return tuple(one for one in found if not patients or one.patient in patients)


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One case as it was found.

    `modality` is the headers', empty where they do not say it. `matrices` are rows x cols,
    `spacing` (slice, row, col) in mm, `values` the smallest and the largest stored value (of a
    Modality LUT, where there is one) that is not padding. `measured` is what outliers are found by.
    """

    id: str
    patient: str
    sequence: str
    pool: str
    images: int
    masks: int | None
    slices: int
    matrices: tuple[str, ...]
    spacing: tuple[float | None, float, float] | None
    bits_stored: tuple[int, ...]
    modality: str = ""
    transfer_syntaxes: tuple[str, ...] = ()
    values: tuple[float, float] | None = None
    echo_time: float | None
    levels: dict[int, int]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]
    measured: CaseValues | None = None


class Named(msgspec.Struct, frozen=True):
    """A structure of the label map: its value, name and code, and how many cases name it."""

    value: int
    name: str
    code: Code | None
    cases: int


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """Everything below a root.

    `notes` are what nothing there could tell, `labels` the structures that masks name, ascending;
    `outliers` what makes a case stand out of the others, the farthest first.
    """

    root: Path
    cases: tuple[CaseView, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    labels: tuple[Named, ...] = ()
    outliers: tuple[Outlier, ...] = ()
    _repr_html_ = shown_by("chaosprep.quality.shown", "inspection")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        slices = sum(case.slices for case in self.cases)
        return (
            f"inspect: {plural(len(self.patients), 'patient')}, {plural(len(self.cases), 'case')}, "
            f"{plural(slices, 'slice')}, {plural(len(self.problems), 'problem')}"
        )

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))
