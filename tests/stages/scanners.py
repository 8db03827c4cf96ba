"""The same anatomy in two scanners: other gains and gammas, in a split of six patients."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

import chaosprep
from chaosprep.phantom import Patient, write_chaos

Picture = NDArray[np.float64]
Scanner = Callable[[Picture], Picture]
"""What a scanner makes of the phantom's values, (rows, cols)."""


def scanner(gain: float, gamma: float, offset: float = 0.0) -> Scanner:
    return lambda values: offset + gain * 800 * (values / 800) ** gamma


FIRST, SECOND = scanner(1.0, 1.0), scanner(1.7, 0.6, 40.0)
SCANNERS = {1: FIRST, 2: SECOND, 3: FIRST, 4: SECOND, 5: FIRST, 6: SECOND}
"""Patient -> scanner; 5 and 6 validate."""


def change(
    path: Path, made: Callable[[Picture], Picture], pad: int | None = None, **header: Any
) -> None:
    """Give a DICOM file the pixels that are made of its own, and more in its header."""
    dicom = pydicom.dcmread(path)
    pixels = np.rint(made(dicom.pixel_array.astype(np.float64)))
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in dicom:
            del dicom[keyword]
    for keyword, value in header.items():
        setattr(dicom, keyword, value)
    if pad is not None:
        dicom.add_new(0x00280120, "US", pad)
    dicom.PixelData = pixels.astype(np.uint16).tobytes()
    dicom.save_as(path)


def files(root: Path, patient: int, ending: str = "dcm") -> list[Path]:
    """The files of a patient of MR, in the order of their names."""
    return sorted((root / f"Train_Sets/MR/{patient}").rglob(f"*.{ending}"))


def two_scanners(place: Path) -> Path:
    """A root of six patients with the anatomy of the first, each as its scanner shows it."""
    people = [Patient(id=id, sequences=("t1-in",), slices=6, matrix=64) for id in SCANNERS]
    root = write_chaos(place, people)
    anatomy = [pydicom.dcmread(path).pixel_array.astype(np.float64) for path in files(root, 1)]
    for id, shows in SCANNERS.items():
        for path, values in zip(files(root, id), anatomy, strict=True):
            change(path, lambda _, values=values, shows=shows: shows(values))  # type: ignore[misc]
        for path, mask in zip(files(root, id, "png"), files(root, 1, "png"), strict=True):
            if path != mask:
                shutil.copyfile(mask, path)
    return root


def split_of_scanners(place: Path) -> chaosprep.Dataset:
    """The patients of `two_scanners` with all four organs: 1 to 4 train, 5 and 6 validate."""
    root = two_scanners(place / "root")
    pairs = chaosprep.split(root, place / "pairs", val_patient=["MR005", "MR006"])
    return chaosprep.extract_liver(pairs, place / "organs", all_organs=True)


def organ_medians(dataset: chaosprep.Dataset, patient: str) -> dict[str, float]:
    """The median of each organ of a patient, by slope and intercept, or as windowed."""
    found: dict[str, list[NDArray[Any]]] = {}
    for row in (row for row in dataset.slices if row.patient == patient):
        values, mask = dataset.image(row).astype(np.float64), dataset.mask(row)
        if row.window is None:
            values = values * row.slope + row.intercept
        for value, organ in row.labels.items():
            found.setdefault(organ, []).append(values[mask == value])
    return {organ: float(np.median(np.concatenate(some))) for organ, some in found.items()}


def distance(dataset: chaosprep.Dataset, one: str, other: str) -> float:
    """How far apart the organs of two patients lie, beside how far organs lie from each other."""
    first, second = organ_medians(dataset, one), organ_medians(dataset, other)
    apart = np.mean([abs(first[organ] - second[organ]) for organ in first])
    spread = np.mean([np.std(list(some.values())) for some in (first, second)])
    return float(apart / spread)
