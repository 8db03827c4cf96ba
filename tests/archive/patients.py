"""Fifty patients, up to three studies of each: what the archive holds, and what is to be found."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.archive.scanner import Part, Protocol, Series, uid
from tests.archive.structures import dose_report, segmentation, structure_set

COUNT = 50
MARRIED = 7  # the patient who has another name in the later studies
SCOUT = Protocol("Localizer", 1, 1, what="LOCALIZER", planes=("axial", "coronal", "sagittal"))
PHASES = (Part(time=1), Part(time=2))
DUAL = Protocol("T1 DUAL", 3, 4, (Part(echo=2.3), Part(echo=4.6)), step=4.0)
DWI = Protocol("DWI", 4, 3, (Part(b=0.0), Part(b=400.0), Part(b=800.0)), step=6.0)
COMPLEX = Protocol("GRE B0", 5, 3, (Part(), Part(component="PHASE")), step=7.0)
COR = Protocol("T2 COR", 6, 5, (Part(echo=80.0),), planes=("coronal",))
ADC = Protocol("DWI_ADC", 7, 3, (Part(),), ("DERIVED", "PRIMARY"), "ADC", step=6.0)


def lava(patient: int) -> Protocol:
    """The dynamic series: two phases under one UID, of 4 to 6 slices."""
    return Protocol("LAVA", 2, 4 + patient % 3, PHASES, step=3.0)


@dataclass(frozen=True)
class Expected:
    """A volume that is to be found, and where its pictures are: file -> frames (None: the one)."""

    patient: int
    study: int
    series: Series
    part: Part
    plane: str
    slices: int
    refers: tuple[str, ...]
    files: dict[str, tuple[int, ...] | None]

    @property
    def is_left_out(self) -> bool:
        return self.series.protocol in (SCOUT, ADC)


@dataclass(frozen=True)
class Archive:
    """The volumes of an archive, and how many files of other kinds there are."""

    root: Path
    volumes: tuple[Expected, ...]
    dose_reports: int


def studies_of(patient: int) -> int:
    return 1 + patient % 3


def is_enhanced(patient: int) -> bool:
    """Every fifth patient was in a scanner that writes enhanced files."""
    return patient % 5 == 0


def who(patient: int, study: int) -> dict[str, str]:
    """What the header says of who and when."""
    name = f"Doe{patient}^Jane" if patient != MARRIED or study == 1 else f"Roe{patient}^Jane"
    return {
        "PatientID": f"HOSP-{patient:04}",
        "PatientName": name,
        "PatientBirthDate": f"19{30 + patient}0102",
        "StudyDate": f"20{10 + study}0304",
        "StudyTime": f"1011{patient:02}",
    }


def protocols(patient: int, study: int) -> tuple[Protocol, ...]:
    """What was scanned: all in the first study, less in later ones."""
    every = (SCOUT, lava(patient), DUAL, DWI, COMPLEX, COR, ADC)
    return every if study == 1 else every[:3]


def write_archive(root: Path, count: int = COUNT, seed: int = 0) -> Archive:
    """Write the archive: one folder, or some, of files with random names in random order."""
    rng = random.Random(seed)
    files: list[tuple[str, bytes]] = []
    volumes: list[Expected] = []
    reports = 0

    def keep(data: bytes) -> str:
        depth = rng.randrange(3)
        folders = "".join(f"{rng.randrange(16):x}x/" for _ in range(depth))
        ending = rng.choice(["", "", ".dcm", ".IMA"])
        files.append((f"{folders}{rng.getrandbits(48):012x}{ending}", data))
        return files[-1][0]

    for patient in range(1, count + 1):
        for study in range(1, studies_of(patient) + 1):
            number = uid("study", patient, study)
            for protocol in protocols(patient, study):
                series = Series(who(patient, study), number, protocol)
                volumes += _scanned(patient, study, series, keep)
            if study == 1:
                keep(dose_report(series, 99))
                reports += 1
    rng.shuffle(files)
    for path, data in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return Archive(root, tuple(volumes), reports)


def has_segmentation(patient: int, study: int) -> bool:
    return study == 1 and patient % 10 != 0


def has_structure_set(patient: int, study: int) -> bool:
    return study == 1 and patient % 4 == 1 and not is_enhanced(patient)


def _scanned(
    patient: int, study: int, series: Series, keep: Callable[[bytes], str]
) -> Iterator[Expected]:
    """Write a series and what refers to it; give its volumes."""
    enhanced = is_enhanced(patient) and series.protocol is not SCOUT
    if enhanced:
        paths = [keep(series.enhanced())] * len(series.pictures)
    else:
        paths = [keep(data) for data in series.classic()]
    is_lava, is_cor = series.protocol.description == "LAVA", series.protocol is COR
    if is_lava and has_segmentation(patient, study):
        keep(segmentation(series, PHASES[1], 20, enhanced=enhanced))
    if is_cor and has_structure_set(patient, study):
        keep(structure_set(series, 21))
    for part in series.protocol.parts:
        refers: tuple[str, ...] = ()
        if is_lava and part is PHASES[1] and has_segmentation(patient, study):
            refers = ("SEG",)
        if is_cor and has_structure_set(patient, study):
            refers = ("RTSTRUCT",)
        for plane in series.protocol.planes:
            own = [one.index for one in series.of(part) if one.plane == plane]
            files: dict[str, tuple[int, ...] | None] = {}
            if enhanced:
                files[paths[0]] = tuple(own)
            else:
                files = dict.fromkeys([paths[index] for index in own])
            yield Expected(patient, study, series, part, plane, len(own), refers, files)
