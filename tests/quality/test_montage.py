"""preview: what is on the sheet, and what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.outlines import PALETTE
from chaosprep.dataset.tiles import display_window, grey
from chaosprep.errors import UsageError
from chaosprep.quality.montage import preview


def test_every_case_is_a_band_of_at_most_so_many_slices(images: Dataset, tmp_path: Path) -> None:
    sheet = preview(images.directory, tmp_path / "sheet.png", per_case=2, tile=64)
    assert (sheet.cases, sheet.slices) == (4, 8)
    drawn = cv2.imread(str(sheet.path))
    assert drawn is not None
    assert drawn.shape == (sheet.height, sheet.width, 3)


def test_per_case_0_draws_every_original_and_no_copy(directory: Path, tmp_path: Path) -> None:
    originals = [row for row in chaosprep.open(directory).slices if not row.copy]
    sheet = preview(directory, tmp_path / "sheet.png", per_case=0, tile=32)
    assert sheet.slices == len(originals)


def test_the_outline_has_the_colour_of_its_organ(livers: Dataset, tmp_path: Path) -> None:
    sheet = preview(livers.directory, tmp_path / "sheet.png", per_case=0, tile=256)
    drawn = cv2.imread(str(sheet.path))
    assert drawn is not None
    red, green, blue = PALETTE[0]
    assert (np.abs(drawn.astype(int) - (blue, green, red)).max(axis=2) < 12).sum() > 100


def test_the_same_directory_gives_the_same_sheet(images: Dataset, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        preview(images.directory, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_slice_that_cannot_be_read_is_an_empty_frame(directory: Path, tmp_path: Path) -> None:
    whole = preview(directory, tmp_path / "whole.png")
    for path in directory.glob("*/images/MR001*"):
        path.unlink()
    for path in directory.glob("*/masks/MR002*"):
        path.unlink()
    broken = preview(directory, tmp_path / "broken.png")
    assert (broken.width, broken.height) == (whole.width, whole.height)


def test_an_unknown_case_is_named(images: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MR999_t1-in: no such case"):
        preview(images.directory, tmp_path / "sheet.png", cases=["MR999_t1-in"])


def test_a_sheet_that_no_program_opens_is_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pixels high"):
        preview(directory, tmp_path / "sheet.png", per_case=0, tile=5000)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sheet.jpg", r"sheet\.jpg: its name is that of another kind"),
        ("data/sheet.png", "inside the dataset"),
        ("none/sheet.png", r"sheet\.png: its folder does not exist"),
    ],
)
def test_an_output_that_cannot_be_is_refused(
    directory: Path, tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        preview(directory, tmp_path / name)


def test_16_bit_originals_are_shown_by_percentiles_and_8_bit_as_they_are(
    pairs: Dataset, images: Dataset
) -> None:
    for dataset, kind in ((pairs, "percentiles"), (images, "as they are")):
        case = dataset.cases[0]
        arrays = {row.id: case.image(row) for row in case.slices}
        values = np.concatenate([array.ravel() for array in arrays.values()])
        low, high = np.percentile(values, [0.5, 99.5]) if kind == "percentiles" else (0, 255)
        assert display_window(case, arrays) == pytest.approx((low, high))


def test_what_is_no_number_is_black() -> None:
    array = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    assert grey(array, (0.0, 1.0)).tolist() == [[0, 255, 0, 128]]
