"""What pixels mean is the same in every output: kinds of headers, each in every output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from numpy.typing import NDArray
from pydicom.dataset import Dataset as Dicom
from pydicom.pixels.processing import apply_modality_lut

import chaosprep
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.report.pictures import view_case

Change = Callable[[Dicom], None]
SIZE = 24
CORNER = np.add.outer(np.arange(SIZE), np.arange(SIZE)) < 14
"""What is padding, where there is any."""


def table(entries: NDArray[Any], first: int = 0, bits: int = 16) -> Change:
    """A Modality LUT, each of its entries a word."""

    def change(dataset: Dicom) -> None:
        item = Dicom()
        item.LUTDescriptor, item.ModalityLUTType = [len(entries), first, bits], "US"
        item.LUTData = entries.astype(np.uint16).tobytes()
        item["LUTData"].VR = "OW"
        dataset.ModalityLUTSequence = [item]

    return change


def rescale(slope: float, intercept: float) -> Change:
    def change(dataset: Dicom) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = str(slope), str(intercept)

    return change


def stored(values: Callable[[NDArray[Any]], NDArray[Any]], dtype: str, bits: int = 16) -> Change:
    """Other pixels, made of the phantom's."""

    def change(dataset: Dicom) -> None:
        made = np.where(CORNER, 0, values(dataset.pixel_array.astype(np.int64)))
        write(dataset, made.astype(dtype), bits)

    return change


def write(dataset: Dicom, pixels: NDArray[Any], bits: int) -> None:
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelData = pixels.tobytes()
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in dataset:
            del dataset[keyword]


def padding(value: int, vr: str, limit: int | None = None) -> Change:
    """The corner becomes padding; a range of it runs over all its values."""

    def change(dataset: Dicom) -> None:
        pixels = dataset.pixel_array.copy()
        ends = sorted((value, value if limit is None else limit))
        pixels[CORNER] = np.resize(np.arange(ends[0], ends[1] + 1), CORNER.sum())
        write(dataset, pixels, dataset.BitsStored)
        declared = value % 2**16 if vr == "US" else value
        dataset.add_new(0x00280120, vr, declared)
        if limit is not None:
            dataset.add_new(0x00280121, vr, limit % 2**16 if vr == "US" else limit)

    return change


def monochrome1(dataset: Dicom) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def both(*changes: Change) -> Change:
    def change(dataset: Dicom) -> None:
        for one in changes:
            one(dataset)

    return change


SIGNED = stored(lambda grey: grey - 300, "int16")
TWELVE = stored(lambda grey: np.clip(grey, 0, 3000), "uint16", 12)
ROOT = (10 * np.sqrt(np.arange(2048))).astype(int)
FALLING = 255 - np.arange(1500) // 6
KINDS: dict[str, Change] = {
    "a Modality LUT": table(ROOT),
    "a falling Modality LUT of 8 bits": both(SIGNED, table(FALLING, first=-300, bits=8)),
    "MONOCHROME1": both(TWELVE, monochrome1),
    "MONOCHROME1, signed and rescaled": both(SIGNED, rescale(2, -10), monochrome1),
    "MONOCHROME1 and a slope below 0": both(TWELVE, rescale(-1, 4000), monochrome1),
    "MONOCHROME1 of a Modality LUT": both(table(ROOT), monochrome1),
    "a slope below 0": rescale(-1, 1000),
    "a slope below 0, signed": both(SIGNED, rescale(-2.5, 20)),
    "padding below, signed": both(SIGNED, padding(-2000, "SS")),
    "padding below, of the wrong VR": both(SIGNED, padding(-2000, "US")),
    "padding above, a range": both(TWELVE, padding(4095, "US", 4000)),
    "padding of 0": padding(0, "US"),
    "padding and a Modality LUT": both(table(ROOT), padding(5, "US")),
    "padding and a slope below 0": both(SIGNED, rescale(-1, 7), padding(-2000, "SS")),
    "padding and MONOCHROME1": both(TWELVE, monochrome1, padding(4095, "US")),
    # What is sound, and stays as it was
    "nothing special": lambda dataset: None,
    "a slope of 1": rescale(1, 0),
    "a slope above 0": both(SIGNED, rescale(2, -1024)),
    "an identity Modality LUT": table(np.arange(4096)),
    "padding that no pixel has": lambda dataset: dataset.add_new(0x00280120, "US", 65535),
}


