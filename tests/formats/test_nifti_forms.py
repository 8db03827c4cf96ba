"""Where a NIfTI lies: by its sform, its qform, or neither, with nibabel as the oracle."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.masks import read_volume
from chaosprep.formats.nifti import read_lattice, read_nifti
from chaosprep.imaging.header import Header
from tests.formats.samples import header
from tests.formats.test_cut_mask import COUNT, PATHS, assert_labels, codes, cut, headers, ras
from tests.imaging.test_placing import turned
from tests.layouts.trees import nifti

nibabel = pytest.importorskip("nibabel")

LPS = np.diag([-1.0, -1, 1, 1])
TRUE = ras()[1]
MIRROR = TRUE @ np.diag([-1.0, 1, 1, 1])
Affine = NDArray[np.float64]


def forms(
    qform: Affine = TRUE, qcode: int = 0, sform: Affine = TRUE, scode: int = 0, **fields: Any
) -> bytes:
    """The labels of `ras`, with two forms and their codes."""
    image = nibabel.Nifti1Image(ras()[0], TRUE)
    image.set_qform(qform, qcode)
    image.set_sform(sform, scode)
    for name, value in fields.items():
        image.header[name] = value
    data: bytes = image.to_bytes()
    return data


def refusal(data: bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        read_lattice(data)
    return caught.value


def affine_of(data: bytes) -> Affine:
    """Our lattice as the affine of a NIfTI."""
    lattice = read_lattice(data)
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = lattice.steps, lattice.origin
    return LPS @ found


@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9), st.integers(1, 4))
def test_an_sform_is_any_affine_a_tilted_one_too(numbers: list[float], code: int) -> None:
    sform = np.eye(4)
    sform[:3, :3] += np.array(numbers).reshape(3, 3)
    found = affine_of(forms(sform=sform, scode=code))
    assert np.array_equal(found, np.float32(sform))


ANGLE = st.floats(-3.2, 3.2)


@settings(max_examples=200)
@given(ANGLE, ANGLE, ANGLE, st.sampled_from((1, -1)))
def test_a_qform_alone_is_nibabels(alpha: float, beta: float, gamma: float, sign: int) -> None:
    qform = np.eye(4)
    qform[:3, :3] = turned(alpha, beta, gamma) * [1.5, 1.25, sign * 5.5]
    qform[:3, 3] = -30, 12.5, 7
    data = forms(qform=qform, qcode=1)
    expected = nibabel.Nifti1Image.from_bytes(data).get_qform()
    # Near half a turn float32 leaves the quaternion's first part open, by up to its root.
    bcd = np.frombuffer(data, "<f4", 3, offset=256).astype(float)
    is_half_turn = 1 - bcd @ bcd < 1e-5
    assert np.abs(affine_of(data) - expected).max() < (1.5e-2 if is_half_turn else 1e-5)


@pytest.mark.parametrize(("qform", "sform"), [(MIRROR, TRUE), (TRUE, MIRROR)])
def test_two_valid_forms_that_differ_are_refused_by_both_names(
    qform: Affine, sform: Affine
) -> None:
    error = refusal(forms(qform, 1, sform, 2))
    assert error.code == "nifti-forms"
    assert "qform (code 1) and sform (code 2)" in error.reason
    assert "code of the other to 0" in error.remedy


def sized(size: float, **codes: Any) -> bytes:
    """Voxels of this size along j; nibabel itself would write a true one."""
    data = bytearray(forms(**codes))
    struct.pack_into("<f", data, 84, size)
    return bytes(data)


@pytest.mark.parametrize("size", [-1.25, 0, np.nan, np.inf])
@pytest.mark.parametrize("code", [0, 1])
def test_voxels_need_a_size_above_0_where_the_place_is_made_of_it(size: float, code: int) -> None:
    """nibabel takes 1 mm for 0 and 1.25 for -1.25; the standard's library 1 mm for both."""
    assert refusal(sized(size, qcode=code)).code == "geometry-unknown"


