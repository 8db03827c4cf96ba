"""Write phantom patients as files in CHAOS's layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import UsageError
from chaosprep.phantom.anatomy import HALF_HEIGHT, Anatomy, draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.headers import series_header, set_pixels, set_position, uid
from chaosprep.phantom.painting import tissue_map
from chaosprep.phantom.tissues import grey_levels

SEQUENCES = {"MR": ("t1-in", "t1-out", "t2-spir"), "CT": ("ct",)}
FIELD_OF_VIEW = {"t1-in": 400.0, "t1-out": 400.0, "t2-spir": 360.0, "ct": 380.0}
"""Sequence -> side of the image in mm, unless the patient names a pixel spacing."""

STEP = {"t1-in": 5.5, "t1-out": 5.5, "t2-spir": 7.7, "ct": -2.0}  # mm to the next; CT goes down
FOLDERS = {
    "t1-in": ("T1DUAL", "InPhase"),
    "t1-out": ("T1DUAL", "OutPhase"),
    "t2-spir": ("T2SPIR", ""),
    "ct": ("", ""),
}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What to make of one patient.

    `sequences` empty means all of the modality's. `matrix` is rows and columns. `pixel_spacing` is
    in mm, for T2 times 0.9; without one, the image is 400 (T1), 360 (T2) or 380 mm (CT) wide.
    `orientation` is ImageOrientationPatient: of a body that lies askew and is scanned along its own
    axes, so that the pixels stay the same. The body is stretched along z to fill `slices`, so that
    organs come and go in a short stack too. CT files are always Implicit VR Little Endian.
    """

    id: int
    modality: Literal["MR", "CT"] = "MR"
    sequences: tuple[str, ...] = ()
    slices: int = 6
    matrix: int = 128
    pixel_spacing: float | None = None
    implicit: bool = False
    orientation: tuple[float, float, float, float, float, float] = AXIAL
    ground: bool = True

    def __post_init__(self) -> None:
        known = SEQUENCES[self.modality]
        if not self.sequences:
            object.__setattr__(self, "sequences", known)
        for sequence in self.sequences:
            if sequence not in known:
                raise UsageError(
                    f"{sequence} is not a {self.modality} sequence",
                    f"Use any of {', '.join(known)}.",
                    code="phantom-sequence",
                )

    def spacing(self, sequence: str) -> float:
        """Pixel spacing of a sequence, mm."""
        if self.pixel_spacing is None:
            return FIELD_OF_VIEW[sequence] / self.matrix
        return self.pixel_spacing * (0.9 if sequence == "t2-spir" else 1.0)

    def position(self, sequence: str, index: int) -> list[float]:
        """ImagePositionPatient of slice `index` in mm: the stack is centred, along the normal."""
        across, down = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        offset = (index - (self.slices - 1) / 2) * STEP[sequence]
        half = (self.matrix - 1) / 2 * self.spacing(sequence)
        corner: list[float] = (np.cross(across, down) * offset - (across + down) * half).tolist()
        return corner


SAMPLE_PATIENTS = (
    Patient(id=1),
    Patient(id=2, sequences=("t1-in", "t1-out"), implicit=True),
    Patient(id=3, sequences=("t1-in", "t1-out")),
    Patient(id=5, sequences=("t1-in", "t1-out"), slices=5, matrix=160),
    Patient(id=8),
    Patient(id=1, modality="CT"),
)
"""What sample_data holds."""


def write_chaos(
    root: Path,
    patients: Sequence[Patient] = SAMPLE_PATIENTS,
    *,
    seed: int = 0,
    sets: str = "Train_Sets",
) -> Path:
    """Write patients under `root`/`sets`, and a descriptor that says what they are; return `root`.

    As in CHAOS, only Train_Sets has ground truth. Files of the same name are overwritten, none is
    removed.
    """
    for patient in patients:
        ground = patient.ground and sets == "Train_Sets"
        write_patient(root / sets, replace(patient, ground=ground), seed)
    write_descriptor(root)
    return root


def write_patient(sets_root: Path, patient: Patient, seed: int = 0) -> None:
    """Write one patient under `sets_root`/MR/<id> or CT/<id>: same arguments, same bytes."""
    anatomy = draw_anatomy(generator(seed, patient, "anatomy"))
    home = sets_root / patient.modality / str(patient.id)
    maps: dict[tuple[float, float], list[NDArray[np.uint8]]] = {}
    for sequence in patient.sequences:
        grid = (patient.spacing(sequence), STEP[sequence])
        if grid not in maps:
            maps[grid] = tissue_stack(anatomy, patient, sequence)
        folder, phase = FOLDERS[sequence]
        write_series(home / folder / "DICOM_anon" / phase, patient, sequence, maps[grid], seed)
        if patient.ground:
            write_ground(home / folder / "Ground", patient, sequence, maps[grid])


