"""Pictures that are grids of slices, as Siemens and United Imaging write them, with other code."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

from tests.formats.samples import dataset

ROWS, COLS = 4, 6
SPACING = (1.5, 1.25)
TURNED = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
"""Rows to the left and back, columns to the feet: a coronal plane that is turned."""
ACROSS = (-0.6, 0.8, 0.0)
"""What is upright on it by the right hand."""


@dataclass(frozen=True)
class Stack:
    """A volume whose slices are in a grid: ``first`` is where its first voxel lies."""

    count: int = 7
    first: tuple[float, float, float] = (-12.0, 30.5, 8.0)
    step: float = 5.5
    orientation: tuple[float, ...] = TURNED
    side: float = 1.0
    changes: Mapping[str, object] = field(default_factory=dict)

    @property
    def voxels(self) -> NDArray[np.uint16]:
        """(slices, rows, cols)."""
        shape = self.count, ROWS, COLS
        return np.random.default_rng(self.count).integers(1, 4000, shape, dtype=np.uint16)

    @property
    def normal(self) -> NDArray[np.float64]:
        """Where the next slice lies, as a unit vector."""
        return self.side * np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def positions(self) -> list[NDArray[np.float64]]:
        return [np.array(self.first) + n * self.step * self.normal for n in range(self.count)]


def laid(voxels: NDArray[Any], across: int, down: int) -> NDArray[Any]:
    """Lay slices out row by row; what is left is 0."""
    count, rows, cols = voxels.shape
    picture = np.zeros((down * rows, across * cols), voxels.dtype)
    for n in range(count):
        row, col = n // across * rows, n % across * cols
        picture[row : row + rows, col : col + cols] = voxels[n]
    return picture


_KINDS = {"NumberOfImagesInMosaic": b"US", "AcquisitionMatrixText": b"SH"}


def csa(tags: Mapping[str, Sequence[object]]) -> bytes:
    """A CSA header; each tag has the items that scanners leave empty behind its own."""
    found = b"SV10\4\3\2\1" + struct.pack("<II", len(tags), 77)
    for name, values in tags.items():
        texts = [str(value).encode() + b"\0" for value in values] + [b""] * (6 - len(values))
        found += struct.pack(
            "<64si4siii", name.encode() + b"\0junk", len(values), _KINDS.get(name, b"FD"), 4, 6, 77
        )
        for text in texts:
            length = len(text)
            found += struct.pack("<4i", length, length, 77, length) + text + bytes(-length % 4)
    return found


def siemens(
    stack: Stack,
    *,
    count: object = ...,
    tags: Mapping[str, Sequence[object]] | None = None,
    header: bytes | None = None,
    across: int | None = None,
) -> Dataset:
    """A mosaic. Its position is off by half of what it is larger than a slice (nipy.org/nibabel).

    ``count`` is (0019,100A), None to leave it out; ``tags`` change those of the CSA header.
    """
    side = across or math.ceil(math.sqrt(stack.count))
    right, down = np.array(stack.orientation[:3]), np.array(stack.orientation[3:])
    off = right * SPACING[1] * COLS * (side - 1) / 2 + down * SPACING[0] * ROWS * (side - 1) / 2
    values: dict[str, object] = {
        "Manufacturer": "SIEMENS",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        "PixelSpacing": list(SPACING),
        "ImagePositionPatient": (np.array(stack.first) - off).round(9).tolist(),
        "ImageOrientationPatient": list(stack.orientation),
        "SpacingBetweenSlices": stack.step,
        "AcquisitionNumber": 3,
        "AcquisitionTime": "101112.5",
    }
    made = dataset(laid(stack.voxels, side, side), **(values | dict(stack.changes)))
    if count is not None:
        block = made.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0A, "US", stack.count if count is ... else count)
    told: dict[str, Sequence[object]] = {
        "EchoLinePosition": [],
        "NumberOfImagesInMosaic": [f"{stack.count:8d}"],
        "SliceNormalVector": [f"{value:.8f}" for value in stack.normal],
        "AcquisitionMatrixText": [f"{COLS}p*{ROWS}"],
        "B_value": [800],
    }
    made.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(
        0x10, "OB", csa(told | dict(tags or {})) if header is None else header
    )
    return made


def united_imaging(stack: Stack, *, count: object = ..., items: int | None = None) -> Dataset:
    """A grid: a sequence says of each slice where it lies and when it was taken, the root not."""
    across = math.ceil(math.sqrt(stack.count))
    values: dict[str, object] = {
        "Manufacturer": "UIH",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "VFRAME"],
        "PixelSpacing": list(SPACING),
        "ImagePositionPatient": None,
        "ImageOrientationPatient": list(stack.orientation),
        "SpacingBetweenSlices": stack.step,
    }
    picture = laid(stack.voxels, across, math.ceil(stack.count / across))
    made = dataset(picture, **(values | dict(stack.changes)))
    placed = []
    for number, position in enumerate(stack.positions[:items]):
        placed.append(Dataset())
        placed[-1].AcquisitionTime = f"1011{59 - number}.5"
        placed[-1].ImagePositionPatient = position.round(9).tolist()
    block = made.private_block(0x0065, "Image Private Header", create=True)
    if count is not None:
        block.add_new(0x50, "DS", str(stack.count if count is ... else count))
    if items != 0:
        block.add_new(0x51, "SQ", Items(placed))
    return made
