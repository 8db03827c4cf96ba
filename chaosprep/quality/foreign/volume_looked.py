"""A case of volumes that is to be looked at, and what it showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaosprep.errors import FileError, Problem
from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign.volume_codes import volume_problem
from chaosprep.quality.foreign.volume_file import Opened
from chaosprep.series.source import SourceCase

WARNINGS = frozenset(
    (
        *("affine-identity", "affine-missing", "grid-order"),
        *("label-unseen", "mask-empty", "mask-float", "mask-scaled"),
    )
)
"""Codes of what a person should know of, which makes nothing unfit."""


@dataclass(frozen=True)
class Group:
    """The channels of a case, which share its masks; ``side`` is empty where there is one alone.

    ``named`` are the values that a legend gives a name; None where there is none. Fingerprints are
    taken where sides are ``compared``; where nothing is ``measured``, only faults are told.
    """

    cases: tuple[SourceCase, ...]
    side: str
    named: Mapping[int, str] | None
    compared: bool
    measured: bool = True

    @property
    def id(self) -> str:
        """The id of the first channel, which stands for all where masks are meant."""
        return self.cases[0].id


@dataclass(kw_only=True)
class LookedVolumes(Findings):
    """What a case showed by itself.

    ``places`` has for each file whether it says where it lies: `real`, `identity` or `missing`.
    """

    group: str
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)

    def noticed(self, code: str, id: str, file: str | None, reason: str) -> None:
        """Add a problem of a code."""
        found = self.warnings if code in WARNINGS else self.faults
        found.append(volume_problem(code, id, file, reason))

    def erred(self, error: FileError, id: str, file: str | None) -> None:
        """Add what an error says."""
        found = self.warnings if error.code in WARNINGS else self.faults
        found.append(Problem.of(error, id, file))

    def place(self, opened: Opened, id: str, file: str) -> None:
        """Keep what a file says of its place."""
        self.places[file] = opened.place, id
