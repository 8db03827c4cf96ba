"""Trees of tiny files in any layout, written by other code than the toolkit's."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.formats.samples import dicom, png

ROWS, COLS = 3, 4  # of every slice
STEP = 5.5  # mm between slices


def slice_at(place: int, patient: int = 1, **changes: object) -> bytes:
    """A slice of a patient; its pixels are unlike any other's, and so is the patient's name."""
    pixels = np.full((ROWS, COLS), 100 * patient + place, dtype=np.uint16)
    values: dict[str, Any] = {"ImagePositionPatient": [-10, -20, STEP * place]}
    if patient != 1:
        values["PatientName"] = f"Doe^Jane{patient}"
    return dicom(pixels, **(values | changes))


def labels_at(place: int, patient: int = 1) -> NDArray[np.uint8]:
    """The labels of a slice: (rows, cols), unlike any other's."""
    labels = np.zeros((ROWS, COLS), np.uint8)
    labels[place % ROWS, :] = 10 * patient + place
    return labels


def png_of(labels: NDArray[np.uint8]) -> bytes:
    """A grey PNG of 8 bits."""
    return png([line.tobytes() for line in labels], cols=labels.shape[1])


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their paths below a root."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def two_trees(
    images: str = "scans/{patient}/{slice}.dcm",
    masks: str | None = "labels/{patient}/{slice}.png",
    patients: Mapping[str, int] | None = None,
    slices: int = 3,
) -> dict[str, bytes]:
    """Images and masks of some patients (name -> number), by patterns."""
    files = {}
    for name, number in (patients or {"7": 1, "12": 2}).items():
        for place in range(slices):
            fields = {"patient": name, "slice": f"{place + 1:02d}", "sequence": "t2"}
            files[images.format(**fields)] = slice_at(place, number)
            if masks is not None:
                files[masks.format(**fields)] = png_of(labels_at(place, number))
    return files


def nifti(voxels: NDArray[Any], affine: NDArray[np.float64] | None, slope: float = 0.0) -> bytes:
    """A NIfTI-1 file of voxels (i, j, k); ``affine`` (4, 4) gives RAS mm, None no geometry at all.

    By hand from the standard's nifti1.h: little endian, sform only, data at byte 352.
    """
    codes = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "float64": 64, "uint16": 512}
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    shape = (*voxels.shape, *(1 for _ in range(7 - voxels.ndim)))
    struct.pack_into("<8h", header, 40, voxels.ndim, *shape)
    struct.pack_into("<2h", header, 70, codes[voxels.dtype.name], voxels.itemsize * 8)
    sizes = np.linalg.norm(affine[:3, :3], axis=0) if affine is not None else np.ones(3)
    struct.pack_into("<8f", header, 76, 1.0, *sizes, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<3f", header, 108, 352.0, slope, 0.0)
    struct.pack_into("<B", header, 123, 2)  # mm
    if affine is not None:
        struct.pack_into("<2h", header, 252, 0, 1)  # no qform, sform: scanner
        struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + voxels.astype(voxels.dtype.newbyteorder("<")).tobytes(order="F")
