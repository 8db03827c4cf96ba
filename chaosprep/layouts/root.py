"""A dataset root seen through a layout: its cases, their origin, and what is wrong with it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from chaosprep.dataset.descriptor import DataSource, LabelMap, LeftOut, License, PastStage
from chaosprep.errors import ChaosprepError, FileError, NothingFoundError, Problem, UsageError
from chaosprep.files import read_regular
from chaosprep.known import SERIES
from chaosprep.privacy.persons import People
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase
from chaosprep.words import there_are

Traits = Mapping[str, Mapping[str, str | float | None]]
"""Patient id -> what of it is to be balanced -> a kind or a number; None where nothing tells."""


@dataclass(frozen=True)
class Root:
    """What a layout found below a dataset root.

    ``usual`` are the sequences to take where none is asked for; none there means all. ``notes`` say
    what nothing could tell. ``label_map`` is what the masks' values stand for, in every case.
    ``people`` is what identifies in the files of each patient, where the layout read it; None where
    headers are still to be asked. ``key_file`` is the key that made the ids, where nobody gave it.
    ``left_out`` is what a person chose to leave out of it, ``told`` what else to say of that.
    ``traits`` is what the sides are to have
    alike, where that was asked for.
    """

    directory: Path
    cases: tuple[SourceCase, ...]
    problems: tuple[Problem, ...]
    licenses: tuple[License, ...]
    sources: tuple[DataSource, ...]
    history: tuple[PastStage, ...] = ()
    usual: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    label_map: LabelMap = field(default_factory=dict)
    people: People | None = None
    key_file: Path | None = None
    left_out: tuple[LeftOut, ...] = ()
    told: tuple[str, ...] = ()
    traits: Traits = field(default_factory=dict)

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    def only(self, sequences: tuple[str, ...] = ()) -> "Root":
        """The same root with only some of its sequences, the usual ones where none is named.

        Raises:
            UsageError: a name that no series has, here or in what is known.
            NothingFoundError: none of them is there.
        """
        self._check_known(sequences)
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

    def _check_known(self, sequences: tuple[str, ...]) -> None:
        there = {case.sequence for case in self.cases}
        there |= {p.id.partition("_")[2] for p in self.problems} - {""}
        known = {*SERIES} if self.usual else there
        strange = sorted({*sequences} - known - there)
        if strange and known:
            reason = f"--sequence: there is no {', '.join(strange)}"
            raise UsageError(reason, there_are(sorted(known), strange), "parameter")


class Origin(msgspec.Struct, frozen=True):
    """Licences and sources, as a Data Package descriptor has them; empty where it has none."""

    licenses: tuple[License, ...] = ()
    sources: tuple[DataSource, ...] = ()


def read_origin(folder: Path) -> Origin:
    """What a `datapackage.json` in a folder says of its data; empty without a readable one."""
    try:
        return msgspec.json.decode(read_regular(folder / "datapackage.json"), type=Origin)
    except (FileError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Origin()


def pseudonymized(root: Root, key: Key) -> Root:
    """The same root with keyed hashes in the place of patient ids and paths.

    Raises:
        ChaosprepError: `pseudonym-twice`, two patients have one.
    """
    patients = key.patients(root.patients)
    cases = (_pseudonymized(case, patients[case.patient], key) for case in root.cases)
    ordered = tuple(sorted(cases, key=lambda case: f"{case.id}_"))
    problems = tuple(_hidden(problem, key) for problem in root.problems)
    return replace(root, cases=ordered, problems=problems)


def _pseudonymized(case: SourceCase, patient: str, key: Key) -> SourceCase:
    return msgspec.structs.replace(
        case,
        id=f"{patient}_{case.sequence}",
        patient=patient,
        aliases={path: key.path(path) for path in (*case.images, *(case.masks or ()))},
    )


def _hidden(problem: Problem, key: Key) -> Problem:
    """A problem of a patient is `MR001...`; the others' ids are no patient's."""
    patient, line, sequence = problem.id.partition("_")
    if patient[-1:].isdigit():
        patient = key.patient(patient)
    file = None if problem.file is None else key.path(problem.file)
    return msgspec.structs.replace(problem, id=f"{patient}{line}{sequence}", file=file)


@contextmanager
def listing() -> Iterator[None]:
    """Name the folder that cannot be listed in here.

    Raises:
        ChaosprepError: `folder-unreadable`.
    """
    try:
        yield
    except OSError as error:
        reason = f"{error.filename}: it cannot be listed ({error.strerror})"
        raise ChaosprepError(reason, "Make it readable.", code="folder-unreadable") from error