def test_an_sform_needs_no_other_size(tmp_path: Path) -> None:
    assert_labels(cut(tmp_path, "m.nii", sized(-1.25, scode=1)))
    assert_labels(cut(tmp_path, "n.nii", sized(0, scode=1)))


@pytest.mark.parametrize("offset", [0, 348, np.nan])
def test_voxels_that_begin_in_the_header_begin_nowhere(tmp_path: Path, offset: float) -> None:
    """For 0 nibabel has byte 352 and the standard's library 348: the labels would be shifted."""
    data = bytearray(forms(scode=1))
    struct.pack_into("<f", data, 108, offset)
    assert codes(cut(tmp_path, "m.nii", bytes(data))) == {"m.nii": "mask-unreadable"}


def test_voxels_may_begin_behind_extensions(tmp_path: Path) -> None:
    data = bytearray(forms(scode=1))
    struct.pack_into("<f", data, 108, 384.0)
    assert_labels(cut(tmp_path, "m.nii", bytes(data[:352] + bytes(32) + data[352:])))


SIDE = 512


def oblique(degrees: float, **changes: float) -> tuple[bytes, dict[str, Header]]:
    """Two slices of 512 x 512, and a mask that has a qform alone; what is turned or moved of it."""
    axes = turned(*np.radians([degrees, 2 * degrees, -degrees]))
    grid = {"rows": SIDE, "cols": SIDE, "pixel_spacing": (0.7, 0.7)}
    images = {
        path: header(
            **grid,
            image_orientation_patient=tuple(axes[:, :2].T.ravel().tolist()),
            image_position_patient=tuple((10 * n * axes[:, 2]).tolist()),
        )
        for n, path in enumerate(PATHS[:2])
    }
    affine = np.eye(4)
    turn = turned(np.radians(changes.get("turned", 0)), 0, 0)
    affine[:3, :3] = turn @ axes * [0.7, 0.7, 10.0]
    affine[:3, 3] = changes.get("moved", 0) * axes[:, 0]
    image = nibabel.Nifti1Image(labels_of_two(), LPS @ affine)
    image.set_qform(LPS @ affine, 1)
    image.set_sform(None, 0)
    return image.to_bytes(), images


def labels_of_two() -> NDArray[np.uint8]:
    labels = np.zeros((SIDE, SIDE, 2), np.uint8)
    labels[500, 20, 1] = 1  # column, row, slice
    return labels


@pytest.mark.parametrize("degrees", [0.02, 0.1, 0.7, 5])
def test_what_a_quaternion_cannot_hold_is_taken_from_the_images(
    tmp_path: Path, degrees: float
) -> None:
    """A small angle beside the half turn: the root of what float32 rounds is most of it."""
    data, images = oblique(degrees)
    stack = cut(tmp_path, "m.nii", data, images)
    assert stack.errors == []
    assert [np.argwhere(plane).tolist() for plane in stack.labels.values()] == [[], [[20, 500]]]


@pytest.mark.parametrize("changes", [{"turned": 0.1}, {"moved": 0.04}, {"moved": 0.3}])
def test_a_quaternion_excuses_no_other_turn_and_no_shift(
    tmp_path: Path, changes: dict[str, float]
) -> None:
    stack = cut(tmp_path, "m.nii", *oblique(1, **changes))
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert stack.labels == {}


def moved(millimetres: float) -> Affine:
    found = TRUE.copy()
    found[0, 3] += millimetres
    return found


def test_a_twentieth_of_a_voxel_is_the_limit() -> None:
    """The smallest voxel is 1.25 mm."""
    assert refusal(forms(moved(0.07), 1, TRUE, 1)).code == "nifti-forms"
    assert np.allclose(affine_of(forms(moved(0.05), 1, TRUE, 1)), TRUE, atol=1e-5)


def test_another_size_of_voxels_is_another_place() -> None:
    assert refusal(forms(TRUE @ np.diag([1.02, 1, 1, 1]), 1, TRUE, 1)).code == "nifti-forms"


