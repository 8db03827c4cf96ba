"""The CHAOS challenge's folders: MR with T1DUAL (two phases) and T2SPIR, and CT.

Facts and their sources: the challenge's download pages, doi:10.5281/zenodo.3362844.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from chaosprep.chaos import CHAOS, USUAL_LEVELS, SequenceName
from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.dataset.opening import is_stage_directory
from chaosprep.errors import NothingFoundError, Problem, UsageError
from chaosprep.layouts.root import Root, listing, read_origin
from chaosprep.series.pairing import Rule
from chaosprep.series.source import SourceCase, list_files

LICENSES = msgspec.convert(CHAOS.licenses, tuple[License, ...])
SOURCES = msgspec.convert(CHAOS.sources, tuple[DataSource, ...])

Modality = Literal["MR", "CT"]


@dataclass(frozen=True)
class _Branch:
    """Where a sequence stands in a patient's folder, and how its masks are named."""

    sequence: SequenceName
    modality: Modality
    images: str
    ground: str
    rule: Rule


PLACES = (
    _Branch("t1-in", "MR", "T1DUAL/DICOM_anon/InPhase", "T1DUAL/Ground", "stem"),
    _Branch("t1-out", "MR", "T1DUAL/DICOM_anon/OutPhase", "T1DUAL/Ground", "next-number"),
    _Branch("t2-spir", "MR", "T2SPIR/DICOM_anon", "T2SPIR/Ground", "stem"),
    _Branch("ct", "CT", "DICOM_anon", "Ground", "rank"),
)
_MARKS = {"MR": ("T1DUAL", "T2SPIR"), "CT": ("DICOM_anon",)}
_DEPTH = 5  # outer folder / CHAOS_Train_Sets / Train_Sets / MR / patient
_SETS = r"(?i)(?:chaos_)?(train|test)_?sets?"
_INSIDE = rf"{_SETS}|mr|ct|\d+|t1dual|t2spir|dicom_anon|inphase|outphase"
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # Unicode's Cc and Cs
_EMPTY = "Bring back its DICOM files, or remove the folder."
_LITTER = "__MACOSX"  # the second tree, of `._` files, that a zip made by macOS unpacks to


