"""What is measured of a case, beside counts by scipy and by hand."""

import numpy as np
import pytest

from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.quality.outliers.values import CaseValues

SPACING = (5.0, 2.0, 1.0)


def measured(mask: np.ndarray, image: np.ndarray | None = None) -> CaseValues:
    gauge = Gauge("MR001_t1", "MR001", "train", "t1", SPACING)
    for at, plane in enumerate(mask):
        gauge.add(None if image is None else image[at], [("liver", plane)])
    values = gauge.values()
    assert values is not None
    return values


def test_volume_centre_and_jump_of_a_block() -> None:
    mask = np.zeros((6, 10, 20), bool)
    mask[1:3, 2:6, 5:15] = True
    mask[3, 2:6, 5:10] = True
    liver = measured(mask).structures["liver"]
    assert liver.voxels == 100
    assert liver.ml == pytest.approx(100 * 10 / 1000)
    assert liver.jump == 0.5
    where = np.argwhere(mask).mean(axis=0) + 0.5
    assert liver.centre == pytest.approx(tuple(where / (6, 10, 20)))


@pytest.mark.parametrize("seed", range(10))
def test_islands_and_holes_are_those_of_scipy(seed: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(seed)
    mask = rng.random((5, 12, 11)) < 0.6
    liver = measured(mask).structures["liver"]
    assert liver.islands == ndimage.label(mask)[1] - 1
    assert liver.holes == ndimage.label(np.pad(~mask, 1, constant_values=True))[1] - 1


def test_percentiles_are_those_of_all_pixels_of_a_small_case() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 1000, (3, 20, 20))
    values = measured(np.zeros(image.shape, bool), image)
    assert values.percentiles == pytest.approx(tuple(np.percentile(image, (1, 50, 99))))


def test_a_structure_that_no_slice_shows_has_no_place() -> None:
    liver = measured(np.zeros((3, 4, 4), bool)).structures["liver"]
    assert (liver.ml, liver.voxels, liver.centre) == (0.0, 0, None)


def test_what_is_no_number_is_no_pixel() -> None:
    image = np.full((1, 4, 4), 7.0)
    image[0, 0] = (np.nan, np.inf, -np.inf, 7.0)
    assert measured(np.zeros(image.shape, bool), image).percentiles == (7.0, 7.0, 7.0)


def test_nothing_was_taken_of_no_slice() -> None:
    assert Gauge("a", "a", "", "t1", None).values() is None
