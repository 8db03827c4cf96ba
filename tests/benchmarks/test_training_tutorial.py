"""The tutorial's way: its files pair, its figures lie as the slices lie, its masks get cut."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

import torch

import chaosprep
from benchmarks import tutorial
from benchmarks.training.tutorial_way import files_of, found, mask_of, training_pairs
from chaosprep import Dataset
from chaosprep.formats.png import encode_png


class Bright(torch.nn.Module):  # type: ignore[misc]
    """Sees everything that is brighter than the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image - 0.5 + self.nothing


class Learner:
    network = Bright()


def test_a_figure_lies_as_its_slice_lies(livers: Dataset, pairs: Dataset, tmp_path: Path) -> None:
    """Drawn at 128 pixels, thresholded there, and brought back to the pixels of the slice."""
    from benchmarks.training.tutorial_way import image_of

    tutorial.figure(pairs.directory, tmp_path, "val", 128)
    cases = [case for case in pairs.cases if case.split == "val"]
    assert len(list(tmp_path.iterdir())) == sum(len(case.slices) for case in cases) > 0
    for case in cases:
        for row in case.slices:
            pixels = np.asarray(case.pixels(row)[1], float)
            bright = (pixels - pixels.min()) / np.ptp(pixels) > 0.5
            image = image_of(tmp_path / f"{row.id}.png")
            assert image.shape == (128, 128)
            mask = found(Learner(), image, bright.shape).astype(bool)  # type: ignore[arg-type]
            assert 2 * (mask & bright).sum() / (mask.sum() + bright.sum()) > 0.8


def test_only_the_side_train_is_learned_from_with_two_copies_of_each(
    pairs: Dataset, tmp_path: Path
) -> None:
    tmp_path = tmp_path / "files"
    tmp_path.mkdir()
    found = training_pairs(pairs.directory, tmp_path, 48, seed=0)
    train = [row for row in pairs.slices if row.split == "train"]
    assert len(found) == 3 * len(train)
    named = {path.stem for path in (tmp_path / "train/images").iterdir()}
    assert named == {row.id for row in train}
    for image, mask in found:
        assert image.shape == mask.shape == (48, 48)
        assert 0 <= image.min() < image.max() <= 1
        assert set(np.unique(mask)) <= {0, 1}


def test_the_same_seed_gives_the_same_pairs_in_the_same_order(
    pairs: Dataset, tmp_path: Path
) -> None:
    made = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        (tmp_path / name).mkdir()
        made.append(training_pairs(pairs.directory, tmp_path / name, 32, seed))
    same = [np.array_equal(a[0], b[0]) for a, b in zip(made[0], made[1], strict=True)]
    other = [np.array_equal(a[0], b[0]) for a, b in zip(made[0], made[2], strict=True)]
    assert all(same)
    assert not all(other)


def test_copies_keep_their_own_mask(tmp_path: Path) -> None:
    """Augmentor gives image and mask of a copy names that differ in their beginning alone."""
    for folder in ("train/images", "train/masks", "augmented"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.png", "b.png"):
        for side in ("images", "masks"):
            (tmp_path / f"train/{side}" / name).write_bytes(encode_png(np.zeros((2, 2), "u1")))
        for number in (1, 2):
            ending = f"{name}_{number}.png"
            (tmp_path / "augmented" / f"images_original_{ending}").write_bytes(ending.encode())
            (tmp_path / "augmented" / f"_groundtruth_(1)_images_{ending}").write_bytes(b"")
    found = files_of(tmp_path)
    assert len(found) == 6
    for image, mask in found:
        name = mask.name.replace("_groundtruth_(1)_images_", "images_original_")
        assert image.name == name
        assert image.is_file()
        assert mask.is_file()


def test_blurred_edges_are_cut_at_the_middle(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(encode_png(np.array([[0, 127, 128, 255]], np.uint8)))
    assert mask_of(tmp_path / "m.png").tolist() == [[0, 0, 1, 1]]


def test_the_loop_of_the_tutorial_takes_the_liver_alone(pairs: Dataset, livers: Dataset) -> None:
    for case in pairs.cases:
        for row in case.slices:
            grey, liver = case.mask(row), chaosprep.open(livers.directory).case(case.id)
            assert grey is not None
            mask = next(liver.mask(one) for one in liver.slices if one.id == row.id)
            assert np.array_equal(tutorial.liver_of(grey) > 0, np.asarray(mask) > 0)
