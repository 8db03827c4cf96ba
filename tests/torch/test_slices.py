"""`SliceDataset`: what an item holds, for 8-bit, 16-bit and npy alike, in any worker."""

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ManifestError, UsageError
from chaosprep.running import table_writing

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from chaosprep.torch import SliceDataset, VolumeDataset  # noqa: E402


def on_disk(dataset: Dataset, path: str | None) -> NDArray[Any]:
    array = cv2.imread(str(dataset.directory / str(path)), cv2.IMREAD_UNCHANGED)
    assert array is not None
    return array


def all_items(slices: SliceDataset) -> list[dict[str, Any]]:
    return [slices[index] for index in range(len(slices))]


def test_an_item_is_the_pair_as_tensors(images: Dataset) -> None:
    rows = [row for row in images.slices if row.split == "train"]
    slices = SliceDataset(images.directory)
    assert len(slices) == len(rows)
    for item, row in zip(all_items(slices), rows, strict=True):
        expected = on_disk(images, row.image).astype(np.float32) / np.float32(255)
        assert item["image"].dtype == item["mask"].dtype == torch.float32
        assert np.array_equal(item["image"].numpy(), expected[None])
        assert np.array_equal(item["mask"].numpy(), (on_disk(images, row.mask) == 255)[None])
        assert (item["id"], item["patient"]) == (row.id, row.patient)
        assert row.spacing is not None
        assert item["spacing"].tolist() == pytest.approx(row.spacing)


def test_windowed_images_are_divided_by_255_whatever_they_show(
    livers: Dataset, tmp_path: Path
) -> None:
    dark = chaosprep.convert(livers, tmp_path / "dark", window="0,5000")
    item = SliceDataset(dark)[2]
    row = next(row for row in dark.slices if row.id == item["id"])
    expected = on_disk(dark, row.image).astype(np.float32) / np.float32(255)
    assert expected.max() < 0.5
    assert np.array_equal(item["image"][0].numpy(), expected)


def test_stored_values_are_scaled_by_two_percentiles_of_the_case_and_not_clipped(
    stored: Dataset,
) -> None:
    slices = SliceDataset(stored)
    case = stored.cases[0]
    low, high = np.percentile(case.volume(), [0.5, 99.5])
    for item, row in zip(all_items(slices), case.slices, strict=False):
        expected = (on_disk(stored, row.image) - low) / (high - low)
        assert item["image"][0].numpy() == pytest.approx(expected, abs=1e-6)
    assert max(item["image"].max() for item in all_items(slices)) > 1


def test_npy_and_16_bit_png_give_the_same_items(
    stored: Dataset, livers: Dataset, tmp_path: Path
) -> None:
    npy = chaosprep.convert(livers, tmp_path / "npy", format="npy")
    for one, other in zip(
        all_items(SliceDataset(stored)), all_items(SliceDataset(npy)), strict=True
    ):
        assert torch.equal(one["image"], other["image"])


def test_8_and_16_bit_agree_but_for_rounding_and_clipping(images: Dataset, stored: Dataset) -> None:
    for one, other in zip(
        all_items(SliceDataset(images)), all_items(SliceDataset(stored)), strict=True
    ):
        clipped = other["image"].clamp(0, 1)
        assert torch.allclose(one["image"], clipped, atol=0.5 / 255 + 1e-6)


def test_padding_does_not_move_the_percentiles(livers: Dataset, tmp_path: Path) -> None:
    plain = chaosprep.convert(livers, tmp_path / "plain", keep_16bit=True)
    padded = chaosprep.convert(livers, tmp_path / "padded", keep_16bit=True, size="64")
    inside = SliceDataset(padded)[0]["image"][:, 16:48, 16:48]
    assert torch.equal(inside, SliceDataset(plain)[0]["image"])


def test_scale_none_gives_stored_values(stored: Dataset) -> None:
    item = SliceDataset(stored, scale="none")[2]
    row = next(row for row in stored.slices if row.id == item["id"])
    assert np.array_equal(item["image"][0].numpy(), on_disk(stored, row.image))


def test_a_label_map_has_labels_from_1_in_int64(organs: Dataset) -> None:
    slices = SliceDataset(organs)
    assert slices.labels == {"liver": 1, "right-kidney": 2, "left-kidney": 3, "spleen": 4}
    masks = [item["mask"] for item in all_items(slices)]
    assert {mask.dtype for mask in masks} == {torch.int64}
    assert set(torch.cat(masks).unique().tolist()) == {0, 1, 2, 3, 4}


