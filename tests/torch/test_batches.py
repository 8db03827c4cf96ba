"""Batches: cut-outs and order depend on seed and epoch alone; sizes are made equal."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import FileError, Problem
from chaosprep.phantom import Patient, write_chaos

torch = pytest.importorskip("torch")

from chaosprep.torch.batches import Batches, CutOuts, padded  # noqa: E402
from chaosprep.torch.slices import SliceDataset  # noqa: E402


def item(rows: int, cols: int, **more: Any) -> dict[str, Any]:
    image = torch.ones(1, rows, cols)
    return {"id": "MR001_t1-in_s000", "patient": "MR001", "image": image, **more}


def epoch(batches: Batches, number: int) -> list[dict[str, Any]]:
    return list(batches.epoch(number))


def test_slices_of_different_sizes_are_padded_below_and_right_to_a_multiple_of_16() -> None:
    batch = padded([item(40, 33), item(20, 60)])
    assert isinstance(batch, dict)
    assert batch["image"].shape == (2, 1, 48, 64)
    assert batch["size"] == [(40, 33), (20, 60)]
    assert batch["image"][0].sum() == batch["image"][0, 0, :40, :33].sum() == 40 * 33
    assert "mask" not in batch


def test_tiny_slices_grow_to_what_the_network_can_take() -> None:
    batch = padded([item(5, 5)])
    assert isinstance(batch, dict)
    assert batch["image"].shape == (1, 1, 32, 32)


def test_one_slice_that_cannot_be_read_is_the_whole_batch() -> None:
    problem = Problem(code="hash", id="MR001_t1-in_s001", reason="changed")
    assert padded([item(8, 8), problem]) is problem


def test_a_cut_out_is_a_part_of_the_slice_and_the_same_of_its_mask(images: Dataset) -> None:
    slices = SliceDataset(images)
    whole = slices[1]
    cut = CutOuts(slices, (8, 12), seed=0)[1]
    assert isinstance(cut, dict)
    assert cut["image"].shape == cut["mask"].shape == (1, 8, 12)
    places = [
        (row, col)
        for row in range(25)
        for col in range(21)
        if torch.equal(whole["image"][:, row : row + 8, col : col + 12], cut["image"])
    ]
    assert len(places) == 1
    row, col = places[0]
    assert torch.equal(whole["mask"][:, row : row + 8, col : col + 12], cut["mask"])


def test_cut_outs_move_with_the_epoch_and_with_the_seed(images: Dataset) -> None:
    slices = SliceDataset(images)

    def cut(number: int, seed: int) -> Any:  # noqa: ANN401 - a tensor
        slices.set_epoch(number)
        made = CutOuts(slices, (8, 8), seed)[1]
        assert isinstance(made, dict)
        return made["image"]

    assert torch.equal(cut(0, 0), cut(0, 0))
    assert not torch.equal(cut(0, 0), cut(1, 0))
    assert not torch.equal(cut(0, 0), cut(0, 1))


def test_a_patch_larger_than_the_slice_takes_all_of_it(images: Dataset) -> None:
    cut = CutOuts(SliceDataset(images), (64, 16), seed=0)[0]
    assert isinstance(cut, dict)
    assert cut["image"].shape == (1, 32, 16)


def test_every_epoch_shows_each_slice_once_in_an_order_of_its_own(images: Dataset) -> None:
    slices = SliceDataset(images)
    batches = Batches(CutOuts(slices, None, 0), batch=4, seed=0, shuffled=True)
    orders = [[id for one in epoch(batches, number) for id in one["id"]] for number in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    everything = [slices[index]["id"] for index in range(len(slices))]
    assert sorted(orders[0]) == sorted(orders[1]) == everything
    straight = Batches(CutOuts(slices, None, 0), batch=4, seed=0, shuffled=False)
    assert [id for one in epoch(straight, 1) for id in one["id"]] == everything


def test_every_epoch_is_augmented_in_its_own_way(images: Dataset) -> None:
    items = CutOuts(SliceDataset(images, augment="mri"), None, 0)
    batches = Batches(items, batch=4, seed=0, shuffled=False)
    first, second, again = (epoch(batches, number)[0]["image"] for number in (0, 1, 0))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
def test_workers_change_nothing(images: Dataset) -> None:
    made = []
    for workers in (0, 2):
        slices = SliceDataset(images, augment="mri")
        cut = CutOuts(slices, (24, 24), 0)
        batches = Batches(cut, batch=4, seed=0, shuffled=True, workers=workers)
        made.append(torch.cat([one["image"] for n in (0, 1) for one in epoch(batches, n)]))
    assert torch.equal(*made)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_slice_is_named_also_from_a_worker(tmp_path: Path, workers: int) -> None:
    root = write_chaos(tmp_path / "chaos", [Patient(id=1, slices=3, matrix=32)])
    pairs = chaosprep.split(root, tmp_path / "split", val=0, sequence=["t1-in"])
    out = chaosprep.convert(pairs, tmp_path / "out")
    path = out.directory / out.slices[1].image
    path.write_bytes(path.read_bytes()[:-1])
    cut = CutOuts(SliceDataset(out), None, 0)
    batches = Batches(cut, batch=1, seed=0, shuffled=False, workers=workers)
    with pytest.raises(FileError) as error:
        epoch(batches, 0)
    assert error.value.code == "hash"
    assert str(error.value).startswith("MR001_t1-in_s001: train/images/MR001_t1-in_s001.png: ")
