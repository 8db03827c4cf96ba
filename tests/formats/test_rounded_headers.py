"""Headers are rounded: the mask that SimpleITK lays on a series lies on it all the same."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from chaosprep.formats.dicom.reading import read_header
from chaosprep.formats.masks import cut_mask
from tests.formats.samples import dicom
from tests.imaging.turning import cosines_of, rotation

SIDE, SLICES, STEP, PIXEL = 200, 4, 3.3, 0.7


def series(folder: Path, cosines: int, positions: int) -> list[str]:
    """An oblique series whose headers have so many decimals."""
    axes = rotation(12, -7, 3)
    folder.mkdir()
    files = []
    for number in range(SLICES):
        place = [101.2345678, -87.654321, 43.21] + number * STEP * axes[:, 2]
        data = dicom(
            np.zeros((SIDE, SIDE), np.uint16),
            ImageOrientationPatient=[f"{value:.{cosines}f}" for value in cosines_of(axes)],
            ImagePositionPatient=[f"{value:.{positions}f}" for value in place],
            PixelSpacing=[PIXEL, PIXEL],
            SeriesInstanceUID="1.2.3",
        )
        files.append(str(folder / f"{number}.dcm"))
        Path(files[-1]).write_bytes(data)
    return files


@pytest.mark.parametrize("orientation", ["LPS", "RAS"])
@pytest.mark.parametrize(("cosines", "positions"), [(8, 2), (5, 3), (4, 2)])
def test_a_mask_of_a_series_with_rounded_headers_fits(
    tmp_path: Path, cosines: int, positions: int, orientation: str
) -> None:
    files = series(tmp_path / "images", cosines, positions)
    labels = np.zeros((SLICES, SIDE, SIDE), np.uint8)
    for number in range(SLICES):
        labels[number, 10 * number, 5:180] = number + 1
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(files)
    mask = SimpleITK.GetImageFromArray(labels)
    mask.CopyInformation(reader.Execute())
    SimpleITK.WriteImage(SimpleITK.DICOMOrient(mask, orientation), str(tmp_path / "m.nii"))
    headers = {file: read_header(Path(file).read_bytes()) for file in files}
    stack = cut_mask(tmp_path, "m.nii", (tmp_path / "m.nii").read_bytes(), headers, SLICES)
    assert stack.errors == []
    assert np.array_equal(np.stack([stack.labels[file] for file in files]), labels)
