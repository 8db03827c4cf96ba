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
from chaosprep.quality.report.pictures import view_case
from chaosprep.stages.augment import AugmentParams
from chaosprep.stages.augment_preview import preview as augment_preview
from tests.formats.volume_files import nifti


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


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """One patient as a NIfTI, whose rows run to the back as DICOM's, or to the front."""
    made = {}
    rows, cols = np.mgrid[:24, :20]
    labels = np.repeat(((rows < 8) & (cols < 12)).astype(np.uint8)[:, :, None], 3, 2)
    voxels = (rows * 3 + cols)[:, :, None] * np.arange(1, 4)
    back = np.diag([-1.5, -1.5, 4, 1.0])
    front = back @ np.array([[-1, 0, 0, 19], [0, -1, 0, 23], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    for name, affine, way in (("back", back, 1), ("front", front, -1)):
        folder = tmp_path_factory.mktemp(name)
        for kind, array in (("image", voxels.astype(np.int16)), ("mask", labels)):
            turned = array[::way, ::way].transpose(1, 0, 2)
            (folder / f"p1_{kind}.nii.gz").write_bytes(nifti(turned, affine))
        made[name] = chaosprep.split(
            folder,
            tmp_path_factory.mktemp("out") / name,
            images="{patient}_image.nii.gz",
            masks="{patient}_mask.nii.gz",
            val=0.0,
        )
    return made


def test_a_patient_is_drawn_alike_however_the_rows_are_stored(
    stored: dict[str, Dataset], tmp_path: Path
) -> None:
    for name, one in stored.items():
        preview(one.directory, tmp_path / f"{name}.png")
    assert (tmp_path / "back.png").read_bytes() == (tmp_path / "front.png").read_bytes()


def test_a_report_shows_a_patient_alike_however_the_rows_are_stored(
    stored: dict[str, Dataset],
) -> None:
    back, front = (view_case(one.cases[0], "all", 10**6, 10**6) for one in stored.values())
    for one, other in zip(back.originals, front.originals, strict=True):
        assert one.outlines
        assert (one.uri, one.outlines, one.box) == (other.uri, other.outlines, other.box)


def test_the_original_in_a_preview_of_augment_is_drawn_alike_however_the_rows_are_stored(
    stored: dict[str, Dataset],
) -> None:
    back, front = (
        cv2.imdecode(np.frombuffer(augment_preview(one, AugmentParams()), np.uint8), 1)
        for one in stored.values()
    )
    assert back is not None
    assert front is not None
    original = slice(None), slice(0, 40)
    assert np.array_equal(back[original], front[original])
