"""Label arrays from whatever type a mask has."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.npy import read_npy
from chaosprep.imaging.labels import as_labels
from chaosprep.imaging.limits import MAX_BYTES, check_bytes


def npy(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    stream = BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "uint16", "int64", "float32", ">f8"])
def test_whole_numbers_of_any_type_are_labels(kind: str) -> None:
    labels = as_labels(np.array([[0, 1], [1, 0]]).astype(kind))
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[0, 1], [1, 0]]


def test_values_above_255_take_16_bits() -> None:
    labels = as_labels(np.array([[0, 256, 65535]], np.int32))
    assert labels.dtype == np.uint16
    assert labels.tolist() == [[0, 256, 65535]]


@pytest.mark.parametrize(
    ("value", "label"),
    [(1.00000006, 1), (0.99999, 1), (2.00001, 2), (-1e-6, 0), (65534.995, 65535)],
)
def test_what_rounding_moved_off_a_whole_number_is_that_number(value: float, label: int) -> None:
    assert as_labels(np.array([[0.0, value]])).tolist() == [[0, label]]


@pytest.mark.parametrize("value", [1.00002, 0.99998, 65534.9, -1e-4])
def test_what_is_farther_off_is_a_fraction(value: float) -> None:
    with pytest.raises(FileError, match="fractions"):
        as_labels(np.array([[0.0, value]]))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.0, np.nan], "NaN"),
        ([0.0, np.inf], "infinite"),
        ([0.0, 0.5], "fractions"),
        ([-1, 0], "from -1 to 0"),
        ([0, 65536], "from 0 to 65536"),
        ([1j], "no numbers"),
        (list(range(257)), "257 different"),
    ],
)
def test_what_is_no_label_map_is_an_error(values: list[Any], says: str) -> None:
    with pytest.raises(FileError, match=says) as caught:
        as_labels(np.array([values]))
    assert caught.value.code == "mask-values"


@given(
    hnp.arrays(
        st.sampled_from(["bool", "<u1", ">u2", "<i4", "<f4", ">f8"]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=4),
        elements=st.integers(0, 1),
    ),
    st.booleans(),
)
def test_an_npy_comes_back_as_it_was(array: NDArray[Any], fortran: bool) -> None:
    data = npy(np.asfortranarray(array) if fortran else array)
    assert np.array_equal(read_npy(data, array.ndim), array)


def test_an_npy_of_other_dimensions_is_an_error_that_says_which() -> None:
    with pytest.raises(FileError, match="of 3 dimensions, 2 were expected") as caught:
        read_npy(npy(np.zeros((2, 3, 4), np.uint8)), 2)
    assert caught.value.code == "mask-kind"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        npy(np.zeros((3, 4), np.uint8))[:-1],
        npy(np.zeros((3, 4), np.uint8)) + b"\0",
        npy(np.zeros((3, 4), np.uint8)).replace(b"(3, 4)", b"(9, 9)"),
        npy(np.zeros((3, 4), np.uint8)).replace(b"(3, 4)", b"(3, -)"),
        npy(np.zeros((3, 4), np.uint8), (3, 0)),
    ],
)
def test_a_damaged_npy_is_an_error(data: bytes) -> None:
    with pytest.raises(FileError) as caught:
        read_npy(data, 2)
    assert caught.value.code == "mask-unreadable"


def test_nothing_is_unpickled() -> None:
    with pytest.raises(FileError) as caught:
        read_npy(npy(np.array([[{}]], dtype=object)), 2)
    assert caught.value.code == "mask-values"


def test_a_huge_announcement_is_refused_before_anything_is_made() -> None:
    stream = BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (99999, 99999)}
    np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(FileError) as caught:
        read_npy(stream.getvalue(), 2)
    assert caught.value.code == "too-large"


def test_a_volume_above_the_limit_is_refused_with_what_would_help() -> None:
    check_bytes(MAX_BYTES, 1)
    with pytest.raises(FileError, match="8-bit") as caught:
        check_bytes(MAX_BYTES // 2 + 1, 2)
    assert caught.value.code == "too-large"
