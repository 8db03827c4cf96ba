import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.augmentation import Recipe, apply, draw
from chaosprep.augmentation.elastic import SMALLEST_JACOBIAN, DrawnElastic, Elastic
from chaosprep.errors import UsageError
from tests.augmentation.truth import doing, op

ALWAYS = Recipe(elastic=Elastic())


def random_moves(sigma: float, size: int = 3, seed: int = 0) -> DrawnElastic:
    return Elastic(sigma=sigma, grid=size).draw(np.random.default_rng(seed))


def test_a_grid_that_does_not_move_moves_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 4000, (40, 50)).astype(np.uint16)
    zeros = [[0.0] * 3] * 3
    same, _ = apply(doing(op("elastic", row_moves=zeros, col_moves=zeros)), image, None)
    assert np.array_equal(same, image)


def test_a_grid_that_moves_as_one_is_a_shift() -> None:
    image = np.random.default_rng(0).integers(0, 4000, (256, 256)).astype(np.uint16)
    moves = op("elastic", row_moves=[[4.0] * 3] * 3, col_moves=[[0.0] * 3] * 3)
    moved, _ = apply(doing(moves), image, None)
    assert np.array_equal(moved[:-4], image[4:])


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_the_spline_has_the_drawn_moves_at_the_points_of_the_grid(size: int) -> None:
    drawn = random_moves(10.0, size)
    # An even number of pixels per cell has pixel centres half a pixel beside the inner points.
    pixels = 512 * (size - 1)
    down, right = drawn.moves(pixels, pixels)
    places = np.linspace(0, pixels, size)
    after = np.clip(places, 0, pixels - 1).astype(int)
    before = np.clip(places - 1, 0, pixels - 1).astype(int)
    for field, moves in ((down, drawn.row_moves), (right, drawn.col_moves)):
        found = (field[np.ix_(before, before)] + field[np.ix_(after, after)]) / 2
        assert np.allclose(found * 256 / pixels, moves, atol=1e-3)


def test_moves_grow_with_the_sides_of_the_picture() -> None:
    drawn = random_moves(10.0)
    down, right = drawn.moves(120, 300)
    large_down, large_right = drawn.moves(360, 900)
    assert np.allclose(large_down[1::3, 1::3], 3 * down)
    assert np.allclose(large_right[1::3, 1::3], 3 * right)


def test_moves_have_the_standard_deviation_of_the_recipe() -> None:
    moves = [random_moves(10.0, seed=seed).row_moves for seed in range(500)]
    assert np.std(moves) == pytest.approx(10.0, rel=0.03)


@given(sigma=st.floats(0, 40), seed=st.integers(0, 999), size=st.integers(2, 6))
def test_the_smallest_jacobian_is_that_of_the_moves_themselves(
    sigma: float, seed: int, size: int
) -> None:
    drawn = random_moves(sigma, size, seed)
    down, right = drawn.moves(768, 768)
    row_row, row_col = np.gradient(down)
    col_row, col_col = np.gradient(right)
    jacobian = (1 + row_row) * (1 + col_col) - row_col * col_row
    assert drawn.smallest_jacobian() == pytest.approx(jacobian.min(), abs=0.01 + 0.005 * sigma)


def test_what_is_drawn_never_folds() -> None:
    strong = Recipe(elastic=Elastic(sigma=30.0))
    drawn = [draw(strong, seed=0, slice_id=f"s{i}", copy=1) for i in range(60)]
    for parameters in drawn:
        (operation,) = parameters["operations"]
        moves = {key: operation[key] for key in ("row_moves", "col_moves")}
        down, right = DrawnElastic(**moves).moves(256, 256)
        row_row, row_col = np.gradient(down)
        col_row, col_col = np.gradient(right)
        assert ((1 + row_row) * (1 + col_col) - row_col * col_row).min() > 0.04
    # Some draws had to be thrown away, and say so.
    assert any(parameters["attempt"] > 0 for parameters in drawn)


@pytest.mark.parametrize("sigma", [2, 12, 25, 40])
@pytest.mark.parametrize("grid", [2, 3, 8])
def test_gentle_moves_are_told_as_the_whole_lattice_tells(sigma: float, grid: int) -> None:
    rng = np.random.default_rng(grid)
    for _ in range(40):
        drawn = Elastic(sigma=sigma, grid=grid).draw(rng)
        assert drawn.folds() == (drawn.smallest_jacobian() <= SMALLEST_JACOBIAN)


def test_the_unet_papers_deformation_seldom_folds() -> None:
    drawn = [draw(ALWAYS, seed=0, slice_id=f"s{i}", copy=1) for i in range(200)]
    assert sum(parameters["attempt"] > 0 for parameters in drawn) <= 10


def test_a_recipe_that_can_only_fold_is_refused() -> None:
    with pytest.raises(UsageError, match="fold") as caught:
        draw(Recipe(elastic=Elastic(sigma=40.0, grid=8)), seed=0, slice_id="s", copy=1)
    assert caught.value.code == "augmentation-folds"


def test_a_deformed_smooth_picture_looks_as_its_formula_at_the_moved_places() -> None:
    row, col = np.mgrid[:128, :128].astype(np.float64)

    def picture(row: np.typing.NDArray[np.float64], col: np.typing.NDArray[np.float64]) -> object:
        return np.exp(-((row - 60) ** 2 + (col - 66) ** 2) / 500)

    image = np.asarray(picture(row, col), np.float32)
    (operation,) = draw(ALWAYS, seed=1, slice_id="s", copy=1)["operations"]
    drawn = DrawnElastic(row_moves=operation["row_moves"], col_moves=operation["col_moves"])
    down, right = drawn.moves(128, 128)
    deformed, _ = apply(doing(operation), image, None)
    error = np.abs(deformed - np.asarray(picture(row + down, col + right)))
    assert error[8:-8, 8:-8].max() < 0.005
    assert np.abs(deformed - image).max() > 0.05