@dataclass
class Oracle:
    """A slice as pydicom has it: modality units, what is padding, and whether low is bright."""

    units: NDArray[np.float64]
    padded: NDArray[np.bool_]
    is_1: bool

    @property
    def bright(self) -> NDArray[np.float64]:
        return -self.units if self.is_1 else self.units


def oracle(path: Path) -> Oracle:
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.astype(np.int64)
    units = np.asarray(apply_modality_lut(dataset.pixel_array, dataset), np.float64)
    padded = np.zeros(pixels.shape, bool)
    if "PixelPaddingValue" in dataset:
        ends = [dataset[tag].value for tag in (0x00280120, 0x00280121) if tag in dataset]
        if dataset.PixelRepresentation:
            ends = [end - 2**16 if end >= 2**15 else end for end in ends]
        padded = (pixels >= min(ends)) & (pixels <= max(ends))
    return Oracle(units, padded, dataset.PhotometricInterpretation == "MONOCHROME1")


class Made:
    """A patient of three slices of one kind, in every stage, and what the slices should be."""

    def __init__(self, place: Path, change: Change) -> None:
        patient = Patient(id=1, sequences=("t1-in",), slices=3, matrix=SIZE)
        root = write_chaos(place / "r", [patient])
        for path in root.rglob("*.dcm"):
            dataset = pydicom.dcmread(path)
            change(dataset)
            dataset.save_as(path)
        split = chaosprep.split(root, place / "s", val=0.0)
        self.place, self.root = place, root
        self.pairs = chaosprep.extract_liver(split, place / "l", all_organs=True)
        self.shown = chaosprep.convert(self.pairs, place / "8")
        self.kept = {
            "DICOM": self.pairs,
            "PNG": chaosprep.convert(self.pairs, place / "16", keep_16bit=True),
            "npy": chaosprep.convert(self.pairs, place / "npy", format="npy"),
        }
        files = {row.id: place / "r" / row.source for row in self.pairs.slices}
        self.slices = [oracle(files[row.id]) for row in self.pairs.slices]
        measured = [one.bright[~one.padded] for one in self.slices]
        self.lowest = min(values.min() for values in measured)
        self.ends = np.percentile(np.concatenate(measured), [0.5, 99.5])

    def scaled(self, one: Oracle) -> NDArray[np.float64]:
        bright = np.where(one.padded, self.lowest, one.bright)
        scaled: NDArray[np.float64] = (bright - self.ends[0]) / (self.ends[1] - self.ends[0])
        return scaled


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("kind"), KINDS[request.param])


def test_pictures_show_what_is_bright_and_padding_is_black(made: Made) -> None:
    for row, one in zip(made.shown.slices, made.slices, strict=True):
        low, high = sorted(-made.ends) if one.is_1 else made.ends
        grey = np.clip(np.rint((one.units - low) * 255 / (high - low)), 0, 255)
        expected = 255 - grey if one.is_1 else grey
        difference = np.abs(made.shown.image(row) - np.where(one.padded, 0, expected))
        assert difference.max() <= 1  # a rounding at exactly one half
        assert (difference > 0).mean() < 0.005


@pytest.mark.parametrize("stage", ["PNG", "npy"])
def test_kept_values_give_the_modality_units_by_their_row(made: Made, stage: str) -> None:
    for row, one in zip(made.kept[stage].slices, made.slices, strict=True):
        values = made.kept[stage].image(row).astype(np.float64)
        units = values * row.slope + row.intercept
        np.testing.assert_allclose(units[~one.padded], one.units[~one.padded], rtol=0, atol=1e-9)
        low, high = row.padding or (1, 0)
        assert np.array_equal((values >= low) & (values <= high), one.padded)


