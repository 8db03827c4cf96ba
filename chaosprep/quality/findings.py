"""What the checks of single cases find, before it is put together."""

from dataclasses import dataclass, field

from chaosprep.dataset.records import Split
from chaosprep.errors import Problem


@dataclass(frozen=True)
class Seen:
    """What one slice showed: enough to find leakage across cases."""

    id: str
    patient: str
    split: Split
    digest: str | None


@dataclass
class Findings:
    """What the check of one case found."""

    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
