"""What the checks of single cases find, before it is put together."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import Problem
from chaosprep.quality.alike.fingerprints import Fingerprint, fingerprint, pixels_sha256
from chaosprep.quality.outliers.values import CaseValues
from chaosprep.quality.persons import Told

_SLICE = re.compile(r"(?:_s|/)\d+(?:_a\d+)?\Z")


@dataclass(frozen=True)
class Seen:
    """What one slice on a side of the split showed: enough to find leakage across cases.

    ``digest`` is the hash of its values, ``picture`` its fingerprint, (128, 128) uint8, where it
    was asked for and there is one. The ``patient`` is empty where nobody knows it.
    """

    id: str
    patient: str
    side: str
    file: str | None
    digest: str | None
    picture: Fingerprint | None = field(default=None, repr=False, compare=False)

    @property
    def case(self) -> str:
        """The id of its case: that of the slice without its number."""
        return _SLICE.sub("", self.id)

    @classmethod
    def of(
        cls, image: NDArray[Any] | None, place: tuple[str, str, str, str], *, with_picture: bool
    ) -> "Seen":
        """What an image (rows, cols) shows, with its id, patient, side and file.

        One that is constant, or could not be read, shows nothing: it tells nobody apart.
        """
        if image is None or image.min() == image.max():
            return cls(*place, None)
        return cls(*place, pixels_sha256(image), fingerprint(image) if with_picture else None)


@dataclass
class Findings:
    """What the check of one case found; ``named``: mask value and name, in how many rows.

    ``values`` are what outliers are found by, ``notes`` what could not be judged, and ``cases``
    how many were looked at (of a folder of pictures, its sides).
    """

    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    named: Counter[tuple[int, str]] = field(default_factory=Counter)
    values: list[CaseValues] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cases: int = 0

    @classmethod
    def of(cls, cases: Iterable["Findings"], failed: Iterable[Problem]) -> "Findings":
        """What the checks of all cases found; a case that could not be checked is a fault."""
        total = cls(faults=list(failed))
        for found in cases:
            total.add(found)
        return total

    def add(self, found: "Findings") -> None:
        """Take over what another check found."""
        self.faults += found.faults
        self.warnings += found.warnings
        self.seen += found.seen
        self.files += found.files
        self.told += found.told
        self.named += found.named
        self.values += found.values
        self.notes += found.notes
        self.cases += found.cases
