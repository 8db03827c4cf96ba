"""convert --bias n4: what is divided out, what stays as it is, and what is refused."""

import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from numpy.typing import NDArray
from pydicom.dataset import Dataset as Dicom

import chaosprep
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.stages.converting import bias

SIZE = 32
FAST: dict[str, Any] = {"bias": "n4", "bias_iterations": 2, "bias_grid": 12.0}
Change = Callable[[Dicom, NDArray[Any], int], NDArray[Any]]


def slope(rows: int = SIZE, cols: int = SIZE) -> NDArray[np.float64]:
    """A field that rises from 0.6 to 1.4 over the columns."""
    return np.tile(np.linspace(0.6, 1.4, cols), (rows, 1))


def pairs(
    place: Path, change: Change | None = None, slices: int = 4, matrix: int = SIZE
) -> chaosprep.Dataset:
    """One patient in phase, each slice's stored values as `change` makes them, split."""
    patient = Patient(id=1, sequences=("t1-in",), slices=slices, matrix=matrix)
    root = write_chaos(place / "r", [patient], sets="Test_Sets")
    for number, path in enumerate(sorted(root.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
            if keyword in dataset:
                del dataset[keyword]
        pixels = dataset.pixel_array
        if change is not None:
            pixels = change(dataset, pixels, number)
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    return chaosprep.split(root, place / "s", val=0.0)


def stored(dataset: chaosprep.Dataset) -> NDArray[np.float64]:
    return np.stack([dataset.image(row) for row in dataset.slices]).astype(np.float64)


def known_field(monkeypatch: pytest.MonkeyPatch, field: NDArray[np.float64]) -> None:
    """Have N4 find this field, (rows, cols), in every slice."""

    class Known:
        def plane(self, index: int) -> NDArray[np.float64]:
            return np.log(field)

    monkeypatch.setattr(bias, "fit", lambda *_: Known())


@pytest.fixture
def whole_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is body, so that a test can compute its mean by hand."""
    monkeypatch.setattr(bias, "body_mask", lambda voxels, *_: np.ones(voxels.shape, bool))


def test_stored_values_are_divided_and_the_mean_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    split = pairs(tmp_path)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    before, after = stored(split), stored(made)
    scale = (before / slope()).sum() / before.sum()
    assert np.array_equal(after, np.rint(before / (slope() * scale).astype(np.float32)))
    assert after.mean() == pytest.approx(before.mean(), abs=0.5)
    record = made.slices[0].bias
    assert record
    assert record.method == "n4"
    assert record.least == pytest.approx(0.6 * scale, abs=1e-6)
    assert record.most == pytest.approx(1.4 * scale, abs=1e-6)


def test_windowed_values_are_not_rounded_before_they_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    split = pairs(tmp_path)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "w", window="0,900", **FAST)
    before = stored(split)
    scale = (before / slope()).sum() / before.sum()
    exact = np.clip(before / (slope() * scale) * 255 / 900, 0, 255)
    assert np.abs(stored(made) - exact).max() <= 0.5 + 1e-2


def test_units_are_divided_where_zero_is_another_stored_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    def shifted(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.RescaleSlope, header.RescaleIntercept = "2", "-200"
        return pixels + np.uint16(100)

    split = pairs(tmp_path, shifted)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    units = (stored(split) - 100) * 2
    scale = (units / slope()).sum() / units.sum()
    rescaled = stored(made) * made.slices[0].slope + made.slices[0].intercept
    assert np.abs(rescaled - units / (slope() * scale)).max() <= 1.001


def test_padding_keeps_its_value_and_nothing_else_becomes_padding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    def padded(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.add_new(0x00280120, "US", 40)
        header.add_new(0x00280121, "US", 60)
        rest = np.where((pixels >= 40) & (pixels <= 60), 61, pixels)
        rest[:4] = 50
        rest[6, 6:10] = 39
        return rest.astype(np.uint16)

    split = pairs(tmp_path, padded)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    before, after = stored(split), stored(made)
    assert made.slices[0].padding == (40.0, 60.0)
    outside = (before >= 40) & (before <= 60)
    assert np.array_equal((after >= 40) & (after <= 60), outside)
    assert np.array_equal(after[outside], before[outside])
    assert (after[before == 39] <= 39).all()


def test_values_beyond_the_type_are_clipped_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    def bright(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        pixels = pixels.copy()
        pixels[0, 0] = 65535 if number == 0 else 5
        return pixels

    split = pairs(tmp_path, bright)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    assert stored(made)[0, 0, 0] == 65535
    noted = [any("were clipped" in one for one in row.warnings) for row in made.slices]
    assert noted == [True, False, False, False]


def test_bits_stored_grow_with_the_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_body: None
) -> None:
    def twelve(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.BitsStored, header.HighBit = 12, 11
        pixels = np.minimum(pixels, 4095)
        pixels[0, 0] = 4095
        return pixels

    split = pairs(tmp_path, twelve)
    known_field(monkeypatch, slope())
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    assert stored(made).max() > 4095
    assert {row.bits_stored for row in made.slices} == {13}


@pytest.mark.parametrize("how", [{**FAST}, {"normalize": "zscore"}])
def test_the_version_of_what_finds_the_body_is_recorded(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    split = pairs(tmp_path)
    made = chaosprep.convert(split, tmp_path / "a", **how).made
    assert made.versions["SimpleITK"] == importlib.metadata.version("SimpleITK")
    assert "SimpleITK" not in chaosprep.convert(split, tmp_path / "b").made.versions


def test_without_it_nothing_changes(tmp_path: Path) -> None:
    split = pairs(tmp_path)
    plain = chaosprep.convert(split, tmp_path / "a")
    none = chaosprep.convert(split, tmp_path / "b", bias="none")
    table = (tmp_path / "a/slices.jsonl").read_bytes()
    assert b"bias" not in table
    assert table == (tmp_path / "b/slices.jsonl").read_bytes()
    assert np.array_equal(stored(plain), stored(none))


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_and_threads_change_no_byte(tmp_path: Path, jobs: int) -> None:
    split = pairs(tmp_path)
    process = SimpleITK.ProcessObject
    before = process.GetGlobalDefaultNumberOfThreads()
    try:
        process.SetGlobalDefaultNumberOfThreads(1)
        chaosprep.convert(split, tmp_path / "one", keep_16bit=True, jobs=1, **FAST)
        process.SetGlobalDefaultNumberOfThreads(4)
        chaosprep.convert(split, tmp_path / "many", keep_16bit=True, jobs=jobs, **FAST)
    finally:
        process.SetGlobalDefaultNumberOfThreads(before)
    tables = [(tmp_path / name / "slices.jsonl").read_bytes() for name in ("one", "many")]
    assert tables[0] == tables[1]
    assert json.loads(tables[0].splitlines()[0])["bias"]["method"] == "n4"


# What has no field that N4 can find


def left_alone(place: Path, change: Change, why: str, **changes: Any) -> None:
    split = pairs(place, change, **changes)
    plain = chaosprep.convert(split, place / "plain", keep_16bit=True)
    made = chaosprep.convert(split, place / "made", keep_16bit=True, **FAST)
    assert np.array_equal(stored(made), stored(plain))
    for row, other in zip(made.slices, plain.slices, strict=True):
        assert row.bias is None
        assert {*row.warnings} - {*other.warnings} == {f"its bias field was not corrected: {why}"}


def test_a_flat_case_stays_with_a_warning(tmp_path: Path) -> None:
    left_alone(tmp_path, lambda h, pixels, n: np.full_like(pixels, 7), "the body in it is flat")


def test_a_case_of_zeros_stays_with_a_warning(tmp_path: Path) -> None:
    left_alone(tmp_path, lambda h, pixels, n: pixels * 0, "the body in it is too small")


@pytest.mark.parametrize(("slices", "size"), [(1, 1), (1, 2), (5, 1)])
def test_a_tiny_case_stays_with_a_warning(tmp_path: Path, slices: int, size: int) -> None:
    def corner(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        square: NDArray[Any] = np.arange(1, size * size + 1, dtype=np.uint16).reshape(size, size)
        return square

    left_alone(tmp_path, corner, "the body in it is too small", slices=slices)


def test_monochrome1_stays_with_a_warning(tmp_path: Path) -> None:
    def inverse(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.PhotometricInterpretation = "MONOCHROME1"
        turned: NDArray[Any] = 4095 - np.minimum(pixels, 4095)
        return turned.astype(np.uint16)

    why = "its modality units fall where it gets brighter, as in MONOCHROME1"
    left_alone(tmp_path, inverse, why)


@pytest.mark.parametrize("how", [{}, {"keep_16bit": True}])
def test_a_slope_below_0_is_corrected_as_one_above(tmp_path: Path, how: dict[str, Any]) -> None:
    def turned(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.RescaleSlope, header.RescaleIntercept = "-1", "4095"
        return (4095 - pixels).astype(np.uint16)

    found = [
        chaosprep.convert(pairs(tmp_path / name, change), tmp_path / name / "k", **FAST, **how)
        for name, change in (("up", None), ("down", turned))
    ]
    up, down = ([row.bias for row in made.slices] for made in found)
    assert up[0] is not None
    assert up == down


def test_negative_units_stay_with_a_warning(tmp_path: Path) -> None:
    def below(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.RescaleSlope, header.RescaleIntercept = "1", "-70000"
        return pixels

    left_alone(tmp_path, below, "the body in it is too small")


def test_a_field_that_no_coil_has_is_not_divided_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_field(monkeypatch, slope() ** 40)
    left_alone(tmp_path, lambda h, pixels, n: pixels, "N4 found a field that no coil has")


def test_one_slice_is_corrected(tmp_path: Path) -> None:
    split = pairs(tmp_path, slices=1, matrix=64)
    made = chaosprep.convert(split, tmp_path / "k", keep_16bit=True, **FAST)
    assert made.slices[0].bias is not None


# What is refused


@pytest.mark.parametrize(
    "setting", [{"bias_grid": 9.0}, {"bias_distance": 20.0}, {"bias_iterations": 5}]
)
def test_a_setting_of_the_field_without_one_is_refused(
    tmp_path: Path, setting: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match='are for bias="n4"'):
        chaosprep.convert(pairs(tmp_path), tmp_path / "k", **setting)


def problem_of(source: chaosprep.Dataset, output: Path) -> Any:  # noqa: ANN401 - a problem
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(source, output, **FAST)
    (problem,) = caught.value.problems
    return problem


def test_ct_is_refused(tmp_path: Path) -> None:
    root = write_chaos(tmp_path / "r", [Patient(id=1, modality="CT", slices=3, matrix=SIZE)])
    split = chaosprep.split(root, tmp_path / "s", val=0.0, sequence="ct")
    problem = problem_of(split, tmp_path / "c")
    assert (problem.id, problem.code) == ("CT001_ct", "bias-ct")


def test_other_cases_go_on_where_ct_is_skipped(tmp_path: Path) -> None:
    patients = [
        Patient(id=1, modality="CT", slices=3, matrix=SIZE),
        Patient(id=1, sequences=("t1-in",), slices=3, matrix=SIZE),
    ]
    root = write_chaos(tmp_path / "r", patients)
    split = chaosprep.split(root, tmp_path / "s", val=0.0, sequence=("ct", "t1-in"))
    made = chaosprep.convert(split, tmp_path / "c", on_error="skip", **FAST)
    assert {row.case for row in made.slices} == {"MR001_t1-in"}


def test_ct_without_a_header_is_known_by_its_sequence(tmp_path: Path) -> None:
    def silent(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        header.Modality = ""
        return pixels

    split = pairs(tmp_path, silent)
    case = split.cases[0]
    import msgspec

    from chaosprep.stages.converting.params import ConvertParams
    from chaosprep.stages.converting.reading import read_case

    rows = tuple(msgspec.structs.replace(row, sequence="ct") for row in case.slices)
    params = ConvertParams(bias="n4")
    found = read_case(replace(case, slices=rows), params)
    with pytest.raises(chaosprep.errors.FileError) as caught:
        bias.corrected(replace(case, slices=rows), found, params)
    assert caught.value.code == "bias-ct"


def test_slices_that_make_no_volume_are_refused(tmp_path: Path) -> None:
    def nowhere(header: Dicom, pixels: NDArray[Any], number: int) -> NDArray[Any]:
        del header.PixelSpacing
        return pixels

    split = pairs(tmp_path, nowhere)
    assert problem_of(split, tmp_path / "c").code == "geometry-unknown"
