"""convert: DICOM becomes windowed 8-bit PNG, or its stored values as 16-bit PNG or npy."""

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.errors import Problem, ProblemsError, UsageError
from chaosprep.params import make_params
from chaosprep.stages.converting.params import ConvertParams
from tests.formats.samples import dicom

Pixels = NDArray[Any]
RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16)


def params(**fields: Any) -> ConvertParams:
    return make_params(ConvertParams, fields)


def slices(root: Path, *pixels: Pixels, **changes: object) -> Dataset:
    """A split dataset of one case without masks, from arrays in anatomical order."""
    files = [
        dicom(p, ImagePositionPatient=[0, 0, 5.5 * n], **changes) for n, p in enumerate(pixels)
    ]
    return from_files(root, *files)


def from_files(root: Path, *files: bytes) -> Dataset:
    folder = root / "chaos/MR/1/T1DUAL/DICOM_anon/InPhase"
    folder.mkdir(parents=True)
    for number, data in enumerate(files):
        (folder / f"IMG-0005-{2 * number + 2:05d}.dcm").write_bytes(data)
    return chaosprep.split(root / "chaos", root / "pairs")


def stored(parent: Dataset, row: Slice) -> Pixels:
    """The stored values, by pydicom alone."""
    pixels: Pixels = pydicom.dcmread(parent.directory / row.image).pixel_array
    return pixels


def written(made: Dataset, row: Slice) -> Pixels:
    """The pixels of a written image, by OpenCV or numpy alone."""
    file = made.directory / row.image
    if file.suffix == ".npy":
        array: Pixels = np.load(file, allow_pickle=False)
        return array
    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def windowed(pixels: Pixels, low: float, high: float) -> Pixels:
    """The documented formula, written anew; np.rint rounds half to even."""
    return np.clip(np.rint((pixels.astype(float) - low) * 255 / (high - low)), 0, 255)


def problem_of(parent: Dataset, output: Path, **fields: Any) -> Problem:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(parent, output, **fields)
    (problem,) = caught.value.problems
    return problem


# Windows


def test_one_window_holds_the_percentiles_of_all_pixels_of_a_case(
    livers: Dataset, images: Dataset
) -> None:
    for before, after in zip(livers.cases, images.cases, strict=True):
        arrays = [stored(livers, row) for row in before.slices]
        low, high = np.percentile(np.stack(arrays), [0.5, 99.5])
        for row, array in zip(after.slices, arrays, strict=True):
            assert row.window == (low, high)
            assert row.window_source == "percentile"
            assert np.array_equal(written(images, row), windowed(array, low, high))


def test_rows_describe_the_file_as_written(livers: Dataset, images: Dataset) -> None:
    for before, after in zip(livers.slices, images.slices, strict=True):
        image = written(images, after)
        assert image.shape == (before.rows, before.cols) == (after.rows, after.cols)
        assert (image.dtype.name, after.dtype, after.bits_stored) == ("uint8", "uint8", 8)
        assert (after.parent, after.source) == (before.id, before.source)
        assert (after.spacing, after.position) == (before.spacing, before.position)
        assert after.pixels == before.pixels