def generator(seed: int, patient: Patient, *parts: object) -> np.random.Generator:
    """Return a PCG64 stream keyed by seed, patient and `parts`: the order of calls is no matter."""
    key = "/".join(str(part) for part in (seed, patient.modality, patient.id, *parts))
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def tissue_stack(anatomy: Anatomy, patient: Patient, sequence: str) -> list[NDArray[np.uint8]]:
    """Return the tissue map (rows, cols) of each slice of a sequence, in file order."""
    line = np.arange(patient.matrix, dtype=np.float64) - (patient.matrix - 1) / 2
    line *= patient.spacing(sequence)
    reference = STEP["t1-in"] if patient.modality == "MR" else abs(STEP["ct"])
    scale = STEP[sequence] / reference * 2 * HALF_HEIGHT / patient.slices
    middle = (patient.slices - 1) / 2
    return [tissue_map(anatomy, line, line, (i - middle) * scale) for i in range(patient.slices)]


def number(sequence: str, index: int) -> int:
    """Number slice `index` (in file order): even in phase, odd out of phase, else from 1."""
    return {"t1-in": 2 * index + 2, "t1-out": 2 * index + 1}.get(sequence, index + 1)


def stem(patient: Patient, sequence: str, index: int) -> str:
    """Name the file of slice `index` (in file order) without its extension, as CHAOS does."""
    if sequence == "ct":
        return f"i{index:04d},0000b"
    series = 4 * patient.id + (3 if sequence == "t2-spir" else 1)
    return f"IMG-{series:04d}-{number(sequence, index):05d}"


def write_series(
    folder: Path, patient: Patient, sequence: str, maps: Sequence[NDArray[np.uint8]], seed: int
) -> None:
    """Write the DICOM files of one sequence."""
    from pydicom.uid import UID

    folder.mkdir(parents=True, exist_ok=True)
    spacing = patient.spacing(sequence)
    implicit = patient.implicit or sequence == "ct"
    who = (patient.id, patient.orientation)
    header = series_header(sequence, *who, implicit=implicit, seed=seed)
    # One stream for both phases: bias field and tissue gains belong to the acquisition.
    rng = generator(seed, patient, "scanner", sequence.partition("-")[0])
    scanner = make_scanner(sequence, patient.matrix, spacing, rng)
    for index, tissue in enumerate(maps):
        pixels = scanner.expose(tissue, generator(seed, patient, sequence, index))
        place = patient.position(sequence, index)
        set_position(header, place, index * abs(STEP[sequence]), number(sequence, index))
        set_pixels(header, pixels, spacing)
        header.SOPInstanceUID = UID(uid(seed, patient.modality, patient.id, sequence, index))
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        path = folder / f"{stem(patient, sequence, index)}.dcm"
        header.save_as(path, enforce_file_format=True)


def write_ground(
    folder: Path, patient: Patient, sequence: str, maps: Sequence[NDArray[np.uint8]]
) -> None:
    """Write the masks: grey levels named as the in-phase files (MR), one bit of liver (CT)."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    levels = grey_levels()
    for index, tissue in enumerate(maps):
        mask = levels[tissue]
        if sequence == "ct":
            Image.fromarray(mask == 63).save(folder / f"liver_GT_{index:03d}.png")
        else:
            named = "t2-spir" if sequence == "t2-spir" else "t1-in"
            Image.fromarray(mask).save(folder / f"{stem(patient, named, index)}.png")


def write_descriptor(root: Path) -> None:
    """Write `root`/datapackage.json, so that nobody takes the phantom for CHAOS data."""
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.dcm"))
    descriptor = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "chaosprep-phantom",
        "title": "Synthetic abdomen in the layout of the CHAOS challenge",
        "description": "Computed from a model of the abdomen: nobody was scanned, no image traced.",
        "licenses": [
            {
                "name": "CC0-1.0",
                "title": "Creative Commons Zero v1.0 Universal",
                "path": "https://creativecommons.org/publicdomain/zero/1.0/",
            }
        ],
        "sources": [{"title": "chaosprep phantom, synthetic"}],
        "resources": [
            {"name": "dicom", "path": files, "format": "dcm", "mediatype": "application/dicom"}
        ],
    }
    text = json.dumps(descriptor, indent=2, ensure_ascii=False)
    (root / "datapackage.json").write_text(text + "\n", encoding="utf-8", newline="\n")
