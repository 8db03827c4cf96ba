"""Readers who draw two structures in two cases, each a little differently, as volumes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.formats.volume_files import AFFINE, loaded, nifti

Labels = NDArray[np.uint8]
NAMES = {"liver": 1, "tumour": 2}
CASES = ("a", "b")


def drawn(reader: int, case: str) -> Labels:
    """(i, j, k): a block of 1 with 2 in its middle, its voxels wrong where the reader is."""
    draw = np.random.default_rng([reader, ord(case)])
    voxels = np.zeros((12, 11, 6), np.uint8)
    voxels[2:9, 2:9, 1:5] = 1
    voxels[4:7, 4 : 7 - (case == "b"), 2:4] = 2
    wrong = draw.random(voxels.shape) < 0.04 * reader
    voxels[wrong] = draw.integers(0, 3, int(wrong.sum()))
    return voxels


def write_volumes(
    folder: Path,
    volumes: Mapping[str, Labels],
    legend: Mapping[str, int] | None = NAMES,
    affine: NDArray[np.float64] = AFFINE,
) -> Path:
    """`<case>.nii.gz` for each, and what their values stand for."""
    folder.mkdir(parents=True)
    for case, voxels in volumes.items():
        (folder / f"{case}.nii.gz").write_bytes(nifti(voxels, affine))
    if legend is not None:
        (folder / "labels.json").write_text(json.dumps(legend))
    return folder


def reader(
    home: Path, number: int, legend: Mapping[str, int] | None = NAMES, *, flipped: bool = False
) -> Path:
    """A reader's folder; `flipped` has the first axis the other way around, at the same places."""
    volumes = {case: drawn(number, case) for case in CASES}
    if not flipped:
        return write_volumes(home / f"r{number}", volumes, legend)
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, 0] * 11
    affine[:3, 0] *= -1
    turned = {case: voxels[::-1].copy() for case, voxels in volumes.items()}
    return write_volumes(home / f"r{number}", turned, legend, affine)


def read(file: Path) -> Labels:
    """The voxels of a volume that was written, (i, j, k), as nibabel reads them."""
    return np.asarray(loaded(file.read_bytes()).dataobj).astype(np.uint8)
