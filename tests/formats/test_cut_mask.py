"""NIfTI and npy volumes: each image gets the labels that lie at its pixels."""

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_header
from chaosprep.formats.masks import Stack, cut_mask
from chaosprep.formats.nifti import read_voxels
from chaosprep.formats.npy import BY_ORDER
from chaosprep.imaging.header import Header
from tests.formats.test_labels import npy
from tests.imaging.test_placing import turned
from tests.layouts.trees import COLS, ROWS, STEP, labels_at, nifti, slice_at

COUNT = 5
PATHS = [f"i/{place}.dcm" for place in range(COUNT)]
LABELS = np.stack([labels_at(place) for place in range(COUNT)])
SPACING = (STEP, 1.25, 1.5)  # as the sample's
ORIGIN = np.array([-10.0, -20.0, 0.0])


def headers(axes: NDArray[np.float64] | None = None) -> dict[str, Header]:
    """The images, in order; their rows, columns and normal along the columns of `axes`."""
    right, down, normal = (np.eye(3) if axes is None else axes).T
    return {
        path: read_header(
            slice_at(
                place,
                ImagePositionPatient=[f"{x:.9f}" for x in ORIGIN + place * STEP * normal],
                ImageOrientationPatient=[f"{x:.12f}" for x in (*right, *down)],
            )
        )
        for place, path in enumerate(PATHS)
    }


