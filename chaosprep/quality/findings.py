"""What the checks of single cases find, before it is put together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.records import Split
from chaosprep.errors import Problem


@dataclass(frozen=True)
class Seen:
    """What one slice showed: enough to find leakage across cases.

    ``picture`` is its fingerprint, (128, 128) uint8, where it was asked for and there is one.
    """

    id: str
    patient: str
    split: Split
    digest: str | None
    image: str | None = None
    picture: NDArray[Any] | None = field(default=None, repr=False, compare=False)


@dataclass
class Findings:
    """What the check of one case found."""

    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cases: Iterable["Findings"], failed: Iterable[Problem]) -> "Findings":
        """What the checks of all cases found; a case that could not be checked is a fault."""
        total = cls(faults=list(failed))
        for found in cases:
            total.faults += found.faults
            total.warnings += found.warnings
            total.seen += found.seen
            total.files += found.files
        return total