def test_a_window_of_each_slice_on_request(livers: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", window_scope="slice")
    for before, after in zip(livers.slices, made.slices, strict=True):
        array = stored(livers, before)
        low, high = np.percentile(array, [0.5, 99.5])
        assert after.window == (low, high)
        assert np.array_equal(written(made, after), windowed(array, low, high))


def test_halves_round_to_even(tmp_path: Path) -> None:
    """Over 0 to 510 every odd value lies half way between two grey levels."""
    pixels = np.arange(512, dtype=np.uint16).reshape(16, 32)
    made = chaosprep.convert(slices(tmp_path, pixels), tmp_path / "out", window="0,510")
    image = written(made, made.slices[0]).ravel()
    assert image[[1, 3, 5, 7, 509, 510, 511]].tolist() == [0, 2, 2, 4, 254, 255, 255]
    assert image.tolist() == [min(round(value / 2), 255) for value in range(512)]


def test_minmax_spans_the_case(tmp_path: Path) -> None:
    parent = slices(tmp_path, RAMP + 100, RAMP + 1000)
    made = chaosprep.convert(parent, tmp_path / "out", window="minmax")
    assert [(row.window, row.window_source) for row in made.slices] == [
        ((100.0, 1255.0), "minmax")
    ] * 2
    assert written(made, made.slices[0]).min() == 0
    assert written(made, made.slices[1]).max() == 255


def test_a_users_window_is_in_modality_units(tmp_path: Path) -> None:
    """-100 to 300 HU are 450 to 650 stored, where HU = 2 x stored - 1000."""
    pixels = np.array([[449, 450, 550, 650, 651]], dtype=np.uint16)
    parent = slices(tmp_path, pixels, RescaleSlope=2, RescaleIntercept=-1000)
    made = chaosprep.convert(parent, tmp_path / "out", window="-100,300")
    (row,) = made.slices
    assert (row.window, row.window_source) == ((450.0, 650.0), "user")
    assert (row.slope, row.intercept) == (2.0, -1000.0)
    assert written(made, row).tolist() == [[0, 0, 128, 255, 255]]


def test_a_falling_rescale_still_gives_a_rising_window(tmp_path: Path) -> None:
    parent = slices(tmp_path, RAMP, RescaleSlope=-1, RescaleIntercept=0)
    made = chaosprep.convert(parent, tmp_path / "out", window="-200,-100")
    assert made.slices[0].window == (100.0, 200.0)


def test_dicoms_window_is_the_median_of_the_case(tmp_path: Path) -> None:
    """PS3.3 C.11.2.1.2.1: centre c and width w reach from c - w/2 to c + w/2 - 1."""
    files = [
        dicom(RAMP, ImagePositionPatient=[0, 0, n], WindowCenter=centre, WindowWidth=101)
        for n, centre in enumerate([100, 110, 180])
    ]
    made = chaosprep.convert(from_files(tmp_path, *files), tmp_path / "out", window="dicom")
    assert {(row.window, row.window_source) for row in made.slices} == {((59.5, 159.5), "dicom")}


def test_a_missing_dicom_window_falls_back_to_percentiles_with_a_warning(tmp_path: Path) -> None:
    parent = slices(tmp_path, RAMP, WindowCenter=None, WindowWidth=None)
    made = chaosprep.convert(parent, tmp_path / "out", window="dicom")
    (row,) = made.slices
    assert row.window == tuple(np.percentile(RAMP, [0.5, 99.5]))
    assert row.window_source == "percentile"
    assert "no usable window" in row.warnings[0]


def test_percentiles_that_are_equal_do_not_erase_the_image(tmp_path: Path) -> None:
    """One bright pixel in 1,000: both percentiles are 0."""
    pixels = np.zeros((40, 25), dtype=np.uint16)
    pixels[7, 9] = 500
    made = chaosprep.convert(slices(tmp_path, pixels), tmp_path / "out")
    (row,) = made.slices
    assert (row.window, row.window_source) == ((0.0, 500.0), "minmax")
    assert "percentiles are equal" in row.warnings[0]
    assert np.array_equal(written(made, row) == 255, pixels == 500)


@pytest.mark.parametrize("window", ["percentile", "minmax", "dicom", "0,1000"])
def test_a_constant_image_becomes_zeros_with_a_warning(tmp_path: Path, window: str) -> None:
    flat = np.full((4, 4), 700, dtype=np.uint16)
    made = chaosprep.convert(slices(tmp_path, flat), tmp_path / "out", window=window)
    (row,) = made.slices
    assert not written(made, row).any()
    assert any("constant image (every pixel is 700)" in warning for warning in row.warnings)


def test_a_constant_slice_leaves_the_rest_of_its_case_alone(tmp_path: Path) -> None:
    flat = np.full((16, 16), 100, dtype=np.uint16)
    made = chaosprep.convert(slices(tmp_path, flat, RAMP), tmp_path / "out", window="minmax")
    first, second = made.slices
    assert not written(made, first).any()
    assert np.array_equal(written(made, second), RAMP)
    assert second.warnings == ()


def test_monochrome1_is_inverted_so_that_bright_is_high(tmp_path: Path) -> None:
    parent = slices(tmp_path, RAMP, PhotometricInterpretation="MONOCHROME1")
    made = chaosprep.convert(parent, tmp_path / "out", window="minmax")
    (row,) = made.slices
    assert np.array_equal(written(made, row), 255 - RAMP)
    assert "MONOCHROME1" in row.warnings[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"window": "percentiles"},
        {"window": "300,100"},
        {"window": "5,5"},
        {"window": "1,2,3"},
        {"window": "nan,5"},
        {"window_scope": "patient"},
        {"format": "jpg"},
    ],
)
def test_parameters_that_make_no_sense_are_usage_errors(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        params(**fields)
    assert next(iter(fields)) in str(caught.value)


@pytest.mark.parametrize("text", ["-160,240", " -160 , 240 ", "-1.6e2,240.", "-160.0,+240"])
def test_a_window_is_two_numbers(text: str) -> None:
    assert params(window=text).window_kind() == (-160, 240)


# Stored values


@pytest.mark.parametrize("format", ["png", "npy"])
def test_keep_16bit_is_pydicoms_pixel_array_on_every_slice(
    livers: Dataset, tmp_path: Path, format: Literal["png", "npy"]
) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", keep_16bit=True, format=format)
    for before, after in zip(livers.slices, made.slices, strict=True):
        image, array = written(made, after), stored(livers, before)
        assert image.dtype == array.dtype == np.uint16
        assert np.array_equal(image, array)
        assert (after.dtype, after.bits_stored) == ("uint16", 16)
        assert (after.window, after.window_source) == (None, "none")
        assert (after.slope, after.intercept) == (before.slope, before.intercept)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_npy_keeps_values_and_type_whatever_they_are(tmp_path: Path, dtype: str) -> None:
    limits = np.iinfo(dtype)
    pixels = np.array([[limits.min, 0, 1, limits.max]] * 2, dtype=dtype)
    made = chaosprep.convert(slices(tmp_path, pixels), tmp_path / "out", format="npy")
    (row,) = made.slices
    assert row.image.endswith(".npy")
    assert (written(made, row).dtype, row.dtype) == (np.dtype(dtype), dtype)
    assert np.array_equal(written(made, row), pixels)
    assert np.array_equal(made.image(row), pixels)


def test_signed_values_in_a_png_are_offset_and_the_intercept_says_so(tmp_path: Path) -> None:
    pixels = np.array([[-32768, -1000, 0, 32767]], dtype=np.int16)
    parent = slices(tmp_path, pixels, RescaleSlope=2, RescaleIntercept=10, BitsStored=16)
    made = chaosprep.convert(parent, tmp_path / "out", keep_16bit=True)
    (row,) = made.slices
    image = written(made, row)
    assert image.tolist() == [[0, 31768, 32768, 65535]]
    assert (row.dtype, row.bits_stored) == ("uint16", 16)
    assert np.array_equal(image * row.slope + row.intercept, pixels * 2.0 + 10)
    assert "32768 added" in row.warnings[0]


def test_8_bit_values_become_a_16_bit_png_unchanged(tmp_path: Path) -> None:
    pixels = np.array([[0, 7, 255]], dtype=np.uint8)
    made = chaosprep.convert(slices(tmp_path, pixels), tmp_path / "out", keep_16bit=True)
    (row,) = made.slices
    assert written(made, row).dtype == np.uint16
    assert written(made, row).tolist() == [[0, 7, 255]]
    assert row.bits_stored == 8


def test_values_too_wide_for_a_png_name_the_format_that_holds_them(tmp_path: Path) -> None:
    parent = slices(tmp_path, np.array([[0, 70000]], dtype=np.uint32))
    problem = problem_of(parent, tmp_path / "out", keep_16bit=True)
    assert problem.code == "too-wide"
    assert "--format npy" in problem.remedy
    made = chaosprep.convert(parent, tmp_path / "out", format="npy")
    assert written(made, made.slices[0]).tolist() == [[0, 70000]]


def test_stored_values_stay_though_they_are_odd(tmp_path: Path) -> None:
    flat = np.full((4, 4), 700, dtype=np.uint16)
    made = chaosprep.convert(slices(tmp_path, flat), tmp_path / "out", keep_16bit=True)
    (row,) = made.slices
    assert np.array_equal(written(made, row), flat)
    assert row.warnings == ("constant image (every pixel is 700)",)


# Files


def test_shape_is_never_changed(tmp_path: Path) -> None:
    made = chaosprep.convert(
        slices(tmp_path, np.arange(77, dtype=np.uint16).reshape(7, 11)), tmp_path / "out"
    )
    assert written(made, made.slices[0]).shape == (7, 11)


def test_masks_are_hard_links_of_the_parents(livers: Dataset, images: Dataset) -> None:
    for before, after in zip(livers.slices, images.slices, strict=True):
        assert after.mask == before.mask
        assert after.mask_sha256 == before.mask_sha256
        ours, theirs = images.directory / str(after.mask), livers.directory / str(before.mask)
        assert ours.samefile(theirs)


def test_nothing_of_the_parent_is_touched(livers: Dataset, tmp_path: Path) -> None:
    def content() -> dict[Path, bytes]:
        files = (path for path in livers.directory.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files}

    before = content()
    chaosprep.convert(livers, tmp_path / "out")
    chaosprep.convert(livers, tmp_path / "out", window="minmax", overwrite=True)
    assert content() == before


def test_an_image_that_cannot_be_decoded_is_a_problem_of_its_slice(tmp_path: Path) -> None:
    cut = dicom(RAMP, ImagePositionPatient=[0, 0, 5])[:-100]
    parent = from_files(tmp_path, dicom(RAMP, ImagePositionPatient=[0, 0, 0]), cut)
    problem = problem_of(parent, tmp_path / "out")
    assert (problem.code, problem.id) == ("dicom-truncated", "MR001_t1-in_s001")
    made = chaosprep.convert(parent, tmp_path / "out", on_error="skip")
    assert [row.slice for row in made.slices] == [0]


def test_an_image_that_changed_since_the_split_is_refused(tmp_path: Path) -> None:
    parent = slices(tmp_path, RAMP)
    (parent.directory / parent.slices[0].image).write_bytes(dicom(RAMP + 1))
    assert problem_of(parent, tmp_path / "out").code == "hash"


def test_a_directory_that_is_no_split_is_refused(phantom: Path, tmp_path: Path) -> None:
    with pytest.raises(chaosprep.ChaosprepError, match="not a"):
        chaosprep.convert(phantom, tmp_path / "out")
