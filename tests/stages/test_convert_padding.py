"""Padding on new grids, in single slices, in copies, and where it is all that there is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset as Dicom

import chaosprep
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.records import encode_row
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos

SIZE = 24
CORNER = np.add.outer(np.arange(SIZE), np.arange(SIZE)) < 14
PAD = -2000
Change = Callable[[Dicom, NDArray[Any], int], None]


def pairs(place: Path, change: Change | None = None) -> chaosprep.Dataset:
    """One patient of three signed slices with a corner of padding, split."""
    patient = Patient(id=1, sequences=("t1-in",), slices=3, matrix=SIZE)
    root = write_chaos(place / "r", [patient])
    for number, path in enumerate(sorted(root.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.astype(np.int16) - 300
        pixels[CORNER] = PAD
        dataset.PixelRepresentation = 1
        dataset.add_new(0x00280120, "SS", PAD)
        for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
            if keyword in dataset:
                del dataset[keyword]
        if change is not None:
            change(dataset, pixels, number)
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    return chaosprep.split(root, place / "s", val=0.0)


def raw(made: chaosprep.Dataset) -> list[NDArray[Any]]:
    return [made.image(row).astype(np.int64) for row in made.slices]


def test_the_row_says_what_is_padding_in_its_own_values(tmp_path: Path) -> None:
    split = pairs(tmp_path)
    kept = chaosprep.convert(split, tmp_path / "k", keep_16bit=True)
    npy = chaosprep.convert(split, tmp_path / "n", format="npy")
    shown = chaosprep.convert(split, tmp_path / "8")
    assert {row.padding for row in split.slices} == {(PAD, PAD)}
    assert {row.padding for row in kept.slices} == {(PAD + 32768, PAD + 32768)}
    assert {row.padding for row in npy.slices} == {(PAD, PAD)}
    assert {row.padding for row in shown.slices} == {None}


def test_kept_values_stay_bit_for_bit_also_where_they_are_padding(tmp_path: Path) -> None:
    split = pairs(tmp_path)
    npy = chaosprep.convert(split, tmp_path / "n", format="npy")
    for kept, stored in zip(raw(npy), raw(split), strict=True):
        assert np.array_equal(kept, stored)


@pytest.mark.parametrize("format", ["png", "npy"])
def test_a_new_grid_mixes_no_padding_into_the_image(
    tmp_path: Path, format: Literal["png", "npy"]
) -> None:
    split = pairs(tmp_path)
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, format=format, spacing=0.7)
    real = np.concatenate([image[~CORNER] for image in raw(split)])
    for row, image in zip(made.slices, raw(made), strict=True):
        assert row.padding is not None
        padded = image == row.padding[0]
        values = image[~padded] * row.slope + row.intercept
        assert padded.any()
        assert real.min() <= values.min()
        assert values.max() <= real.max()


def test_a_new_grid_shows_padding_black(tmp_path: Path) -> None:
    split = pairs(tmp_path)
    made = chaosprep.convert(split, tmp_path / "8", size="30", window="-1500,1500")
    for row in made.slices:
        image = made.image(row)
        assert (image[3:27, 3:27][CORNER] == 0).all()
        assert (image[3:27, 3:27][~CORNER] > 0).all()


def test_each_slice_has_its_own_window_without_padding(tmp_path: Path) -> None:
    split = pairs(tmp_path)
    made = chaosprep.convert(split, tmp_path / "8", window_scope="slice", window="minmax")
    for row, image in zip(made.slices, raw(split), strict=True):
        real = image[~CORNER]
        assert row.window == (real.min(), real.max())


def test_the_percentiles_in_place_of_a_missing_window_are_without_padding(tmp_path: Path) -> None:
    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        for keyword in ("WindowCenter", "WindowWidth"):
            if keyword in dataset:
                del dataset[keyword]

    split = pairs(tmp_path, change)
    made = chaosprep.convert(split, tmp_path / "8", window="dicom")
    real = np.concatenate([image[~CORNER] for image in raw(split)])
    assert made.slices[0].window == tuple(np.percentile(real, [0.5, 99.5]))


def test_a_slice_of_nothing_but_padding_is_black_and_said(tmp_path: Path) -> None:
    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        if number == 1:
            pixels[:] = PAD

    split = pairs(tmp_path, change)
    made = chaosprep.convert(split, tmp_path / "8")
    (row,) = [row for row in made.slices if not made.image(row).any()]
    assert row.warnings == ("every pixel is padding: written as zeros",)
    kept = chaosprep.convert(split, tmp_path / "k", keep_16bit=True)
    real = np.concatenate([image[image > PAD] for image in raw(split)])
    assert [case.lowest() for case in kept.cases] == [real.min()]


@pytest.mark.parametrize("params", [{}, {"window_scope": "slice"}, {"window": "dicom"}])
def test_a_case_of_nothing_but_padding_is_black_and_said(
    tmp_path: Path, params: dict[str, Any]
) -> None:
    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        pixels[:] = PAD

    split = pairs(tmp_path, change)
    made = chaosprep.convert(split, tmp_path / "8", **params)
    assert not any(image.any() for image in raw(made))
    assert all("every pixel is padding" in row.warnings[-1] for row in made.slices)
    kept = chaosprep.convert(split, tmp_path / "k", keep_16bit=True)
    assert chaosprep.verify(kept.directory).faults == ()


def test_copies_are_made_of_images_whose_padding_is_dark(tmp_path: Path) -> None:
    kept = chaosprep.convert(pairs(tmp_path), tmp_path / "k", keep_16bit=True)
    made = chaosprep.augment(kept, tmp_path / "a", spec={})
    lowest = min(image[~CORNER].min() for image in raw(kept))
    originals = {row.id: kept.image(row) for row in kept.slices}
    copies = [row for row in made.slices if row.copy]
    assert copies
    for row in copies:
        expected = np.where(CORNER, lowest, originals[row.parent or ""])
        assert row.padding is None
        assert np.array_equal(made.image(row), expected)
    assert chaosprep.verify(made.directory, replay="all").faults == ()


def test_slices_that_differ_in_their_rescale_are_trained_on_in_modality_units(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = str(1 + number), str(50 * number)

    kept = chaosprep.convert(pairs(tmp_path, change), tmp_path / "k", keep_16bit=True)
    units = [kept.image(row) * row.slope + row.intercept for row in kept.slices]
    real = np.concatenate([values[~CORNER] for values in units])
    low, high = np.percentile(real, [0.5, 99.5])
    for item, values in zip(torch.SliceDataset(kept), units, strict=True):
        found = item["image"][0].numpy()[~CORNER]
        np.testing.assert_allclose(found, (values[~CORNER] - low) / (high - low), atol=1e-4)


def test_values_as_they_are_have_their_padding_dark_too(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    kept = chaosprep.convert(pairs(tmp_path), tmp_path / "n", format="npy")
    lowest = min(image[~CORNER].min() for image in raw(kept))
    for item, image in zip(torch.SliceDataset(kept, scale="none"), raw(kept), strict=True):
        assert np.array_equal(item["image"][0].numpy(), np.where(CORNER, lowest, image))


def test_assembled_volumes_have_the_same_background(tmp_path: Path) -> None:
    import SimpleITK

    kept = chaosprep.convert(pairs(tmp_path), tmp_path / "n", format="npy", size="30")
    chaosprep.assemble(kept, tmp_path / "v")
    (file,) = (tmp_path / "v" / "images").iterdir()
    voxels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    stored = [image[3:27, 3:27] for image in raw(kept)]
    lowest = min(image[~CORNER].min() for image in stored)
    assert np.array_equal(voxels, np.stack([np.where(CORNER, lowest, one) for one in stored]))


def test_padding_among_the_other_values_is_padding_and_said(tmp_path: Path) -> None:
    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        pixels[CORNER] = 0
        dataset.PixelPaddingValue = 0

    split = pairs(tmp_path, change)
    made = chaosprep.convert(split, tmp_path / "8", window="-400,400")
    said = "its PixelPaddingValue lies among the other values: each pixel that has it is padding"
    for row, image in zip(made.slices, raw(split), strict=True):
        assert row.warnings == (said,)
        assert not made.image(row)[image == 0].any()


@pytest.mark.parametrize("keep", [False, True])
def test_a_case_of_two_polarities_is_refused(tmp_path: Path, keep: bool) -> None:
    def change(dataset: Dicom, pixels: NDArray[Any], number: int) -> None:
        dataset.PhotometricInterpretation = f"MONOCHROME{1 + (number > 0)}"

    split = pairs(tmp_path, change)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(split, tmp_path / "c", keep_16bit=keep)
    assert [(problem.code, problem.id) for problem in caught.value.problems] == [
        ("polarity", "MR001_t1-in")
    ]


def test_a_table_without_the_column_means_no_padding(tmp_path: Path) -> None:
    kept = chaosprep.convert(pairs(tmp_path), tmp_path / "n", format="npy")
    line = json.loads(encode_row(kept.slices[0]))
    del line["padding"]
    assert decode_row(json.dumps(line).encode()).padding is None
