"""The CHAOS challenge's folders: MR with T1DUAL (two phases) and T2SPIR, and CT.

Facts and their sources: the challenge's download pages, doi:10.5281/zenodo.3362844.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from chaosprep.dataset.descriptor import DataSource, License, StageRecord
from chaosprep.dataset.files import read_regular
from chaosprep.errors import FileError, NothingFoundError, Problem, UsageError
from chaosprep.layouts.pairing import Rule
from chaosprep.layouts.series import SourceCase, list_files

Sequence = Literal["t1-in", "t1-out", "t2-spir", "ct"]

CHAOS_LICENSES = (
    License(
        name="CC-BY-NC-SA-4.0",
        path="https://creativecommons.org/licenses/by-nc-sa/4.0/",
        title="Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
    ),
)
CHAOS_SOURCES = (
    DataSource(
        title="CHAOS - Combined (CT-MR) Healthy Abdominal Organ Segmentation Challenge Data",
        path="https://doi.org/10.5281/zenodo.3362844",
    ),
    DataSource(
        title="Kavur et al., CHAOS Challenge, Medical Image Analysis 69 (2021)",
        path="https://doi.org/10.1016/j.media.2020.101950",
    ),
)


@dataclass(frozen=True)
class _Place:
    """Where a sequence stands in a patient's folder, and how its masks are named."""

    sequence: Sequence
    modality: Literal["MR", "CT"]
    images: str
    ground: str
    rule: Rule


PLACES = (
    _Place("t1-in", "MR", "T1DUAL/DICOM_anon/InPhase", "T1DUAL/Ground", "stem"),
    _Place("t1-out", "MR", "T1DUAL/DICOM_anon/OutPhase", "T1DUAL/Ground", "next-number"),
    _Place("t2-spir", "MR", "T2SPIR/DICOM_anon", "T2SPIR/Ground", "stem"),
    _Place("ct", "CT", "DICOM_anon", "Ground", "rank"),
)
_MARKS = {"MR": ("T1DUAL", "T2SPIR"), "CT": ("DICOM_anon",)}
_DEPTH = 5  # outer folder / CHAOS_Train_Sets / Train_Sets / MR / patient


@dataclass(frozen=True)
class ChaosRoot:
    """A dataset root seen as CHAOS: its cases, and what is wrong with its folders."""

    directory: Path
    cases: tuple[SourceCase, ...]
    problems: tuple[Problem, ...]
    licenses: tuple[License, ...] = CHAOS_LICENSES
    sources: tuple[DataSource, ...] = CHAOS_SOURCES
    history: tuple[StageRecord, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    def only(self, sequences: tuple[str, ...]) -> "ChaosRoot":
        """The same root with only some of its sequences.

        Raises:
            NothingFoundError: none of them is there.
        """
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


def find(root: str | Path) -> ChaosRoot:
    """Find every case below a root: the outer folder, `Train_Sets`, `MR`, or a single patient.

    Only folders are listed here; no file is opened.

    Raises:
        UsageError: the root is not a folder.
        NothingFoundError: no CHAOS patient is below it.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", code="root")
    cases: list[SourceCase] = []
    problems: list[Problem] = []
    for folder, modality in sorted(_patients(root, _DEPTH)):
        found, wrong = _patient_cases(root, folder, modality)
        cases += found
        problems += wrong
    doubled = _twice(cases)
    cases = [case for case in cases if case.id not in {problem.id for problem in doubled}]
    problems += doubled
    if not cases and not problems:
        raise NothingFoundError(
            f"{root}: no CHAOS patient is below it",
            "Give the folder that holds Train_Sets, MR or CT, or one patient's folder.",
            code="nothing",
        )
    licenses, sources = _origin(root)
    ordered = tuple(sorted(cases, key=lambda case: f"{case.id}_"))
    return ChaosRoot(root, ordered, tuple(problems), licenses, sources)


def _patients(folder: Path, depth: int) -> Iterator[tuple[Path, Literal["MR", "CT"]]]:
    """Patient folders below a folder: MR holds T1DUAL or T2SPIR, CT holds DICOM_anon."""
    if any((folder / mark).is_dir() for mark in _MARKS["MR"]):
        yield folder, "MR"
    elif (folder / "DICOM_anon").is_dir():
        if folder.name not in _MARKS["MR"]:
            yield folder, "CT"
    elif depth:
        for child in folder.iterdir():
            if child.is_dir() and not child.is_symlink():
                yield from _patients(child, depth - 1)


def _patient_cases(
    root: Path, folder: Path, modality: str
) -> tuple[list[SourceCase], list[Problem]]:
    cases: list[SourceCase] = []
    problems: list[Problem] = []
    name = folder.resolve().name
    if not re.fullmatch(r"\d+", name):
        reason = "a CHAOS patient's folder is named by a number, this one is not"
        where = folder.relative_to(root).as_posix()
        return [], [Problem(code="patient-name", id=modality, file=where, reason=reason)]
    patient = f"{modality}{int(name):03d}"
    for place in PLACES:
        if place.modality == modality and (folder / place.images).is_dir():
            found = _case(root, folder, patient, place)
            if isinstance(found, SourceCase):
                cases.append(found)
            else:
                problems.append(found)
    return cases, problems


def _case(root: Path, folder: Path, patient: str, place: _Place) -> SourceCase | Problem:
    id = f"{patient}_{place.sequence}"
    images = list_files(folder / place.images, root)
    ground = folder / place.ground
    if not images:
        where = (folder / place.images).relative_to(root).as_posix()
        reason = "the series is empty"
        return Problem(code="series-empty", id=id, file=where, reason=reason)
    pool = _pool(root, folder)
    if pool == "train" and not ground.is_dir():
        return Problem(
            code="ground-missing",
            id=id,
            file=ground.relative_to(root).as_posix(),
            reason="a training series without its folder of masks",
            remedy="Bring back its Ground folder, or put the patient below Test_Sets.",
        )
    return SourceCase(
        root=str(root),
        id=id,
        patient=patient,
        sequence=place.sequence,
        pool=pool or ("train" if ground.is_dir() else "test"),
        images=images,
        masks=list_files(ground, root) if ground.is_dir() else None,
        rule=place.rule,
    )


def _pool(root: Path, folder: Path) -> Literal["train", "test"] | None:
    """Train or test by the nearest folder that is named so, up to three above the root."""
    names = (*root.resolve().parts[-_DEPTH:], *folder.relative_to(root).parts)
    for name in reversed(names):
        found = re.fullmatch(r"(?i)(chaos_)?(train|test)_?sets?", name)
        if found:
            return "train" if found[2].lower() == "train" else "test"
    return None


def _twice(cases: list[SourceCase]) -> list[Problem]:
    counts = Counter(case.id for case in cases)
    return [
        Problem(
            code="patient-twice",
            id=case.id,
            file=str(PurePosixPath(case.images[0]).parent),
            reason="two folders are this patient's",
            remedy="Give a root that holds the patient once.",
        )
        for case in cases
        if counts[case.id] > 1
    ]


class _Package(msgspec.Struct):
    licenses: tuple[License, ...]
    sources: tuple[DataSource, ...]


def _origin(root: Path) -> tuple[tuple[License, ...], tuple[DataSource, ...]]:
    """Licence and sources: of a Data Package descriptor at or above the root, else CHAOS's."""
    for folder in (root.resolve(), *root.resolve().parents[:_DEPTH]):
        try:
            data = read_regular(folder / "datapackage.json")
            package = msgspec.json.decode(data, type=_Package)
        except (FileError, msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return package.licenses, package.sources
    return CHAOS_LICENSES, CHAOS_SOURCES
