"""How well near-duplicates across splits are found: `python -m benchmarks.duplicates [ROOT ...]`.

Half of the patients train, half validate. One slice in ten of the training side is changed and
planted on the other; ten rounds, so that every slice is planted once per change. Each ROOT is a
dataset in CHAOS's layout, besides the phantom. Then `--slices` synthetic ones are timed.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.layouts.find import LayoutParams, find
from chaosprep.phantom import Patient
from chaosprep.phantom.anatomy import draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.writing import generator, tissue_stack
from chaosprep.quality.alike.duplicates import near_duplicates
from chaosprep.quality.alike.fingerprints import Fingerprint, fingerprint
from chaosprep.series.reading import read_series

Image = NDArray[Any]
Change = Callable[[Image, np.random.Generator], Image]
Patients = dict[str, list[Image]]


def flipped(image: Image, random: np.random.Generator) -> Image:
    return np.ascontiguousarray(np.flip(image, int(random.integers(2))))


def rotated(image: Image, random: np.random.Generator) -> Image:
    return moved(image, random.uniform(-10, 10), 1.0)


def shrunk(image: Image, random: np.random.Generator) -> Image:
    return moved(image, 0.0, random.uniform(0.85, 1.0))


def enlarged(image: Image, random: np.random.Generator) -> Image:
    return moved(image, 0.0, 1 / random.uniform(0.85, 1.0))


def gamma(image: Image, random: np.random.Generator) -> Image:
    top = float(image.max()) or 1.0
    return np.asarray(top * (image / top) ** random.uniform(0.6, 1.7), np.float32)


def everything(image: Image, random: np.random.Generator) -> Image:
    turned = moved(flipped(image, random), random.uniform(-10, 10), random.uniform(0.85, 1.0))
    return gamma(turned, random)


def moved(image: Image, angle: float, scale: float) -> Image:
    import cv2

    rows, cols = image.shape
    matrix = cv2.getRotationMatrix2D(((cols - 1) / 2, (rows - 1) / 2), angle, scale)
    return np.asarray(cv2.warpAffine(image.astype(np.float32), matrix, (cols, rows)))


CHANGES: dict[str, Change] = {
    "flip": flipped,
    "rotation within 10 degrees": rotated,
    "shrunk to 0.85..1": shrunk,
    "enlarged, 0.85..1 of the field": enlarged,
    "gamma 0.6..1.7": gamma,
    "flip, rotation, zoom and gamma": everything,
}


def phantom(sequence: str, people: int, slices: int, matrix: int = 192, first: int = 1) -> Patients:
    """Slices of phantom patients, (matrix, matrix) uint16 each."""
    found = {}
    for number in range(first, first + people):
        patient = Patient(
            id=number, modality="CT" if sequence == "ct" else "MR", slices=slices, matrix=matrix
        )
        anatomy = draw_anatomy(generator(0, patient, "anatomy"))
        noise = generator(0, patient, "scanner")
        scanner = make_scanner(sequence, matrix, patient.spacing(sequence), noise)
        found[str(number)] = [
            scanner.expose(tissue, generator(0, patient, sequence, index))
            for index, tissue in enumerate(tissue_stack(anatomy, patient, sequence))
        ]
    return found


def dataset(root: Path) -> Patients:
    """The in-phase slices of a CHAOS root by patient."""
    from chaosprep.formats.dicom.reading import read

    found: Patients = {}
    for case in find(root, LayoutParams()).cases:
        if case.sequence == "t1-in":
            slices = read_series(case).slices
            found[case.patient] = [read(one.image_data, one.frame)[1] for one in slices]
    return found


def known(images: list[Image]) -> list[Fingerprint]:
    return [found for found in map(fingerprint, images) if found is not None]


def false_rate(patients: Patients) -> tuple[int, int]:
    """How many slices are flagged, with all slices of all other patients on the other side."""
    prints = {patient: known(images) for patient, images in patients.items()}
    flagged = 0
    for patient, queries in prints.items():
        others = [found for other, side in prints.items() if other != patient for found in side]
        flagged += len(near_duplicates(queries, others))
    return flagged, sum(map(len, prints.values()))


def found_rate(patients: Patients, change: Change) -> tuple[int, int]:
    """How many planted slices are found as what they are, of how many."""
    random = np.random.default_rng(0)
    found = planted = 0
    names = sorted(patients)
    for train in (names[::2], names[1::2]):
        images = [(name, image) for name in train for image in patients[name]]
        sides = [(name, fingerprint(image)) for name, image in images]
        owners = [name for name, side in sides if side is not None]
        references = [side for _, side in sides if side is not None]
        for first in range(10):
            chosen = images[first::10]
            prints = [fingerprint(change(image, random)) for _, image in chosen]
            queries = [side for side in prints if side is not None]
            asked = [
                name for (name, _), side in zip(chosen, prints, strict=True) if side is not None
            ]
            matches = near_duplicates(queries, references)
            found += sum(owners[match.reference] == asked[match.query] for match in matches)
            planted += len(chosen)
    return found, planted


def timed(slices: int, jobs: int) -> tuple[float, float]:
    """Seconds for the fingerprints of one process, and for the search of one side in the other."""
    people = phantom("t1-in", slices // 25, 25, matrix=256, first=1000)
    images = [image for side in people.values() for image in side]
    start = time.perf_counter()
    prints = known(images)
    middle = time.perf_counter()
    near_duplicates(prints[: slices // 5], prints[slices // 5 :], jobs=jobs)
    return middle - start, time.perf_counter() - middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roots", nargs="*", type=Path)
    parser.add_argument("--slices", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    sources: dict[str, Patients] = {
        f"phantom {name}": phantom(name, 8, 12) for name in ("t1-in", "t2-spir", "ct")
    }
    sources |= {root.name: dataset(root) for root in asked.roots}
    print("| | " + " | ".join(sources) + " |")
    print("|--|" + "--:|" * len(sources))
    rows = {
        name: [found_rate(p, change) for p in sources.values()] for name, change in CHANGES.items()
    }
    rows["slices of different patients flagged"] = [false_rate(p) for p in sources.values()]
    for name, rates in rows.items():
        print(f"| {name} | " + " | ".join(f"{n} of {m}, {n / m:.1%}" for n, m in rates) + " |")
    if asked.slices:
        prints, search = timed(asked.slices, asked.jobs)
        print(
            f"\n{asked.slices} slices: fingerprints {prints:.1f} s on one core, "
            f"search {search:.1f} s with {asked.jobs} jobs"
        )


if __name__ == "__main__":
    main()