def test_a_slice_without_mask_has_no_mask(rewritten: Callable[..., Path]) -> None:
    def forget(row: dict[str, Any]) -> None:
        if row["slice"] == 0:
            row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))

    path = rewritten(forget)
    items = all_items(SliceDataset(path))
    assert ["mask" in item for item in items[:3]] == [False, True, True]
    assert len(SliceDataset(path, labelled=True)) == len(items) - 3


def test_an_unknown_spacing_is_0_and_never_nan(rewritten: Callable[..., Path]) -> None:
    def forget(row: dict[str, Any]) -> None:
        row["spacing"] = None if row["slice"] else [None, 2.0, 3.0]

    items = all_items(SliceDataset(rewritten(forget)))
    assert items[0]["spacing"].tolist() == [0, 2, 3]
    assert items[1]["spacing"].tolist() == [0, 0, 0]


def test_sides_sequences_patients_and_copies_choose_rows(
    phantom: Path, images: Dataset, tmp_path: Path
) -> None:
    copied = chaosprep.augment(images, tmp_path / "copied", copies=2)
    ids = [row.id for row in images.slices if row.split == "train"]
    assert len(SliceDataset(copied)) == 3 * len(ids)
    assert [item["id"] for item in all_items(SliceDataset(copied, copies=False))] == ids
    assert SliceDataset(copied, "val").patients == ("MR002",)
    assert SliceDataset(copied, patients=["MR003"]).patients == ("MR003",)
    pairs = chaosprep.split(phantom, tmp_path / "both", sequence=["t1-in", "t1-out"])
    out = chaosprep.convert(pairs, tmp_path / "out")
    found = SliceDataset(out, sequences=["t1-out"])
    assert 0 < len(found) < len(SliceDataset(out))
    assert all("_t1-out_" in item["id"] for item in all_items(found))


def test_a_plain_text_is_one_patient_or_sequence(images: Dataset) -> None:
    assert SliceDataset(images, "val", patients="MR002").patients == ("MR002",)
    assert len(SliceDataset(images, sequences="t1-in")) == len(SliceDataset(images))
    assert VolumeDataset(images, "val", patients="MR002", sequences="t1-in").patients == ("MR002",)


