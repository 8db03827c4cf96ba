"""What others see of an export, and of the DICOM it came from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes."""
    return {name: (folder / name).read_bytes() for name in files(folder)}


def load(file: Path) -> Any:  # noqa: ANN401 - whatever it holds
    """A JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def voxels(file: Path) -> NDArray[Any]:
    """The voxels of a NIfTI file as SimpleITK reads them, (slices, rows, cols)."""
    array: NDArray[Any] = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    return array


def series(folder: Path) -> SimpleITK.Image:
    """A DICOM series as SimpleITK reads it: ordered by position, rescaled."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image: SimpleITK.Image = reader.Execute()
    return image


def same_volume(file: Path, expected: SimpleITK.Image) -> bool:
    """Whether a NIfTI file holds these voxels at these places, to 1e-3 mm at the far corner."""
    found = SimpleITK.ReadImage(str(file))
    if found.GetSize() != expected.GetSize():
        return False
    corner = [size - 1 for size in expected.GetSize()]
    return bool(
        np.array_equal(SimpleITK.GetArrayFromImage(found), SimpleITK.GetArrayFromImage(expected))
        and all(
            np.allclose(
                found.TransformIndexToPhysicalPoint(index),
                expected.TransformIndexToPhysicalPoint(index),
                atol=1e-3,
            )
            for index in ([0, 0, 0], [corner[0], 0, 0], [0, corner[1], 0], corner)
        )
    )
