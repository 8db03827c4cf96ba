"""Slices of one case that differ in how their pixels are meant: alike in volumes and networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset as Dicom

import chaosprep
from chaosprep.errors import FileError, ProblemsError
from chaosprep.phantom import Patient, write_chaos

from .test_pixel_meaning import (
    ROOT,
    SIGNED,
    TWELVE,
    Change,
    Made,
    both,
    monochrome1,
    padding,
    rescale,
    stored,
    table,
    write,
)


def by_number(change: Callable[[int], Change]) -> Change:
    """Another change for each slice: 1, 2, 3; of two phases the phantom numbers every second."""
    return lambda dataset: change((int(dataset.InstanceNumber) + 1) // 2)(dataset)


def nothing(dataset: Dicom) -> None:
    pass


def small(dataset: Dicom) -> None:
    """Values of 8 bits; the table gives each of them, so that padding needs a ninth."""
    stored(lambda grey: np.clip(grey // 8, 1, 254), "uint16", 8)(dataset)


ALL_OF_8_BITS = both(small, table(np.arange(256), bits=8), monochrome1)
DIFFERING: dict[str, Change] = {
    "intercepts, with padding": both(
        TWELVE, by_number(lambda n: rescale(1, 300 * n)), padding(4095, "US")
    ),
    "slopes and intercepts, with padding": both(
        SIGNED, by_number(lambda n: rescale(1 + n / 4, 7 * n)), padding(-2000, "SS")
    ),
    "slopes below 0, with padding": both(
        TWELVE, by_number(lambda n: rescale(-n, 500)), padding(4095, "US")
    ),
    "slopes of MONOCHROME1, with padding": both(
        TWELVE, by_number(lambda n: rescale(n, 0)), monochrome1, padding(4095, "US")
    ),
    "padding in one, MONOCHROME1 of a Modality LUT": both(
        ALL_OF_8_BITS, by_number(lambda n: padding(0, "US") if n < 3 else nothing)
    ),
    "bits of Modality LUTs, MONOCHROME1": both(
        TWELVE,
        by_number(lambda n: table(np.arange(4096) // 16, bits=8) if n > 2 else table(ROOT)),
        monochrome1,
    ),
    # What is sound
    "slopes, no padding": by_number(lambda n: rescale(n, 0)),
}


@pytest.fixture(scope="module", params=DIFFERING)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("kind"), DIFFERING[request.param])


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_training_inputs_are_alike(made: Made, stage: str) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    volume = torch.VolumeDataset(made.kept[stage])[0]["image"][0].numpy()
    for item, plane, one in zip(
        torch.SliceDataset(made.kept[stage]), volume, made.slices, strict=True
    ):
        np.testing.assert_allclose(item["image"][0].numpy(), made.scaled(one), rtol=0, atol=1e-5)
        assert np.array_equal(plane, item["image"][0].numpy())


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_volumes_hold_modality_units_and_dark_padding(made: Made, stage: str) -> None:
    output = made.place / f"nifti-{stage}"
    if made.slices[0].is_1:
        with pytest.raises(ProblemsError, match="MONOCHROME1"):
            chaosprep.export("nifti", made.kept[stage], output)
        return
    chaosprep.export("nifti", made.kept[stage], output)
    (file,) = output.rglob("*_T1w.nii.gz")
    voxels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    expected = np.stack([np.where(one.padded, made.lowest, one.units) for one in made.slices])
    np.testing.assert_allclose(voxels, expected, rtol=1e-6, atol=1e-4)


def pairs_of(place: Path, change: Change) -> chaosprep.Dataset:
    patient = Patient(id=1, sequences=("t1-in",), slices=3, matrix=24)
    root = write_chaos(place / "r", [patient])
    for path in root.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
    split = chaosprep.split(root, place / "s", val=0.0)
    return chaosprep.extract_liver(split, place / "l", all_organs=True)


def wide(kind: str) -> Change:
    """Pixels of 32 bits, at the upper end of what they can be."""

    def change(dataset: Dicom) -> None:
        top = np.iinfo(kind).max
        pixels = dataset.pixel_array.astype(np.int64) + top - 5000
        dataset.BitsAllocated = 32
        write(dataset, pixels.astype(kind), 32)

    return change


@pytest.mark.parametrize("kind", ["uint32", "int32"])
@pytest.mark.parametrize("more", [nothing, monochrome1, rescale(-1, 0)])
def test_networks_see_wide_integers_to_the_last_bit(
    tmp_path: Path, kind: str, more: Change
) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    pairs = pairs_of(tmp_path, both(wide(kind), more))
    files = [tmp_path / "r" / row.source for row in pairs.slices]
    pixels = np.stack([pydicom.dcmread(file).pixel_array for file in files]).astype(np.float64)
    bright = pixels if more is nothing else -pixels
    low, high = np.percentile(bright, [0.5, 99.5])
    for item, plane in zip(torch.SliceDataset(pairs), bright, strict=True):
        expected = (plane - low) / (high - low)
        np.testing.assert_allclose(item["image"][0].numpy(), expected, rtol=0, atol=1e-6)


def test_a_network_is_given_no_case_of_two_polarities(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    pairs = pairs_of(tmp_path, by_number(lambda n: monochrome1 if n == 2 else nothing))
    for items in (torch.SliceDataset(pairs), torch.VolumeDataset(pairs)):
        with pytest.raises(FileError, match="some are MONOCHROME2"):
            items[0]


def all_padding(dataset: Dicom) -> None:
    write(dataset, np.full((24, 24), 7, np.uint16), 16)
    dataset.add_new(0x00280120, "US", 7)


def in_range(dataset: Dicom) -> None:
    dataset.add_new(0x00280120, "US", 0)
    dataset.add_new(0x00280121, "US", 60000)


@pytest.mark.parametrize("change", [all_padding, in_range])
def test_a_case_of_padding_alone_is_dark_and_makes_no_volume(
    tmp_path: Path, change: Change
) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    pairs = pairs_of(tmp_path, change)
    assert not any(item["image"].any() for item in torch.SliceDataset(pairs))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.export("nifti", pairs, tmp_path / "out")
    (problem,) = caught.value.problems
    assert (problem.code, problem.reason) == (
        "padding",
        "every pixel of its slices is padding: they show nothing",
    )


@pytest.mark.parametrize("number", [1, 3])
def test_one_slice_of_padding_alone_is_as_dark_as_the_others_get(
    tmp_path: Path, number: int
) -> None:
    pairs = pairs_of(tmp_path, by_number(lambda n: all_padding if n == number else nothing))
    chaosprep.export("nifti", pairs, tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*_T1w.nii.gz")
    voxels: Any = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    dark = [plane.min() == plane.max() for plane in voxels]
    assert sum(dark) == 1
    assert voxels[dark].max() == voxels.min()
