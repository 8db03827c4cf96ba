"""`verify` where names alone tell images from masks, as public data sets have them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import chaosprep
from chaosprep.errors import NothingFoundError
from tests.quality.foreign.test_volumes import image_of, labels_of, save

RANDOM = np.random.default_rng(5)


def volumes(root: Path, *pairs: tuple[str, str]) -> Path:
    """An image and its mask for each pair of paths."""
    for image, mask in pairs:
        save(root / image, image_of(RANDOM))
        save(root / mask, labels_of(RANDOM))
    return root


def faults(root: Path) -> list[tuple[str, str]]:
    return [(one.code, one.id) for one in chaosprep.verify(root).faults]


NAMED = [
    ("img/img{}.nii.gz", "label/label{}.nii.gz"),  # BTCV
    ("images/volume-{}.nii", "labels/segmentation-{}.nii"),  # LiTS
    ("data/im_{}.nii.gz", "seg/lb_{}.nii.gz"),
    ("images/{}.nii.gz", "segmentations/{}.nii.gz"),
    ("data/p{}.nii.gz", "data/p{}_seg.nii.gz"),
]


@pytest.mark.parametrize(("image", "mask"), NAMED)
def test_an_image_and_a_mask_of_one_number_are_a_pair(
    tmp_path: Path, image: str, mask: str
) -> None:
    volumes(tmp_path, *((image.format(n), mask.format(n)) for n in ("0001", "0002", "0010")))
    assert faults(tmp_path) == []
    (tmp_path / mask.format("0002")).unlink()
    ((code, id),) = faults(tmp_path)
    assert (code, id[-4:]) == ("mask-missing", "0002")


def test_two_masks_of_one_number_are_no_pair(tmp_path: Path) -> None:
    volumes(tmp_path, ("images/img1.nii.gz", "masks/mask1.nii.gz"))
    save(tmp_path / "masks" / "label1.nii.gz", labels_of(RANDOM))
    assert sorted(faults(tmp_path)) == [
        ("mask-missing", "img1"),
        ("mask-surplus", "label1"),
        ("mask-surplus", "mask1"),
    ]


def test_pictures_of_one_number_are_pairs(tmp_path: Path) -> None:
    for number in (1, 2):
        for path, most in ((f"images/img_{number}.png", 255), (f"masks/mask_{number}.png", 1)):
            pixels = np.zeros((24, 24), np.uint8)
            pixels[4:18, 4 : 12 + number] = most
            (tmp_path / path).parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / path)
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("data/case_{}/imaging.nii.gz", "data/case_{}/segmentation.nii.gz"),  # KiTS
        ("volume-{}.nii", "segmentation-{}.nii"),
        ("p{0}/p{0}_t1.nii", "p{0}/p{0}_seg.nii"),  # BraTS
    ],
)
def test_masks_among_images_are_refused_with_what_to_say(
    tmp_path: Path, image: str, mask: str
) -> None:
    volumes(tmp_path, *((image.format(n), mask.format(n)) for n in range(2)))
    with pytest.raises(NothingFoundError, match="nothing tells images from masks") as caught:
        chaosprep.verify(tmp_path)
    assert "masks=" in str(caught.value)


def test_a_folder_of_images_alone_says_that_it_has_no_mask(tmp_path: Path) -> None:
    for number in range(2):
        save(tmp_path / "images" / f"{number}.nii.gz", image_of(RANDOM))
    found = chaosprep.verify(tmp_path)
    assert found.faults == ()
    assert "no image has a mask: only images were looked at" in found.notes


def test_a_linked_folder_and_files_of_other_kinds_are_notes(tmp_path: Path) -> None:
    root = volumes(tmp_path / "set", ("images/a.nii.gz", "labels/a.nii.gz"))
    (tmp_path / "more").mkdir()
    (root / "images/more").symlink_to(tmp_path / "more")
    (root / "images/notes.txt").write_text("x")
    notes = chaosprep.verify(root).notes
    assert "images/more: the folder is a link and was not read" in notes
    assert any(note.startswith("images/notes.txt: not one of the formats") for note in notes)
