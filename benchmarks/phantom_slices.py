"""Slices of the phantom as arrays, without DICOM files in between."""

import numpy as np
from numpy.typing import NDArray

from chaosprep.phantom import Patient
from chaosprep.phantom.anatomy import draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.tissues import grey_levels
from chaosprep.phantom.writing import generator, tissue_stack

Pair = tuple[NDArray[np.uint16], NDArray[np.uint8]]


def phantom_slices(
    count: int, matrix: int = 256, *, sequence: str = "t1-in", seed: int = 0
) -> list[Pair]:
    """Return images (matrix, matrix) uint16 and masks uint8, with CHAOS's grey levels."""
    patient = Patient(id=1, slices=count, matrix=matrix)
    anatomy = draw_anatomy(generator(seed, patient, "anatomy"))
    spacing = patient.spacing(sequence)
    scanner = make_scanner(sequence, matrix, spacing, generator(seed, patient, "scanner"))
    levels = grey_levels()
    return [
        (scanner.expose(tissue, generator(seed, patient, sequence, index)), levels[tissue])
        for index, tissue in enumerate(tissue_stack(anatomy, patient, sequence))
    ]


def to_8_bits(image: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Window an image from its least to its 99.5th percentile."""
    low, high = float(image.min()), float(np.percentile(image, 99.5))
    scaled = (image.astype(np.float32) - low) * (255.0 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)
