"""Files of several frames: frames become slices, each with its own place, rescale and pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sequence import Sequence

import chaosprep
from chaosprep.errors import ProblemsError
from tests.formats.samples import encoded, item
from tests.formats.test_frames import STACK, enhanced, frame_group, group
from tests.formats.test_labels import npy
from tests.layouts.trees import png_of, write

FALLING = Sequence([frame_group(2), frame_group(1), frame_group(0)])  # as they stand in the file
for frame in FALLING:
    del frame.MREchoSequence  # frames of one volume have one echo time


AXIAL = group(
    PixelMeasuresSequence=item(PixelSpacing=[1.25, 1.5], SliceThickness=5),
    PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
)


def data() -> bytes:
    groups = {
        "PerFrameFunctionalGroupsSequence": FALLING,
        "SharedFunctionalGroupsSequence": Sequence([AXIAL]),
    }
    return encoded(enhanced(**groups))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One patient, whose series is one file of three frames, the highest first."""
    files = {
        "scans/a/series.dcm": data(),
        "npy/a.npy": npy(np.stack([np.full((3, 4), n, np.uint8) for n in (1, 2, 3)])),
        "png/a/series.png": png_of(np.zeros((3, 4), np.uint8)),
    }
    return write(tmp_path / "root", files)


def split(root: Path, out: Path, masks: str | None = None) -> chaosprep.Dataset:
    return chaosprep.split(root, out, images="scans/{patient}/{slice}.dcm", masks=masks, val=0.0)


def test_frames_are_slices_in_anatomical_order(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out")
    assert [row.position for row in made.slices] == [(0, 0, 0), (0, 0, 5.5), (0, 0, 11)]
    assert [row.spacing for row in made.slices] == [(5.5, 1.25, 1.5)] * 3
    assert [row.slice for row in made.slices] == [0, 1, 2]
    assert [row.frame for row in made.slices] == [2, 1, 0]
    assert [row.slope for row in made.slices] == [1, 2, 3]
    for row in made.slices:
        assert row.frame is not None
        assert np.array_equal(made.image(row), STACK[row.frame])


def test_the_file_is_copied_once(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out")
    (file,) = (tmp_path / "out/train/images").iterdir()
    assert file.read_bytes() == data()
    assert {row.image for row in made.slices} == {f"train/images/{file.name}"}
    assert not chaosprep.verify(made.directory).faults


@pytest.mark.parametrize("fields", [{"keep_16bit": True}, {"format": "npy"}])
def test_each_frame_becomes_a_picture_of_its_own(
    root: Path, tmp_path: Path, fields: dict[str, Any]
) -> None:
    parent = split(root, tmp_path / "out")
    made = chaosprep.convert(parent, tmp_path / "images", **fields)
    assert len({row.image for row in made.slices}) == 3
    for before, row in zip(parent.slices, made.slices, strict=True):
        assert row.frame is None
        assert before.frame is not None
        assert np.array_equal(made.image(row), STACK[before.frame])


def test_a_volume_can_be_the_mask(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out", masks="npy/{patient}.npy")
    values = [np.unique(made.mask(row)).tolist() for row in made.slices]  # type: ignore[arg-type]
    assert values == [[1], [2], [3]]


def test_one_picture_cannot_be_the_mask_of_all_frames(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        split(root, tmp_path / "out", masks="png/{patient}/{slice}.png")
    assert {problem.code for problem in caught.value.problems} == {"mask-frames"}
    assert "3 frames" in caught.value.problems[0].reason


def test_a_file_of_more_pixels_than_the_cap_is_not_decoded(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(
            root, tmp_path / "out", images="scans/{patient}/{slice}.dcm", val=0.0, max_pixels=35
        )
    assert [problem.code for problem in caught.value.problems] == ["too-large"]


def test_a_raised_cap_holds_for_the_stages_after_split(root: Path, tmp_path: Path) -> None:
    made = chaosprep.split(
        root, tmp_path / "out", images="scans/{patient}/{slice}.dcm", val=0.0, max_pixels=2**27
    )
    assert {case.max_pixels for case in chaosprep.open(made.directory).cases} == {2**27}


def test_a_seg_of_the_frames_can_be_the_mask(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    from tests.formats.test_seg_images import FRAMES, multi_frame, multi_frame_seg

    write(root, {"seg/a.dcm": multi_frame_seg(), "scans/a/series.dcm": encoded(multi_frame())})
    made = split(root, tmp_path / "out", masks="seg/{patient}.dcm")
    assert [row.frame for row in made.slices] == [2, 1, 0]
    assert np.array_equal(np.stack([made.mask(row) for row in made.slices]), FRAMES[::-1])  # type: ignore[misc]
