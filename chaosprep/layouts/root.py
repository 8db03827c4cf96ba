"""A dataset root seen through a layout: its cases, their origin, and what is wrong with it."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from chaosprep.dataset.descriptor import DataSource, License, PastStage
from chaosprep.errors import FileError, NothingFoundError, Problem
from chaosprep.files import read_regular
from chaosprep.series.source import SourceCase


@dataclass(frozen=True)
class Root:
    """What a layout found below a dataset root.

    ``usual`` are the sequences to take where none is asked for; none there means all.
    """

    directory: Path
    cases: tuple[SourceCase, ...]
    problems: tuple[Problem, ...]
    licenses: tuple[License, ...]
    sources: tuple[DataSource, ...]
    history: tuple[PastStage, ...] = ()
    usual: tuple[str, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    def only(self, sequences: tuple[str, ...] = ()) -> "Root":
        """The same root with only some of its sequences, the usual ones where none is named.

        Raises:
            NothingFoundError: none of them is there.
        """
        sequences = sequences or self.usual
        if not sequences:
            return self
        cases = tuple(case for case in self.cases if case.sequence in sequences)
        problems = tuple(p for p in self.problems if p.id.partition("_")[2] in ("", *sequences))
        if not cases and not problems:
            found = sorted({case.sequence for case in self.cases}) or ["none"]
            raise NothingFoundError(
                f"{self.directory}: no {' or '.join(sequences)} series",
                f"There are: {', '.join(found)}; choose with --sequence.",
                code="nothing",
            )
        return replace(self, cases=cases, problems=problems)


class Origin(msgspec.Struct, frozen=True):
    """Licences and sources, as a Data Package descriptor has them; empty where it has none."""

    licenses: tuple[License, ...] = ()
    sources: tuple[DataSource, ...] = ()


def read_origin(folder: Path) -> Origin | None:
    """What a `datapackage.json` in a folder says of its data; None without a readable one."""
    try:
        return msgspec.json.decode(read_regular(folder / "datapackage.json"), type=Origin)
    except (FileError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