@settings(max_examples=300)
@given(st.floats(-2e-3, 2e-3), st.floats(-2e-3, 2e-3), st.floats(-2e-3, 2e-3))
def test_the_rounding_of_a_quaternion_near_half_a_turn_is_no_difference(
    alpha: float, beta: float, gamma: float
) -> None:
    """DICOM's axes are half a turn from NIfTI's, where float32 loses most of a small angle."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1, -1, 1]) @ turned(alpha, beta, gamma) * [0.7, 0.7, 1.0]
    image = nibabel.Nifti1Image(np.zeros((512, 512, 400), np.uint8), affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    header = image.header.binaryblock
    assert np.allclose(affine_of(header + bytes(4)), affine, atol=1e-6)


@pytest.mark.parametrize(
    "data", [forms(MIRROR, 0, TRUE, 2), forms(TRUE, 1, MIRROR, 0), forms(TRUE, 1, TRUE, 1)]
)
def test_a_form_with_code_0_is_ignored(tmp_path: Path, data: bytes) -> None:
    assert_labels(cut(tmp_path, "m.nii", data))


def test_a_mask_without_any_form_is_refused_though_its_size_fits(tmp_path: Path) -> None:
    stack = cut(tmp_path, "m.nii", forms())
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert "qform_code and sform_code are 0" in stack.errors[0][1].reason


def test_a_volume_without_any_form_still_has_the_size_of_its_voxels(tmp_path: Path) -> None:
    volume = read_volume(tmp_path / "m.nii", forms())
    assert np.allclose(volume.lattice.spacing, (5.5, 1.25, 1.5))


def test_label_volumes_to_be_measured_are_refused_alike(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_volume(tmp_path / "m.nii", forms(MIRROR, 1, TRUE, 1))
    assert caught.value.code == "nifti-forms"


@pytest.mark.parametrize("at", [256, 268])  # quatern_b and qoffset_x
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_qform_alone_that_is_no_number_lies_nowhere_and_nothing_is_printed(
    tmp_path: Path, at: int, value: float, recwarn: pytest.WarningsRecorder
) -> None:
    data = bytearray(forms(TRUE, 1))
    struct.pack_into("<f", data, at, value)
    stack = cut(tmp_path, "m.nii", bytes(data))
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert not recwarn.list


def test_a_form_that_is_no_number_is_no_place() -> None:
    assert refusal(forms(TRUE, 1, TRUE, 1, qoffset_x=np.nan)).code == "nifti-forms"
    assert refusal(forms(TRUE, 1, np.full((4, 4), np.inf), 1)).code == "nifti-forms"


@pytest.mark.parametrize(("units", "factor"), [(1, 1000.0), (2, 1.0), (3, 0.001), (0, 1.0)])
def test_lengths_may_be_metres_or_microns(units: int, factor: float) -> None:
    sform = TRUE.copy()
    sform[:3] /= factor
    found = affine_of(forms(sform=sform, scode=1, xyzt_units=units))
    assert np.allclose(found, TRUE, rtol=1e-6)


def test_one_volume_of_four_dimensions_is_a_mask(tmp_path: Path) -> None:
    voxels, affine = ras()
    assert_labels(cut(tmp_path, "m.nii", nifti(voxels[..., None], affine)))
    assert_labels(cut(tmp_path, "n.nii", nifti(voxels[..., None, None], affine)))


def test_several_volumes_are_none(tmp_path: Path) -> None:
    voxels, affine = ras()
    stack = cut(tmp_path, "m.nii", nifti(np.stack([voxels] * 2, axis=3), affine))
    assert codes(stack) == {"m.nii": "mask-kind"}
    assert "4 x 3 x 5 x 2" in stack.errors[0][1].reason


def test_a_volume_of_one_slice_is_the_mask_of_one_image(tmp_path: Path) -> None:
    voxels, affine = ras()
    (tmp_path / "m.nii").write_bytes(data := nifti(voxels[..., :1], affine))
    assert read_nifti(data).voxels.shape == (1, 3, 4)


TILT = np.eye(3)
TILT[:, 1] = 0, 0.970295726276, -0.2419218955997  # the columns of a gantry tilted by 14 degrees
TILT[:, 2] = 0, 0, 1  # the table moves along z all the same


def test_a_tilted_mask_is_read_on_its_tilted_series(tmp_path: Path) -> None:
    assert read_lattice(nifti(*ras(TILT))).is_sheared
    assert_labels(cut(tmp_path, "m.nii", nifti(*ras(TILT)), headers(TILT)))


def test_a_tilted_mask_with_its_axes_turned_too(tmp_path: Path) -> None:
    data = nifti(*ras(TILT, (1, 2, 0), (True, False, True)))
    assert_labels(cut(tmp_path, "m.nii", data, headers(TILT)))


def test_a_tilted_mask_of_a_straight_series_is_refused_as_tilted(tmp_path: Path) -> None:
    stack = cut(tmp_path, "m.nii", nifti(*ras(TILT)), headers())
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert "tilted" in stack.errors[0][1].reason


def test_a_straight_mask_of_a_tilted_series_fits_at_most_the_slice_that_it_was_laid_on(
    tmp_path: Path,
) -> None:
    """Straightened along the normal of the slices, as dcm2niix does: one cause, one line."""
    straight = TILT.copy()
    straight[:, 2] = np.cross(TILT[:, 0], TILT[:, 1])
    stack = cut(tmp_path, "m.nii", nifti(*ras(straight)), headers(TILT))
    assert list(stack.labels) == PATHS[:1]
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert f"the first of {COUNT - 1} images" in stack.errors[0][1].reason


def test_a_tilted_sform_and_the_qform_beside_it_differ() -> None:
    """No qform can be tilted: which of the two is meant cannot be told."""
    error = refusal(forms(TRUE, 1, ras(TILT)[1], 1))
    assert error.code == "nifti-forms"
    assert "tilted" in error.reason


@pytest.mark.parametrize("slope", [1 / 255, 1 / 127, 1 / 65535])
def test_a_slope_that_float32_rounds_keeps_the_labels_whole(tmp_path: Path, slope: float) -> None:
    voxels, affine = ras()
    stored = (voxels > 0).astype(np.uint16) * round(1 / slope)
    stack = cut(tmp_path, "m.nii", nifti(stored, affine, slope))
    assert stack.errors == []
    found = np.stack([stack.labels[path] for path in PATHS])
    assert np.array_equal(found.T, voxels > 0)


def test_such_a_slope_does_make_a_fraction() -> None:
    voxels, affine = ras()
    stored = (voxels > 0).astype(np.uint8) * 255
    assert read_nifti(nifti(stored, affine, 1 / 255)).voxels.max() == 1.0000000591389835


def test_a_slope_that_gives_fractions_does_not(tmp_path: Path) -> None:
    voxels, affine = ras()
    stack = cut(tmp_path, "m.nii", nifti((voxels > 0).astype(np.uint8) * 254, affine, 1 / 255))
    assert codes(stack) == {"m.nii": "mask-values"}


@pytest.mark.parametrize("slope", [np.nan, np.inf])
def test_a_slope_that_is_no_number_is_no_rescale(tmp_path: Path, slope: float) -> None:
    assert_labels(cut(tmp_path, "m.nii", nifti(*ras(), slope)))


@pytest.mark.parametrize(
    ("at", "kind", "value"), [(344, "4s", b"ni1\0"), (40, "h", 9), (42, "h", -1), (0, "i", 540)]
)
def test_what_is_no_whole_nifti_1_is_unreadable(at: int, kind: str, value: object) -> None:
    data = bytearray(nifti(*ras()))
    struct.pack_into(f"<{kind}", data, at, value)
    assert refusal(bytes(data)).code == "mask-unreadable"