def find(root: str | Path) -> Root:
    """Find every case below a root: the outer folder, `Train_Sets`, `MR`, or a single patient.

    Only folders are listed here; no file is opened.

    Raises:
        UsageError: the root is not a folder.
        NothingFoundError: no CHAOS patient is below it.
        ChaosprepError: a folder cannot be listed.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    with listing():
        cases, problems = _find(root)
    if not cases and not problems:
        raise NothingFoundError(
            f"{root}: no CHAOS patient is below it",
            "It is a stage directory: give it to verify, or to the next stage."
            if is_stage_directory(root)
            else "Give the folder that holds Train_Sets, MR or CT, or one patient's folder.",
            code="nothing",
        )
    licenses, sources = _origin(root / cases[0].images[0] if cases else root)
    ordered = tuple(sorted(cases, key=lambda case: f"{case.id}_"))
    return Root(root, ordered, tuple(problems), licenses, sources, usual=CHAOS.usual)


def is_laid_out(root: Path) -> bool:
    """Whether a folder has a patient of the challenge in it. Only folders are listed.

    Raises:
        ChaosprepError: a folder cannot be listed.
    """
    with listing():
        return root.is_dir() and any(_patients(root, root.resolve(), _DEPTH))


def _find(root: Path) -> tuple[list[SourceCase], list[Problem]]:
    found: list[SourceCase | Problem] = []
    places = sorted(_patients(root, root.resolve(), _DEPTH))
    counts = Counter(_patient_id(*place) for place in places)
    for folder, modality in places:
        patient = _patient_id(folder, modality)
        if modality is None:
            reason = "a folder that is a link out of the dataset is not followed"
            found.append(_problem("folder-link", "CHAOS", root, folder, reason, "Copy it in."))
        elif patient is None:
            reason = "a CHAOS patient's folder is named by a number, this one is not"
            remedy = "Name it by its number."
            found.append(_problem("patient-name", modality, root, folder, reason, remedy))
        elif counts[patient] > 1:
            reason = "two folders are this patient's"
            remedy = "Give a root that holds the patient once."
            found.append(_problem("patient-twice", patient, root, folder, reason, remedy))
        else:
            found += _series(root, folder, patient)
    cases = [one for one in found if isinstance(one, SourceCase)]
    return cases, [one for one in found if isinstance(one, Problem)]


def _patients(folder: Path, root: Path, depth: int) -> Iterator[tuple[Path, Modality | None]]:
    """Patient folders below a folder: MR holds T1DUAL or T2SPIR, CT holds DICOM_anon.

    Without a modality: a link out of the root where a folder of the layout should stand.
    """
    if any((folder / mark).is_dir() for mark in _MARKS["MR"]):
        yield folder, "MR"
    elif (folder / "DICOM_anon").is_dir():
        if folder.resolve().name not in _MARKS["MR"]:
            yield folder, "CT"
    elif depth:
        for child in folder.iterdir():
            if not child.is_dir() or child.name == _LITTER:
                continue
            if not child.is_symlink():
                yield from _patients(child, root, depth - 1)
            elif re.fullmatch(_INSIDE, child.name) and not child.resolve().is_relative_to(root):
                yield child, None


def _patient_id(folder: Path, modality: str | None) -> str | None:
    name = folder.resolve().name
    return (
        f"{modality}{name.lstrip('0').zfill(3)}"
        if modality and re.fullmatch("[0-9]+", name)
        else None
    )


def _series(root: Path, folder: Path, patient: str) -> list[SourceCase | Problem]:
    modality = patient[:2]
    found = [
        _case(root, folder, patient, place)
        for place in PLACES
        if place.modality == modality and (folder / place.images).is_dir()
    ]
    reason = "none of its folders of series is there"
    return found or [_problem("series-empty", patient, root, folder, reason, _EMPTY)]


def _case(root: Path, folder: Path, patient: str, place: _Branch) -> SourceCase | Problem:
    id = f"{patient}_{place.sequence}"
    ground = folder / place.ground
    images = list_files(folder / place.images, root)
    masks = list_files(ground, root) if ground.is_dir() else None
    if not images:
        reason = "the series is empty"
        return _problem("series-empty", id, root, folder / place.images, reason, _EMPTY)
    for path in (*images, *(masks or ())):
        if _UNWRITABLE.search(path):
            reason = "a file name holds control characters, or is not UTF-8"
            return _problem("name-broken", id, root, root / path, reason, "Rename the file.")
    pool = _pool(root, folder)
    if pool == "train" and masks is None:
        reason = "a training series without its folder of masks"
        remedy = "Bring back its Ground folder, or put the patient below Test_Sets."
        return _problem("ground-missing", id, root, ground, reason, remedy)
    return SourceCase(
        root=str(root),
        id=id,
        patient=patient,
        sequence=place.sequence,
        pool=pool or ("test" if masks is None else "train"),
        images=images,
        masks=masks,
        rule=place.rule,
        levels=USUAL_LEVELS,
    )


def _pool(root: Path, folder: Path) -> Literal["train", "test"] | None:
    """Train or test by the nearest folder that is named so, also above the root."""
    names = (*root.resolve().parts[-_DEPTH:], *folder.relative_to(root).parts)
    for name in reversed(names):
        if found := re.fullmatch(_SETS, name):
            return "train" if found[1].lower() == "train" else "test"
    return None


def _problem(code: str, id: str, root: Path, path: Path, reason: str, remedy: str) -> Problem:
    file = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
    return Problem(code=code, id=id, file=file, reason=reason, remedy=remedy)


def _origin(path: Path) -> tuple[tuple[License, ...], tuple[DataSource, ...]]:
    """Licence and sources: of a Data Package descriptor of this dataset, else CHAOS's.

    The descriptor may stand in any folder of the layout, or in the one around them.
    """
    for folder in path.resolve().parents:
        found = read_origin(folder)
        if found.licenses and found.sources:
            return found.licenses, found.sources
        if not re.fullmatch(_INSIDE, folder.name):
            break
    return LICENSES, SOURCES
