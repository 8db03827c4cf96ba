"""Fingerprints: one slice again is found, another patient's is not."""

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.duplicates import CHANGES, dataset, false_rate, found_rate, phantom
from chaosprep.quality.alike.duplicates import near_duplicates
from chaosprep.quality.alike.fingerprints import Fingerprint, fingerprint
from tests.formats.samples import REAL

Image = NDArray[Any]
DERIVED = REAL / "derived"


@cache
def slices() -> list[Image]:
    """Two slices each of three phantom patients."""
    return [image for found in phantom("t1-in", 3, 8, 128).values() for image in found[3:5]]


def taken(image: Image) -> Fingerprint:
    found = fingerprint(image)
    assert found is not None
    return found


@cache
def references() -> list[Fingerprint]:
    return [taken(image) for image in slices()]


def matched(image: Image) -> list[int]:
    return [match.reference for match in near_duplicates([taken(image)], references())]


def moved(image: Image, angle: float, zoom: float) -> Image:
    rows, cols = image.shape
    matrix = cv2.getRotationMatrix2D(((cols - 1) / 2, (rows - 1) / 2), angle, zoom)
    return np.asarray(cv2.warpAffine(image.astype(np.float32), matrix, (cols, rows)))


@settings(max_examples=20)
@given(
    number=st.integers(0, 5),
    flips=st.tuples(st.booleans(), st.booleans()),
    angle=st.floats(-10, 10),
    zoom=st.floats(0.85, 1.0),
    gamma=st.floats(0.6, 1.7),
)
def test_a_changed_slice_is_found_as_what_it_is(
    number: int, flips: tuple[bool, bool], angle: float, zoom: float, gamma: float
) -> None:
    image = slices()[number]
    for axis in (0, 1):
        image = np.flip(image, axis) if flips[axis] else image
    bright = moved(np.ascontiguousarray(image), angle, zoom) / float(image.max())
    assert matched(bright**gamma) == [number]


@settings(max_examples=20)
@given(number=st.integers(0, 5), seed=st.integers(0, 2**32))
def test_any_strictly_rising_curve_gives_the_same_fingerprint(number: int, seed: int) -> None:
    image = slices()[number]
    steps = np.random.default_rng(seed).integers(1, 60, int(image.max()) + 1)
    np.testing.assert_array_equal(taken(np.cumsum(steps)[image]), taken(image))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.pad(image, ((40, 8), (0, 0))),
        lambda image: cv2.resize(image, (200, 200), interpolation=cv2.INTER_CUBIC),
        lambda image: np.clip(image / 3, 0, 255).astype(np.uint8),
        lambda image: 1 - np.exp(image / -400.0),
        lambda image: image + 1000,
    ],
    ids=["margin", "resampled", "8 bits", "another curve", "offset"],
)
def test_field_of_view_and_grey_scale_do_not_matter(change: Callable[[Image], Image]) -> None:
    assert matched(change(slices()[2])) == [2]


def test_different_patients_are_not_alike() -> None:
    prints = references()
    assert near_duplicates(prints[:2], prints[2:]) == []


def test_lower_slices_of_small_images_are_not_alike() -> None:
    """Of 200 phantom patients of 64 pixels, whose least detailed slices differ little."""
    first, second = (images[14:17] for images in phantom("t1-in", 2, 20, 64, 5004).values())
    assert near_duplicates([*map(taken, first)], [*map(taken, second)]) == []


def test_workers_find_the_same() -> None:
    queries = [taken(np.ascontiguousarray(image[:, ::-1])) for image in slices()]
    assert near_duplicates(queries, references(), jobs=2) == near_duplicates(queries, references())


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64), np.uint16),
        np.full((64, 64), np.nan, np.float32),
        np.ones((1, 1), np.uint8),
        np.eye(3, dtype=np.uint8),
    ],
    ids=["black", "nan", "a pixel", "tiny"],
)
def test_where_nothing_stands_out_there_is_no_fingerprint(image: Image) -> None:
    assert fingerprint(image) is None


@pytest.mark.parametrize("value", [1e300, -1e300, np.inf, np.nan])
def test_a_wild_value_is_no_error(value: float) -> None:
    image = slices()[0].astype(np.float64)
    image[0, 0] = value
    fingerprint(image)


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), cols=st.integers(1, 40))
def test_any_image_is_taken(seed: int, rows: int, cols: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1e6, (rows, cols))
    found = fingerprint(noise)
    assert found is None or (found.shape == (128, 128) and found.dtype == np.uint8)


def test_nothing_to_compare_with() -> None:
    assert near_duplicates(references(), []) == near_duplicates([], references()) == []


def test_planted_slices_are_found_by_their_patient() -> None:
    assert found_rate(phantom("t2-spir", 2, 10, 96), CHANGES["flip"]) == (20, 20)


@pytest.mark.skipif(not DERIVED.exists(), reason="no real data")
def test_real_patients_are_not_alike() -> None:
    patients = {name: images[::6] for name, images in dataset(DERIVED).items()}
    flagged, count = false_rate(patients)
    assert (flagged, count > 30) == (0, True)
