"""convert --normalize: what values become, how they are stored, and the way back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.records import Normalized
from chaosprep.dataset.scaling import case_scaling
from chaosprep.dataset.stacking import originals
from chaosprep.errors import UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event
from tests.stages.normalized import (
    EVERYBODY,
    METHODS,
    PERCENTILES,
    Method,
    Normal,
    body,
    landmarks_by_hand,
    learned,
    stored,
    told,
)
from tests.stages.scanners import change, distance, files


def test_zscore_is_less_the_mean_of_the_body_over_its_standard_deviation(
    scanners: Dataset, normalized: Normal
) -> None:
    for case in EVERYBODY:
        inside = body(scanners, case)
        expected = (stored(scanners, case) - inside.mean()) / inside.std()
        found = normalized["zscore"]
        slope = found.case(case).slices[0].slope
        assert np.abs(told(found, case) - expected).max() <= slope / 2 * (1 + 1e-9)


def test_nyul_maps_the_percentiles_of_each_body_to_the_landmarks(
    scanners: Dataset, normalized: Normal
) -> None:
    found = normalized["nyul"]
    end = learned(found)["t1-in"]
    for case in EVERYBODY:
        start = np.percentile(body(scanners, case), PERCENTILES)
        values = stored(scanners, case)
        expected = np.interp(values, start, end)
        inside = (values >= start[0]) & (values <= start[-1])
        slope = found.case(case).slices[0].slope
        apart = np.abs(told(found, case) - expected)
        assert apart[inside].max() <= slope / 2 * (1 + 1e-9)
        assert (told(found, case)[values > start[-1]] > 100 - slope).all()


def test_a_case_of_the_training_side_is_mapped_as_one_of_the_others(
    normalized: Normal,
) -> None:
    """Patients 1 and 5 have the same pixels, on different sides."""
    for made in normalized.values():
        assert np.array_equal(told(made, "MR001_t1-in"), told(made, "MR005_t1-in"))


@pytest.mark.parametrize("method", METHODS)
def test_the_knots_of_a_row_give_the_stored_values_back(
    scanners: Dataset, normalized: Normal, method: Method
) -> None:
    for row in normalized[method].slices:
        how = row.normalization
        assert isinstance(how, Normalized)
        assert how.method == method
        values = normalized[method].image(row) * row.slope + row.intercept
        steps = np.diff(how.start) / np.diff(how.end)
        piece = np.clip(np.searchsorted(how.end, values, "right") - 1, 0, len(steps) - 1)
        back = np.array(how.start)[piece] + (values - np.array(how.end)[piece]) * steps[piece]
        before = scanners.pixels(scanners.case(row.case).slices[row.slice])[1]
        assert np.abs(back - before).max() <= row.slope / 2 * steps.max() * (1 + 1e-6)


def test_a_png_takes_all_that_16_bits_have(normalized: Normal) -> None:
    for case in normalized["nyul"].cases:
        voxels = case.volume()
        assert voxels.dtype == np.uint16
        assert (voxels.min(), voxels.max()) == (0, 65535)
        assert {(row.dtype, row.bits_stored) for row in case.slices} == {("uint16", 16)}


@pytest.mark.parametrize("method", METHODS)
def test_npy_holds_the_normalized_values_themselves(
    scanners: Dataset, normalized: Normal, tmp_path: Path, method: Method
) -> None:
    made = chaosprep.convert(scanners, tmp_path / "npy", normalize=method, format="npy")
    assert {(row.dtype, row.slope, row.intercept) for row in made.slices} == {("float32", 1.0, 0.0)}
    for case in EVERYBODY:
        slope = normalized[method].case(case).slices[0].slope
        near = np.abs(told(made, case) - told(normalized[method], case))
        assert near.max() <= slope / 2 + 1e-5


@pytest.mark.parametrize("how", [{}, {"format": "npy"}, {"spacing": 5.0}, {"size": "80"}])
@pytest.mark.parametrize("method", METHODS)
def test_padding_stays_told_apart_and_counts_for_nothing(
    tmp_path: Path, method: Method, how: dict[str, Any]
) -> None:
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2)]
    corner = np.add.outer(np.arange(32), np.arange(32)) < 14
    made = {}
    for name, pad in (("plain", None), ("low", 0), ("high", 60000)):
        root = write_chaos(tmp_path / f"{name} root", people)
        for path in (path for id in (1, 2) for path in files(root, id)):
            if pad is not None:
                cut = lambda values, pad=pad: np.where(corner, pad, values + 1)  # noqa: E731
                change(path, cut, pad)
        pairs = chaosprep.split(root, tmp_path / f"{name} pairs", val_patient=["MR002"])
        made[name] = chaosprep.convert(pairs, tmp_path / name, normalize=method, **how)
    asked: dict[str, Any] = how | {"format": "npy"}
    low_pairs = tmp_path / "low pairs"
    kept = chaosprep.convert(low_pairs, tmp_path / "kept", **asked)
    for low, high in zip(made["low"].slices, made["high"].slices, strict=True):
        assert low.padding is not None
        one, other = made["low"].image(low), made["high"].image(high)
        outside = one == low.padding[0]
        assert np.array_equal(outside, kept.image(kept.case(low.case).slices[low.slice]) == 0)
        assert outside.any()
        assert np.array_equal(one, other)
        assert (one[~outside] > low.padding[0]).all()
        assert low.normalization == high.normalization


def test_a_new_grid_resamples_stored_values_and_then_maps_them(
    scanners: Dataset, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"spacing": 8.0, "size": "60"}
    kept = chaosprep.convert(scanners, tmp_path / "kept", keep_16bit=True, **how)
    made = chaosprep.convert(scanners, tmp_path / "made", normalize="zscore", **how)
    for case in EVERYBODY:
        inside = body(scanners, case)
        expected = (stored(kept, case) - inside.mean()) / inside.std()
        slope = made.case(case).slices[0].slope
        assert np.abs(told(made, case) - expected).max() <= slope / 2 * (1 + 1e-9)


def test_monochrome1_is_bright_where_it_is_high_and_undone_to_its_own_units(
    tmp_path: Path,
) -> None:
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2)]
    made = {}
    for name in ("plain", "inverted"):
        root = write_chaos(tmp_path / f"{name} root", people)
        for path in (path for id in (1, 2) for path in files(root, id)):
            if name == "inverted":
                header: dict[str, Any] = {"PhotometricInterpretation": "MONOCHROME1"}
                change(path, lambda values: 4095 - values, BitsStored=12, HighBit=11, **header)
        pairs = chaosprep.split(root, tmp_path / f"{name} pairs", val_patient=["MR002"])
        made[name] = chaosprep.convert(pairs, tmp_path / name, normalize="nyul")
    for plain, inverted in zip(made["plain"].slices, made["inverted"].slices, strict=True):
        one, other = made["plain"].image(plain), made["inverted"].image(inverted)
        assert np.abs(one.astype(int) - other).max() <= 1
        assert plain.normalization
        assert inverted.normalization
        expected = [4095 - value for value in plain.normalization.start]
        assert np.allclose(inverted.normalization.start, expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_case_is_said_and_no_nan(tmp_path: Path, method: Method) -> None:
    people = [Patient(id=id, slices=2, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(tmp_path / "root", people)
    for path in files(root, 2):
        change(path, lambda values: 0 * values + 77)
    pairs = chaosprep.split(root, tmp_path / "pairs", val_patient=["MR003"])
    made = chaosprep.convert(pairs, tmp_path / "out", normalize=method, format="npy")
    for row in made.case("MR002_t1-in").slices:
        assert any("has only one value" in text for text in row.warnings)
        assert np.isfinite(made.image(row)).all()
    if method == "nyul":
        assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(pairs, ["MR001_t1-in"]))


@pytest.mark.parametrize(
    "how",
    [
        {"normalize": "zscore", "window": "minmax"},
        {"normalize": "nyul", "keep_16bit": True},
        {"normalize": "zscore", "landmarks": "out"},
        {"landmarks": "out"},
    ],
)
def test_what_does_not_go_together_is_refused(
    scanners: Dataset, tmp_path: Path, how: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        chaosprep.convert(scanners, tmp_path / "out", **how)


def test_ct_is_normalized_and_it_is_said_that_its_units_go(tmp_path: Path) -> None:
    people = [Patient(id=id, modality="CT", slices=3, matrix=32) for id in (1, 2)]
    root = write_chaos(tmp_path / "root", people)
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence="ct", val_patient=["CT002"])
    events: list[Event] = []
    chaosprep.convert(pairs, tmp_path / "out", normalize="zscore", on_event=events.append)
    assert "Hounsfield units" in events[0].notes[0]


@pytest.mark.parametrize(("method", "ends"), [("zscore", (0.0, 1.0)), ("nyul", (1.0, 100.0))])
def test_a_network_sees_the_ends_of_the_scale_as_0_and_1_however_few_slices_are_left(
    normalized: Normal, tmp_path: Path, method: Method, ends: tuple[float, float]
) -> None:
    made = normalized[method]
    few = chaosprep.extract_labels(made, tmp_path / "few", organ=["liver"], drop_empty=True)
    for dataset in (made, few):
        for case in dataset.cases:
            scaling = case_scaling(case)
            assert (scaling.low, scaling.high, scaling.in_units) == (*ends, True)
            for row in originals(case):
                values = dataset.image(row) * row.slope + row.intercept
                shown = scaling.shown(*case.pixels(row))
                assert np.allclose(shown, (values - ends[0]) / (ends[1] - ends[0]), atol=1e-5)


def test_two_scanners_come_to_show_organs_alike(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    """Patients 5 and 6 are nobody's to learn from; they differ in the scanner alone."""
    before = distance(scanners, "MR005", "MR006")
    after = {how: distance(made, "MR005", "MR006") for how, made in normalized.items()}
    assert after["nyul"] <= 0.2 * before
    assert after["zscore"] < before
