"""Volumes of labels as other programs write them: SimpleITK, or a header by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

LPS = np.diag([-1.0, -1, 1, 1])


def itk(
    folder: Path,
    name: str,
    voxels: NDArray[Any],
    affine: NDArray[np.float64],
    *,
    compressed: bool = False,
    said: dict[str, str] | None = None,
) -> Path:
    """Write voxels (i, j, k), whose affine gives RAS mm, with SimpleITK."""
    steps = (LPS @ affine)[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((steps / spacing).ravel().tolist())
    image.SetOrigin((LPS @ affine)[:3, 3].tolist())
    for key, value in (said or {}).items():
        image.SetMetaData(key, value)
    SimpleITK.WriteImage(image, str(folder / name), compressed)
    return folder / name


def nrrd(
    lines: Sequence[str], data: bytes = b"", *, version: int = 4, newline: str = "\n"
) -> bytes:
    """A NRRD of header lines."""
    return newline.join([f"NRRD000{version}", *lines, "", ""]).encode() + data


def placed(voxels: NDArray[Any], affine: NDArray[np.float64], space: str = "ras") -> list[str]:
    """The lines of a header that say what voxels (i, j, k) are, and where: RAS mm."""
    signs = {"ras": (1, 1, 1), "lps": (-1, -1, 1), "las": (-1, 1, 1)}[space]
    turned = np.diag([*signs, 1.0]) @ affine
    names = {"r": "right", "l": "left", "a": "anterior", "p": "posterior", "s": "superior"}
    kinds = {"uint8": "uchar", "uint16": "ushort", "int16": "short", "float32": "float"}
    vectors = [",".join(repr(float(x)) for x in turned[:3, at]) for at in range(4)]
    return [
        f"type: {kinds[voxels.dtype.name]}",
        "dimension: 3",
        f"space: {'-'.join(names[one] for one in space)}",
        f"sizes: {' '.join(map(str, voxels.shape))}",
        f"space directions: {' '.join(f'({one})' for one in vectors[:3])}",
        f"space origin: ({vectors[3]})",
        "endian: little",
    ]


def little(voxels: NDArray[Any]) -> bytes:
    """Voxels (i, j, k), i the fastest."""
    return voxels.astype(voxels.dtype.newbyteorder("<")).tobytes(order="F")


def itk_reads(file: Path, data: bytes, capfd: pytest.CaptureFixture[str]) -> SimpleITK.Image | None:
    """What SimpleITK makes of a file; None where it raises, or tells of what it made up."""
    file.write_bytes(data)
    try:
        image = SimpleITK.ReadImage(str(file))
    except RuntimeError:
        image = None
    file.unlink()
    return None if any(capfd.readouterr()) else image
