"""convert on headers that ask for more: LUTs, sigmoids, slopes that differ or fall."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset as Dicom
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

import chaosprep
from chaosprep.phantom import Patient, write_chaos

Change = Callable[[Dicom, int], None]


def converted(place: Path, change: Change, **params: Any) -> chaosprep.Dataset:
    """One patient of three slices, its headers changed, through split and convert."""
    root = write_chaos(place / "r", [Patient(id=1, sequences=("t1-in",), slices=3, matrix=24)])
    for number, path in enumerate(sorted(root.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        change(dataset, number)
        dataset.save_as(path)
    pairs = chaosprep.split(root, place / "s", val=0.0)
    return chaosprep.convert(pairs, place / "c", **params)


def sources(place: Path) -> list[Dicom]:
    return [pydicom.dcmread(path) for path in sorted((place / "r").rglob("*.dcm"))]


def modality(dataset: Dicom) -> NDArray[np.float64]:
    return np.asarray(apply_modality_lut(dataset.pixel_array, dataset), dtype=np.float64)


def test_slopes_that_differ_are_applied_before_the_common_window(tmp_path: Path) -> None:
    def change(dataset: Dicom, number: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = str(1 + number), str(-5 * number)

    made = converted(tmp_path, change)
    units = [modality(dataset) for dataset in sources(tmp_path)]
    low, high = np.percentile(np.stack(units), [0.5, 99.5])
    for row, values in zip(made.slices, units, strict=True):
        expected = np.clip(np.rint((values - low) * 255 / (high - low)), 0, 255)
        difference = np.abs(made.image(row).astype(int) - expected)
        assert difference.max() <= 1  # a rounding at exactly one half
        assert (difference > 0).mean() < 0.001
        assert row.window is not None
        ends = [end * row.slope + row.intercept for end in row.window]
        assert ends == pytest.approx([low, high])
        assert any("differ in their rescale" in text for text in row.warnings)


def test_stored_values_are_kept_whatever_the_slopes(tmp_path: Path) -> None:
    def change(dataset: Dicom, number: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = str(1 + number), "7"

    made = converted(tmp_path, change, keep_16bit=True)
    for number, (row, dataset) in enumerate(zip(made.slices, sources(tmp_path), strict=True)):
        assert np.array_equal(made.image(row), dataset.pixel_array)
        assert (row.slope, row.intercept) == (1 + number, 7)


def test_a_falling_slope_still_shows_high_modality_units_bright(tmp_path: Path) -> None:
    def change(dataset: Dicom, number: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "-1", "1000"

    made = converted(tmp_path, change)
    row, dataset = made.slices[1], sources(tmp_path)[1]
    bright = np.corrcoef(made.image(row).ravel(), modality(dataset).ravel())[0, 1]
    assert bright > 0.9


def test_a_sigmoid_is_honoured_with_window_dicom(tmp_path: Path) -> None:
    def change(dataset: Dicom, number: int) -> None:
        dataset.WindowCenter, dataset.WindowWidth = "400", "300"
        dataset.VOILUTFunction = "SIGMOID"

    made = converted(tmp_path, change, window="dicom")
    for row, dataset in zip(made.slices, sources(tmp_path), strict=True):
        expected = np.rint(255 / (1 + np.exp(-4 * (modality(dataset) - 400) / 300)))
        assert np.array_equal(made.image(row), expected)
        assert (row.window, row.window_source) == (None, "dicom")
        assert any("LUT or sigmoid" in text for text in row.warnings)


def test_a_voi_lut_is_honoured_with_window_dicom(tmp_path: Path) -> None:
    table = (np.linspace(0, 1, 1024) ** 0.5 * 65535).astype(np.uint16)

    def change(dataset: Dicom, number: int) -> None:
        item = Dicom()
        item.LUTDescriptor = [1024, 0, 16]
        item.LUTData = table.tobytes()
        item["LUTData"].VR = "OW"
        dataset.VOILUTSequence = [item]

    made = converted(tmp_path, change, window="dicom")
    for row, dataset in zip(made.slices, sources(tmp_path), strict=True):
        expected = np.rint(apply_voi_lut(dataset.pixel_array, dataset) / 65535 * 255)
        assert np.array_equal(made.image(row), expected)


def test_other_windows_pass_luts_over(tmp_path: Path) -> None:
    def change(dataset: Dicom, number: int) -> None:
        dataset.VOILUTFunction = "SIGMOID"

    made = converted(tmp_path, change)
    assert {row.window_source for row in made.slices} == {"percentile"}
