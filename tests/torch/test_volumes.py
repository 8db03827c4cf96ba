"""`VolumeDataset`: a case as one volume that knows where it lies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import FileError

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from chaosprep.torch import SliceDataset, VolumeDataset  # noqa: E402


def test_a_volume_is_its_slices_in_anatomical_order(images: Dataset, tmp_path: Path) -> None:
    copied = chaosprep.augment(images, tmp_path / "copied")
    volumes = VolumeDataset(copied)
    assert [item["id"] for item in volumes] == ["MR001_t1-in", "MR003_t1-in", "MR005_t1-in"]
    for item in volumes:
        slices = list(SliceDataset(images, patients=[item["patient"]]))
        assert torch.equal(item["image"], torch.stack([one["image"] for one in slices], dim=1))
        assert torch.equal(item["mask"], torch.stack([one["mask"] for one in slices], dim=1))
        assert torch.equal(item["spacing"], slices[0]["spacing"])


def test_the_affine_puts_the_first_voxel_of_each_slice_at_its_position(images: Dataset) -> None:
    affine = VolumeDataset(images)[0]["affine"].numpy()
    for index, row in enumerate(images.cases[0].slices):
        assert row.position is not None
        assert (affine @ [index, 0, 0, 1])[:3] == pytest.approx(row.position, abs=1e-6)
    assert row.spacing is not None
    assert np.linalg.norm(affine[:3, 2]) == pytest.approx(row.spacing[2])


def test_stored_values_are_scaled_as_in_slices(stored: Dataset) -> None:
    volume = VolumeDataset(stored)[0]
    assert torch.equal(volume["image"][:, 2], SliceDataset(stored)[2]["image"])
    raw = VolumeDataset(stored, scale="none")[0]
    assert np.array_equal(raw["image"][0].numpy(), stored.cases[0].volume())


def test_volumes_of_one_size_make_a_batch(images: Dataset) -> None:
    volumes = VolumeDataset(images, patients=["MR001"])
    (batch,) = DataLoader(volumes, batch_size=2)
    assert batch["image"].shape == (1, 1, 4, 32, 32)
    assert batch["affine"].shape == (1, 4, 4)


def test_without_masks_an_item_has_none(rewritten: Callable[..., Path]) -> None:
    def forget(row: dict[str, Any]) -> None:
        row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))

    assert "mask" not in VolumeDataset(rewritten(forget))[0]


def test_a_case_without_positions_is_a_named_error(rewritten: Callable[..., Path]) -> None:
    volumes = VolumeDataset(rewritten(lambda row: row.update(position=None)))
    with pytest.raises(FileError, match="do not make a volume"):
        volumes[0]