@pytest.mark.parametrize("stage", ["PNG", "npy"])
def test_kept_values_rise_with_brightness(made: Made, stage: str) -> None:
    for row, one in zip(made.kept[stage].slices, made.slices, strict=True):
        values = made.kept[stage].image(row).astype(np.float64)
        order = np.argsort(one.bright[~one.padded], kind="stable")
        assert (np.diff(values[~one.padded][order]) >= 0).all()


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_volumes_hold_modality_units_or_are_refused(made: Made, stage: str) -> None:
    output = made.place / f"nifti-{stage}"
    if made.slices[0].is_1:
        with pytest.raises(ProblemsError) as caught:
            chaosprep.export("nifti", made.kept[stage], output)
        assert {problem.code for problem in caught.value.problems} == {"polarity"}
        return
    chaosprep.export("nifti", made.kept[stage], output)
    (file,) = output.rglob("*_T1w.nii.gz")
    voxels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    expected = np.stack([np.where(one.padded, made.lowest, one.units) for one in made.slices])
    np.testing.assert_allclose(voxels, expected, rtol=1e-7, atol=1e-4)


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_training_inputs_are_alike(made: Made, stage: str) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    data = torch.SliceDataset(made.kept[stage])
    volume = torch.VolumeDataset(made.kept[stage])[0]["image"][0].numpy()
    for item, plane, one in zip(data, volume, made.slices, strict=True):
        np.testing.assert_allclose(item["image"][0].numpy(), made.scaled(one), rtol=0, atol=1e-5)
        assert np.array_equal(plane, item["image"][0].numpy())


def test_training_inputs_of_pictures_are_those_of_kept_values_clipped(made: Made) -> None:
    pytest.importorskip("torch")
    from chaosprep import torch

    for item, one in zip(torch.SliceDataset(made.shown), made.slices, strict=True):
        expected = np.where(one.padded, 0, np.clip(made.scaled(one), 0, 1))
        np.testing.assert_allclose(item["image"][0].numpy(), expected, rtol=0, atol=0.004)


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_a_report_counts_what_was_measured(made: Made, stage: str) -> None:
    (case,) = made.kept[stage].cases
    values = view_case(case, "none", 0, 0).values
    assert values is not None
    assert sum(values.counts) == sum((~one.padded).sum() for one in made.slices)
    row = made.kept["npy" if stage == "DICOM" else stage].slices[0]
    ends = [end * abs(row.slope) + np.sign(row.slope) * row.intercept for end in values.window]
    np.testing.assert_allclose(ends, made.ends, rtol=0, atol=1e-6)


def test_inspect_tells_the_values_that_were_measured(made: Made) -> None:
    (view,) = chaosprep.inspect(made.root).cases
    assert view.values is not None
    row = made.pairs.slices[0]
    ends = sorted(value * row.slope + row.intercept for value in view.values)
    units = np.concatenate([one.units[~one.padded] for one in made.slices])
    np.testing.assert_allclose(ends, [units.min(), units.max()], rtol=0, atol=1e-9)


@pytest.mark.parametrize("stage", ["DICOM", "PNG", "npy"])
def test_a_directory_of_any_kind_is_sound(made: Made, stage: str) -> None:
    assert chaosprep.verify(made.kept[stage].directory).faults == ()


SAID = {
    "a Modality LUT": "its Modality LUT gives the values: they replace the stored ones",
    "MONOCHROME1": "MONOCHROME1: the values were inverted, so that bright is high",
    "a slope below 0": (
        "the rescale slope is below 0: the values were inverted, so that bright is high"
    ),
    "nothing special": None,
    "a slope above 0": None,
    "padding of 0": None,
}


@pytest.mark.parametrize("kind", SAID)
def test_values_that_are_not_the_stored_ones_are_said(tmp_path: Path, kind: str) -> None:
    npy = Made(tmp_path, KINDS[kind]).kept["npy"]
    expected = (SAID[kind],) if SAID[kind] else ()
    assert {row.warnings for row in npy.slices} == {expected}
