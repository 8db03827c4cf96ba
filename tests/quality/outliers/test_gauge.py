"""What a gauge measures is what numpy and scipy find in the whole volume."""

import numpy as np
import pytest

from chaosprep.quality.outliers.gauge import Gauge


@pytest.mark.parametrize("seed", range(12))
def test_parts_holes_areas_and_place_are_those_of_the_whole_volume(seed: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(9, 30, 26)), (1, 2, 2))
    mask = smooth > np.quantile(smooth, 0.6)
    gauge = Gauge("a", "a", "train", "ct", (2.0, 0.5, 0.5))
    for plane in mask:
        gauge.add(None, [("spot", plane)])
    values = gauge.values()
    assert values is not None
    found = values.structures["spot"]
    across = np.zeros((3, 3, 3), int)
    across[1] = across[:, 1, 1] = 1
    assert found.islands == ndimage.label(mask, across)[1] - 1
    outside = (np.pad(~plane, 1, constant_values=True) for plane in mask)
    assert found.holes == sum(ndimage.label(plane)[1] - 1 for plane in outside)
    areas = mask.sum((1, 2))
    assert found.voxels == areas.sum()
    assert found.ml == pytest.approx(areas.sum() * 0.0005)
    assert found.jump == pytest.approx(np.abs(np.diff(areas[1:-1])).max() / areas.max())
    centre = (np.array(ndimage.center_of_mass(mask)) + 0.5) / mask.shape
    assert found.centre == pytest.approx(tuple(centre))


def test_percentiles_of_small_slices_are_those_of_all_pixels_that_are_not_masked() -> None:
    rng = np.random.default_rng(3)
    image = rng.normal(50, 20, (5, 40, 40))
    image[0, 0, 0] = np.nan
    gauge = Gauge("a", "a", "train", "ct", None)
    for plane in image:
        gauge.add(np.ma.masked_where(plane < 10, plane), [])
    values = gauge.values()
    assert values is not None
    kept = image[np.isfinite(image) & (image >= 10)]
    assert values.percentiles == pytest.approx(np.percentile(kept, [1, 50, 99]))


def test_noise_takes_no_longer_than_a_mask() -> None:
    noise = np.random.default_rng(0).random((1024, 1024)) > 0.5
    gauge = Gauge("a", "a", "train", "ct", None)
    for _ in range(4):
        gauge.add(
            None, [("noise", noise[::2]), ("checks", (np.indices((1024, 1024)).sum(0) % 2) > 0)]
        )
    values = gauge.values()
    assert values is not None
    assert values.structures["noise"].holes <= 4 * 500


def test_nothing_that_was_taken_has_no_values() -> None:
    assert Gauge("a", "a", "train", "ct", None).values() is None


def test_a_slice_that_cuts_the_end_of_a_structure_is_no_jump() -> None:
    gauge = Gauge("a", "a", "train", "ct", None)
    for side in (1, 8, 9, 8, 2):
        plane = np.zeros((12, 12), bool)
        plane[:side, :side] = True
        gauge.add(None, [("spot", plane)])
    values = gauge.values()
    assert values is not None
    assert values.structures["spot"].jump == pytest.approx((81 - 64) / 81)