@pytest.mark.parametrize("kind", [SliceDataset, VolumeDataset])
@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"split": "valid"}, "split: must be one of train, val, test"),
        ({"scale": "cases"}, "scale: must be one of case, none"),
        ({"check": "never"}, "check: must be one of once, always"),
        ({"patients": ["MR009"]}, r"MR009: no such patient in .*There are: MR001, MR002"),
        ({"sequences": ["t1_in"]}, r"t1_in: no such sequence in .*There are: t1-in\."),
        ({"fold": 7}, r"7: no such fold in .*Split with folds\."),
    ],
)
def test_what_is_not_there_is_named_and_never_an_empty_dataset(
    images: Dataset, kind: Callable[..., Any], asked: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        kind(images, **asked)


def test_with_a_fold_val_is_that_fold_and_train_all_others(
    rewritten: Callable[..., Path],
) -> None:
    folds = {"MR001": 0, "MR002": 0, "MR003": 1, "MR005": 2}
    path = rewritten(lambda row: row.update(fold=folds[row["patient"]]))
    assert SliceDataset(path, "val", fold=0).patients == ("MR001", "MR002")
    assert SliceDataset(path, "train", fold=0).patients == ("MR003", "MR005")
    assert SliceDataset(path, "val", fold=1).patients == ("MR003",)


def test_augmentation_of_an_epoch_is_the_copy_that_augment_writes(
    stored: Dataset, tmp_path: Path
) -> None:
    written = chaosprep.augment(stored, tmp_path / "out", copies=3, seed=5)
    slices = SliceDataset(stored, augment="mri", seed=5, scale="none")
    rows = {row.id: row for row in written.slices}
    for epoch in (0, 2, 1):
        slices.set_epoch(epoch)
        for item in all_items(slices):
            copy = rows[f"{item['id']}_a{epoch + 1:02d}"]
            assert np.array_equal(item["image"][0].numpy(), on_disk(written, copy.image))
            assert np.array_equal(item["mask"][0].numpy(), on_disk(written, copy.mask) == 255)


def test_a_recipe_of_ones_own_is_drawn(images: Dataset) -> None:
    mirrored = SliceDataset(images, augment={"flip": {"probability": 1.0}})[1]
    plain = SliceDataset(images)[1]
    assert torch.equal(mirrored["image"], plain["image"].flip(-1))
    assert torch.equal(mirrored["mask"], plain["mask"].flip(-1))


def test_a_mirrored_right_kidney_becomes_a_left_one(organs: Dataset) -> None:
    mirrored = SliceDataset(organs, augment={"flip": {"probability": 1.0}})
    for one, other in zip(all_items(SliceDataset(organs)), all_items(mirrored), strict=True):
        assert torch.equal(one["mask"] == 2, other["mask"].flip(-1) == 3)
        assert torch.equal(one["mask"] == 1, other["mask"].flip(-1) == 1)


def test_an_unknown_preset_is_a_usage_error(images: Dataset) -> None:
    with pytest.raises(UsageError, match="preset: must be one of heavy, light"):
        SliceDataset(images, augment="wild")


def test_a_transform_gets_arrays_and_gives_a_dict(images: Dataset) -> None:
    seen: list[tuple[str, tuple[int, ...]]] = []

    def crop(*, image: NDArray[Any], mask: NDArray[Any]) -> dict[str, Any]:
        seen.extend((array.dtype.name, array.shape) for array in (image, mask))
        return {"image": image[4:20, 2:10], "mask": mask[4:20, 2:10]}

    item = SliceDataset(images, transform=crop)[1]
    plain = SliceDataset(images)[1]
    assert seen == [("float32", (32, 32)), ("uint8", (32, 32))]
    assert torch.equal(item["image"], plain["image"][:, 4:20, 2:10])
    assert torch.equal(item["mask"], plain["mask"][:, 4:20, 2:10])


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_two_workers_give_the_items_of_none_in_every_epoch(stored: Dataset, method: str) -> None:
    slices = SliceDataset(stored, patients=["MR001", "MR005"], augment="mri", seed=3)
    loader = DataLoader(
        slices,
        batch_size=2,
        num_workers=2,
        persistent_workers=True,
        multiprocessing_context=multiprocessing.get_context(method),
    )
    seen = []
    for epoch in (0, 1):
        slices.set_epoch(epoch)
        batches = list(loader)
        assert [id for batch in batches for id in batch["id"]] == [
            item["id"] for item in all_items(slices)
        ]
        found = torch.cat([batch["image"] for batch in batches])
        assert torch.equal(found, torch.stack([item["image"] for item in all_items(slices)]))
        seen.append(found)
    assert not torch.equal(*seen)


def test_it_pickles_and_gives_the_same_items(stored: Dataset) -> None:
    slices = SliceDataset(stored, augment="mri")
    again = pickle.loads(pickle.dumps(slices))  # noqa: S301 - our own
    assert torch.equal(again[3]["image"], slices[3]["image"])


def test_a_table_of_several_files_gives_the_same_items(
    livers: Dataset, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 4)
    several = chaosprep.convert(livers, tmp_path / "several")
    assert len(several.table.names) > 2
    one, other = SliceDataset(images), SliceDataset(several)
    assert [item["id"] for item in all_items(other)] == [item["id"] for item in all_items(one)]
    assert torch.equal(other[-1]["image"], one[-1]["image"])


def test_a_row_more_costs_a_dozen_bytes(images: Dataset, tmp_path: Path) -> None:
    copied = chaosprep.augment(images, tmp_path / "copied", copies=30)
    few, many = SliceDataset(copied, copies=False), SliceDataset(copied)
    more = len(many) - len(few)
    assert more == 330
    assert len(pickle.dumps(many)) - len(pickle.dumps(few)) < 13 * more


def test_an_unfinished_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="not a stage directory"):
        SliceDataset(tmp_path)


@pytest.mark.parametrize("kind", [SliceDataset, VolumeDataset])
def test_a_url_is_refused_with_what_opens_it(kind: type[SliceDataset | VolumeDataset]) -> None:
    with pytest.raises(UsageError, match=r"^s3://bucket/set: ") as caught:
        kind("s3://id:secret@bucket/set")
    assert "chaosprep.open(URL)" in caught.value.remedy
