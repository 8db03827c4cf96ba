"""The way back from a new pixel grid, against what each pixel's own coordinates say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.space.grids import Grid, place, plan_grid, sample_image, sample_mask
from chaosprep.imaging.space.undoing import undo_grid, undo_image, undo_mask

sides = st.integers(3, 40)
spacings = st.one_of(st.none(), st.floats(0.3, 4.0))
sizes = st.one_of(st.none(), st.tuples(st.integers(1, 60), st.integers(1, 60)))
NEAR = 1e-6


def new_grid(
    shape: tuple[int, int], spacing: float | None = None, size: tuple[int, int] | None = None
) -> Grid:
    return plan_grid(shape, (1.0, 1.25), spacing=spacing, size=size, fit="both")


def there_and_back(grid: Grid, image: NDArray[Any], fill: float = 0) -> NDArray[Any]:
    new = place(grid, sample_image(grid, image), fill)
    return undo_image(undo_grid(grid.as_record(), new.shape), new, fill)


def allowed(record: dict[str, Any], axis: int, size: int, old: int) -> tuple[set[int], bool]:
    """The new pixels nearest to an old one, by coordinates alone; and whether it was cropped off.

    New pixel i lies at offset + step * i, and shows the old picture where that lies on it.
    """
    side = record["rows" if axis == 0 else "cols"]
    step, offset = record["step"][axis], record["offset"][axis]

    def shows(i: int) -> bool:
        return bool(-0.5 <= offset + step * i <= side - 0.5)

    shown = [i for i in range(size) if shows(i)]
    lost = (shows(-1) and old < offset - step / 2 - NEAR) or (
        shows(size) and old > offset + step * (size - 0.5) + NEAR
    )
    distances = {i: abs(offset + step * i - old) for i in shown}
    least = min(distances.values())
    return {i for i, distance in distances.items() if distance <= least + NEAR}, lost


@given(sides, sides, spacings, sizes)
def test_each_old_pixel_gets_the_value_of_the_nearest_new_one(
    rows: int, cols: int, spacing: float | None, size: tuple[int, int] | None
) -> None:
    grid = new_grid((rows, cols), spacing, size)
    record = grid.as_record()
    new = np.arange(1, grid.rows.size * grid.cols.size + 1).reshape(grid.shape)
    undone = undo_mask(undo_grid(record, grid.shape), new, "nearest")
    assert undone.shape == (rows, cols)
    down = [allowed(record, 0, grid.rows.size, row) for row in range(rows)]
    right = [allowed(record, 1, grid.cols.size, col) for col in range(cols)]
    for row in range(rows):
        for col in range(cols):
            value = int(undone[row, col])
            if down[row][1] or right[col][1]:
                assert value == 0
            else:
                i, j = divmod(value - 1, grid.cols.size)
                assert value > 0
                assert i in down[row][0]
                assert j in right[col][0]


@given(sides, sides, st.integers(0, 30), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_padding_is_undone_exactly(rows: int, cols: int, more: int, wider: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(-900, 3000, (rows, cols), np.int16)
    grid = new_grid((rows, cols), size=(rows + more, cols + wider))
    assert np.array_equal(there_and_back(grid, image, fill=-900), image)
    assert not undo_grid(grid.as_record(), grid.shape).has_lost


@given(st.integers(5, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_cropping_keeps_what_is_left_where_it_was(side: int, left: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(1, 3000, (side, side), np.uint16)
    grid = new_grid((side, side), size=(left, side))
    undone = there_and_back(grid, image, fill=0)
    start = max(0, round(grid.rows.offset))
    expected = np.zeros_like(image)
    expected[start : start + left] = image[start : start + left]
    assert np.array_equal(undone, expected)
    assert undo_grid(grid.as_record(), grid.shape).has_lost == (left < side)


def test_padding_does_not_shine_into_the_border() -> None:
    """A bright picture in black padding: resampling must not mix the two."""
    image = np.full((20, 20), 1000, np.uint16)
    grid = new_grid((20, 20), spacing=1.7, size=(40, 40))
    assert (there_and_back(grid, image, fill=0) == 1000).all()


def test_the_share_decides_between_labels() -> None:
    """One new pixel in nine is the organ: old pixels halfway to it are mostly background."""
    record = {"rows": 9, "cols": 9, "offset": [1.0, 1.0], "step": [3.0, 3.0]}
    new = np.zeros((3, 3), np.uint8)
    new[1, 1] = 7
    undone = undo_mask(undo_grid(record, (3, 3)), new, "label")
    # Bilinear shares at distances of 0 and 1/3 pixel: 1, 2/3, 4/9; half decides.
    assert undone[3:6, 3:6].tolist() == [[0, 7, 0], [7, 7, 7], [0, 7, 0]]
    assert np.count_nonzero(undone) == 5


@given(sides, sides, st.floats(0.3, 4.0), sizes)
def test_no_label_is_made_up(
    rows: int, cols: int, spacing: float, size: tuple[int, int] | None
) -> None:
    mask = np.random.default_rng(rows).choice(np.array([0, 63, 252], np.uint8), (rows, cols))
    grid = new_grid((rows, cols), spacing, size)
    new = place(grid, sample_mask(grid, mask, "nearest"), 0)
    undone = undo_mask(undo_grid(grid.as_record(), new.shape), new, "label")
    assert set(np.unique(undone)) <= {0, 63, 252}
    assert undone.dtype == mask.dtype


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 0},
        {"rows": 10**9},
        {"cols": "x"},
        {"step": [0.0, 1.0]},
        {"step": [-1.0, 1.0]},
        {"step": [1e-9, 1.0]},
        {"step": [float("nan"), 1.0]},
        {"step": [1.0]},
        {"offset": [1e9, 0.0]},
        {"offset": [float("inf"), 0.0]},
        {"offset": None},
    ],
)
def test_a_record_that_is_not_ours_is_refused(change: dict[str, Any]) -> None:
    record = {"rows": 8, "cols": 8, "offset": [0.0, 0.0], "step": [1.0, 1.0]}
    assert undo_grid(record, (8, 8)).grid.shape == (8, 8)
    with pytest.raises(FileError) as caught:
        undo_grid(record | change, (8, 8))
    assert caught.value.code == "grid-broken"


def test_an_old_picture_beyond_the_limit_is_refused_before_it_is_made() -> None:
    record = {"rows": 60000, "cols": 60000, "offset": [0.0, 0.0], "step": [1.0, 1.0]}
    with pytest.raises(FileError) as caught:
        undo_grid(record, (8, 8))
    assert caught.value.code == "too-large"