def ras(
    axes: NDArray[np.float64] | None = None,
    order: Sequence[int] = (2, 1, 0),
    flips: Sequence[bool] = (False, False, False),
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The labels as a NIfTI has them: voxels (i, j, k), affine to RAS.

    `order` says which of slices, rows and columns i, j and k are, `flips` which run backwards.
    """
    right, down, normal = (np.eye(3) if axes is None else axes).T
    steps = np.column_stack([normal * SPACING[0], down * SPACING[1], right * SPACING[2]])
    voxels, corner = LABELS, ORIGIN.copy()
    for axis in range(3):
        if flips[axis]:
            voxels = np.flip(voxels, axis)
            corner = corner + steps[:, axis] * (LABELS.shape[axis] - 1)
            steps[:, axis] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = steps[:, list(order)], corner
    return voxels.transpose(order), np.diag([-1.0, -1, 1, 1]) @ affine  # LPS to RAS


def cut(root: Path, name: str, data: bytes, images: dict[str, Header] | None = None) -> Stack:
    (root / name).write_bytes(data)
    return cut_mask(root, name, data, headers() if images is None else images, COUNT)


def assert_labels(stack: Stack) -> None:
    assert stack.errors == []
    assert np.array_equal(np.stack([stack.labels[path] for path in PATHS]), LABELS)


def codes(stack: Stack) -> dict[str, str]:
    return {path: error.code for path, error in stack.errors}


def test_a_nifti_volume_is_cut_by_geometry(tmp_path: Path) -> None:
    assert_labels(cut(tmp_path, "m.nii", nifti(*ras())))


def test_a_compressed_one_too(tmp_path: Path) -> None:
    assert_labels(cut(tmp_path, "m.nii.gz", gzip.compress(nifti(*ras()))))


def test_nifti_as_its_coordinates_run_and_as_dicoms_do(tmp_path: Path) -> None:
    """i to the right and j to the front (RAS), and i to the left and j to the back (LPS)."""
    for name, flips in (("ras.nii", (False, True, True)), ("lps.nii", (False, False, False))):
        voxels, affine = ras(flips=flips)
        signs = np.sign(affine @ [1, 1, 1, 0])[:2]
        assert signs.tolist() == ([1, 1] if "ras" in name else [-1, -1])
        assert_labels(cut(tmp_path, name, nifti(voxels, affine)))


ANGLE = st.floats(-1.5, 1.5)


@settings(max_examples=40, deadline=None)
@given(ANGLE, ANGLE, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_any_order_of_axes_any_flip_and_any_angle_give_the_same_labels(
    alpha: float, beta: float, order: list[int], flips: tuple[bool, ...]
) -> None:
    axes = turned(alpha, beta, 0.3)
    with TemporaryDirectory() as folder:
        stack = cut(Path(folder), "m.nii", nifti(*ras(axes, order, flips)), headers(axes))
    assert_labels(stack)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_any_number_type_will_do(tmp_path: Path, kind: str) -> None:
    voxels, affine = ras()
    stack = cut(tmp_path, "m.nii", nifti(voxels.astype(kind), affine))
    assert_labels(stack)
    assert {plane.dtype for plane in stack.labels.values()} == {np.dtype(np.uint8)}


def test_the_masks_of_a_case_have_one_type(tmp_path: Path) -> None:
    voxels, affine = ras()
    wide = voxels.astype(np.uint16)
    wide[0, 0, 0] = 300
    stack = cut(tmp_path, "m.nii", nifti(wide, affine))
    assert {plane.dtype for plane in stack.labels.values()} == {np.dtype(np.uint16)}


@pytest.mark.parametrize("value", [np.nan, 0.5, -1.0, 70000.0])
def test_values_that_are_no_labels_are_an_error_of_the_volume(tmp_path: Path, value: float) -> None:
    voxels, affine = ras()
    odd = voxels.astype(np.float32)
    odd[1, 1, 1] = value
    stack = cut(tmp_path, "m.nii", nifti(odd, affine))
    assert codes(stack) == {"m.nii": "mask-values"}
    assert stack.labels == {}


def test_a_volume_elsewhere_is_one_error(tmp_path: Path) -> None:
    voxels, affine = ras()
    affine[0, 3] += 0.7
    stack = cut(tmp_path, "m.nii", nifti(voxels, affine))
    assert codes(stack) == {"m.nii": "mask-grid"}
    assert stack.labels == {}


def test_a_volume_without_geometry_is_an_error_never_a_guess(tmp_path: Path) -> None:
    voxels, _ = ras()
    assert codes(cut(tmp_path, "m.nii", nifti(voxels, None))) == {"m.nii": "mask-grid"}


def test_an_image_beyond_the_volume_has_no_mask(tmp_path: Path) -> None:
    voxels, affine = ras()
    stack = cut(tmp_path, "m.nii", nifti(voxels[:, :, :-1], affine))
    assert codes(stack) == {PATHS[-1]: "mask-missing"}
    assert list(stack.labels) == PATHS[:-1]


def test_a_slice_of_the_volume_without_an_image_is_an_error(tmp_path: Path) -> None:
    voxels, affine = ras()
    more = np.concatenate([voxels, voxels[:, :, :2]], axis=2)
    stack = cut(tmp_path, "m.nii", nifti(more, affine))
    assert codes(stack) == {"m.nii": "mask-surplus"}
    assert "2 of its slices" in stack.errors[0][1].reason
    assert len(stack.labels) == COUNT


def test_what_is_left_over_where_an_image_cannot_be_read_is_not_told_twice(tmp_path: Path) -> None:
    images = headers()
    del images[PATHS[2]]
    stack = cut(tmp_path, "m.nii", nifti(*ras()), images)
    assert stack.errors == []
    assert PATHS[2] not in stack.labels


@pytest.mark.parametrize("data", [b"", b"hello", nifti(*ras())[:200], nifti(*ras())[:-30]])
def test_a_damaged_volume_is_an_error_and_nothing_is_printed(
    tmp_path: Path, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert codes(cut(tmp_path, "m.nii", data)) == {"m.nii": "mask-unreadable"}
    assert capfd.readouterr() == ("", "")


def test_four_dimensions_are_not_a_mask(tmp_path: Path) -> None:
    voxels, affine = ras()
    stack = cut(tmp_path, "m.nii", nifti(np.stack([voxels] * 2, axis=3), affine))
    assert codes(stack) == {"m.nii": "mask-kind"}


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    voxels, affine = ras()
    data = bytearray(nifti(voxels.astype(np.float64), affine))
    data[42:48] = np.array([9000, 9000, 1], "<i2").tobytes()
    assert codes(cut(tmp_path, "m.nii.gz", gzip.compress(bytes(data)))) == {"m.nii.gz": "too-large"}


def test_the_size_of_a_volume_is_checked_before_it_is_unpacked() -> None:
    voxels, affine = ras()
    data = nifti(voxels.astype(np.float64), affine)
    with pytest.raises(FileError, match="MiB") as caught:
        read_voxels(gzip.compress(data), (8000, 8000, 1000))
    assert caught.value.code == "too-large"


def test_an_npy_volume_is_in_anatomical_order_and_says_so(tmp_path: Path) -> None:
    stack = cut(tmp_path, "m.npy", npy(LABELS))
    assert_labels(stack)
    assert stack.note == BY_ORDER


def test_an_npy_volume_needs_as_many_slices_as_images(tmp_path: Path) -> None:
    assert codes(cut(tmp_path, "m.npy", npy(LABELS[:-1]))) == {"m.npy": "mask-count"}
    images: dict[str, Any] = headers()
    del images[PATHS[0]]
    assert codes(cut(tmp_path, "m.npy", npy(LABELS), images)) == {"m.npy": "mask-count"}
    assert codes(cut(tmp_path, "m.npy", npy(LABELS[1:]), images)) == {"m.npy": "mask-count"}


def test_an_npy_volume_of_another_size_is_an_error(tmp_path: Path) -> None:
    stack = cut(tmp_path, "m.npy", npy(np.zeros((COUNT, COLS, ROWS), np.uint8)))
    assert codes(stack) == {"m.npy": "size-mismatch"}
    assert f"({COUNT} images)" in stack.errors[0][1].reason


def test_a_picture_is_no_volume(tmp_path: Path) -> None:
    assert codes(cut(tmp_path, "m.png", b"\x89PNG")) == {"m.png": "mask-kind"}


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_the_rescale_of_a_nifti_is_applied(slope: float) -> None:
    voxels, affine = ras()
    found = read_voxels(nifti(voxels, affine, slope), (COLS, ROWS, COUNT))
    assert np.array_equal(found, voxels * (slope or 1.0))


def test_a_nifti_in_the_other_byte_order_is_the_same() -> None:
    header = bytearray(352)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">2h", header, 70, 4, 16)
    struct.pack_into(">3f", header, 108, 352.0, 0.0, 0.0)
    voxels = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    assert np.array_equal(read_voxels(bytes(header) + voxels.tobytes("F"), (2, 3, 4)), voxels)
