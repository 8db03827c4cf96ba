"""What SimpleITK reads, from DICOM series and from NIfTI: the other side of every comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from pydicom import dcmread


@dataclass(frozen=True, eq=False)
class Read:
    """Voxels (slices, rows, cols), and where SimpleITK says that they lie, in LPS mm."""

    voxels: NDArray[Any]
    position: tuple[float, ...]
    spacing: tuple[float, ...]
    direction: tuple[float, ...]


def read_series(folder: Path) -> Read:
    """A DICOM series, its files sorted by GDCM."""
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(names)
    return _read(reader.Execute())


def read_volume(file: Path) -> Read:
    """A NIfTI volume."""
    return _read(SimpleITK.ReadImage(str(file)))


def assert_same_place(found: Read, expected: Read) -> None:
    """Position, spacing and direction agree to 1e-3."""
    assert found.voxels.shape == expected.voxels.shape
    for name in ("position", "spacing", "direction"):
        assert np.allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=1e-3), name


def dice(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """2|A and B| / (|A| + |B|)."""
    inside = np.count_nonzero(found & expected)
    return 2 * inside / (np.count_nonzero(found) + np.count_nonzero(expected))


def turn(root: Path, degrees: Sequence[float]) -> None:
    """Turn every file's patient about x, then about z; pixels stay as they are."""
    x, z = np.deg2rad(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    turned = about_z @ about_x
    for path in root.rglob("*.dcm"):
        header = dcmread(path)
        cosines = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
        position = turned @ np.array(header.ImagePositionPatient, float)
        header.ImageOrientationPatient = [f"{value:.10f}" for value in (cosines @ turned.T).ravel()]
        header.ImagePositionPatient = [f"{value:.6f}" for value in position]
        header.save_as(path)


def _read(image: Any) -> Read:  # noqa: ANN401 - a SimpleITK image
    return Read(
        SimpleITK.GetArrayFromImage(image),
        image.GetOrigin(),
        image.GetSpacing(),
        image.GetDirection(),
    )
