"""New pixel grids: centred, never squeezed, and undone by what they record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.space.grids import Fit, Grid, place, plan_grid, sample_image, sample_mask

sides = st.integers(1, 40)
spacings = st.floats(0.3, 4.0)


def grid_for(
    shape: tuple[int, int],
    *,
    mm: tuple[float, float] | None = (1.0, 1.0),
    spacing: float | None = None,
    size: tuple[int, int] | None = None,
    fit: Fit = "both",
) -> Grid:
    return plan_grid(shape, mm, spacing=spacing, size=size, fit=fit)


def picture(shape: tuple[int, int]) -> NDArray[np.uint16]:
    return np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint16).reshape(shape)


def test_without_a_wish_nothing_changes() -> None:
    grid = grid_for((5, 7))
    assert grid.is_identity
    image = picture((5, 7))
    assert np.array_equal(place(grid, sample_image(grid, image), 0), image)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3, 3), [[5, 6, 7], [9, 10, 11], [13, 14, 15]]),  # 4x4: one row and column at the end go
        ((4, 6), [[0, 1, 2, 3, 4, 0], [0, 5, 6, 7, 8, 0]]),
        ((2, 2), [[6, 7], [10, 11]]),
    ],
)
def test_a_size_pads_and_crops_around_the_middle(
    size: tuple[int, int], expected: list[list[int]]
) -> None:
    image = picture((4, 4)) if size != (4, 6) else picture((2, 4))
    grid = grid_for(image.shape, size=size if size != (4, 6) else (2, 6))
    if size == (3, 3):
        expected = [[1, 2, 3], [5, 6, 7], [9, 10, 11]]
    assert place(grid, sample_image(grid, image), 0).tolist() == expected


@given(sides, sides, sides, sides)
def test_padding_and_cropping_keep_pixels_bit_for_bit_and_record_where(
    rows: int, cols: int, high: int, wide: int
) -> None:
    image = picture((rows, cols))
    grid = grid_for(image.shape, size=(high, wide))
    new = place(grid, sample_image(grid, image), 0)
    record = grid.as_record()
    assert new.shape == (high, wide)
    assert record["step"] == [1.0, 1.0]
    for i, j in np.argwhere(new > 0):
        source = int(i + record["offset"][0]), int(j + record["offset"][1])
        assert new[i, j] == image[source]
    assert np.count_nonzero(new) == min(rows, high) * min(cols, wide)


@pytest.mark.parametrize(
    ("fit", "size", "remedy"), [("pad", (3, 9), "--fit crop"), ("crop", (9, 3), "--fit pad")]
)
def test_a_size_that_the_fit_forbids_is_refused(
    fit: Fit, size: tuple[int, int], remedy: str
) -> None:
    with pytest.raises(FileError) as caught:
        grid_for((5, 5), size=size, fit=fit)
    assert caught.value.code == "does-not-fit"
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("spacing", "pixels"),
    [(np.inf, "0 x 0"), (1e9, "6.4e-08 x 3.2e-08"), (1e-9, "6.4e+10 x 3.2e+10"), (1e-3, "64000 x")],
)
def test_pixels_that_cannot_be_made_are_refused(spacing: float, pixels: str) -> None:
    with pytest.raises(FileError, match="mm per pixel it would have") as caught:
        plan_grid((64, 32), (1.0, 1.0), spacing=spacing, size=None, fit="both")
    assert caught.value.code == "spacing-unfit"
    assert pixels in caught.value.reason


@pytest.mark.parametrize("spacing", [0.01, 64.0, 500.0])
def test_few_and_many_pixels_are_made_all_the_same(spacing: float) -> None:
    grid = plan_grid((64, 32), (1.0, 1.0), spacing=spacing, size=None, fit="both")
    assert grid.shape == (max(1, round(64 / spacing)), max(1, round(32 / spacing)))


def test_an_unknown_spacing_cannot_be_changed() -> None:
    with pytest.raises(FileError, match="pixel spacing is unknown"):
        grid_for((5, 5), mm=None, spacing=1.0)


@given(sides, sides, spacings, spacings, spacings)
def test_resampling_is_centred_and_exact_in_its_spacing(
    rows: int, cols: int, row_mm: float, col_mm: float, wanted: float
) -> None:
    grid = grid_for((rows, cols), mm=(row_mm, col_mm), spacing=wanted)
    for axis, mm in ((grid.rows, row_mm), (grid.cols, col_mm)):
        assert axis.step * mm == pytest.approx(wanted)
        assert axis.size == max(1, round(axis.source * mm / wanted))
        middle = axis.offset + axis.step * (axis.size - 1) / 2
        assert middle == pytest.approx((axis.source - 1) / 2, abs=1e-6)


@pytest.mark.parametrize(("spacing", "error"), [(0.8, 1e-9), (1.0, 1e-9), (1.4, 0.1)])
def test_a_ramp_stays_a_ramp_away_from_the_border(spacing: float, error: float) -> None:
    y, x = np.mgrid[:40, :50].astype(np.float64)
    grid = grid_for((40, 50), mm=(1.0, 1.5), spacing=spacing)
    new = sample_image(grid, 2.0 * x + 3.0 * y)
    rows, cols = grid.rows.positions(), grid.cols.positions()
    expected = 3.0 * rows[:, None] + 2.0 * cols[None, :]
    assert np.allclose(new[4:-4, 4:-4], expected[4:-4, 4:-4], atol=error)


def test_resampling_twice_as_fine_and_back_gives_the_smooth_picture_again() -> None:
    y, x = np.mgrid[:64, :64]
    image = (500 + 300 * np.sin(y / 6) * np.cos(x / 7)).astype(np.uint16)
    fine = sample_image(grid_for((64, 64), spacing=0.5), image)
    assert fine.shape == (128, 128)
    again = sample_image(grid_for((128, 128), mm=(0.5, 0.5), spacing=1.0), fine)
    assert np.abs(again.astype(int) - image.astype(int))[3:-3, 3:-3].max() <= 6


def test_larger_pixels_do_not_alias_a_checkerboard() -> None:
    board = (np.indices((60, 60)).sum(axis=0) % 2 * 1000).astype(np.uint16)
    new = sample_image(grid_for((60, 60), spacing=3.0), board)
    assert np.abs(new[2:-2, 2:-2].astype(int) - 500).max() < 60


@given(st.integers(0, 2**32 - 1), spacings, st.sampled_from(["uint8", "uint16", "int16"]))
def test_values_stay_in_the_range_and_type_of_the_image(
    seed: int, spacing: float, dtype: str
) -> None:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed)
    image = random.integers(limits.min, limits.max, (16, 12), dtype=dtype, endpoint=True)
    new = sample_image(grid_for((16, 12), spacing=spacing), image)
    assert new.dtype == image.dtype
    assert image.min() <= new.min()
    assert new.max() <= image.max()


@given(st.integers(0, 2**32 - 1), spacings, st.sampled_from(["nearest", "label"]))
def test_no_label_is_made_up(seed: int, spacing: float, sampling: str) -> None:
    mask = np.random.default_rng(seed).choice(np.array([0, 63, 252], np.uint8), (20, 17))
    grid = grid_for((20, 17), spacing=spacing, size=(16, 24))
    new = place(grid, sample_mask(grid, mask, sampling), 0)  # type: ignore[arg-type]
    assert set(np.unique(new)) <= {0, 63, 252}
    assert new.shape == (16, 24)


def test_nearest_takes_the_pixel_whose_centre_is_nearest() -> None:
    mask = picture((9, 11)).astype(np.uint8)
    grid = grid_for((9, 11), mm=(1.0, 1.0), spacing=1.3)
    expected = [
        [mask[min(8, round(r)), min(10, round(c))] for c in grid.cols.positions()]
        for r in grid.rows.positions()
    ]
    assert sample_mask(grid, mask, "nearest").tolist() == expected


@pytest.mark.parametrize("sampling", ["nearest", "label"])
def test_a_disc_keeps_its_area_in_mm2(sampling: str) -> None:
    y, x = np.mgrid[:128, :128]
    disc = (((y - 63.5) ** 2 + (x - 60) ** 2) < 40**2).astype(np.uint8) * 255
    new = sample_mask(grid_for((128, 128), spacing=1.5), disc, sampling)  # type: ignore[arg-type]
    area = np.count_nonzero(new) * 1.5**2
    assert area == pytest.approx(np.pi * 40**2, rel=0.01)
