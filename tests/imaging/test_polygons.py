"""Polygons as pixels: what has its centre inside by the even-odd rule, and no bias."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.imaging import polygons as module
from chaosprep.imaging.polygons import Polygon, cross, effort, fill
from tests.formats.structure_sets import disk, even_odd, keyhole, square, star

SHAPE = (24, 32)
SHAPES = {
    "disk": [disk(11.3, 15.2, 8.7)],
    "square": [square(3.2, 5.7, 17.9, 20.1)],
    "ring": [disk(11.3, 15.2, 9.1), disk(11.6, 15.9, 4.2)],
    "ring in a ring": [disk(11.3, 15.2, radius) for radius in (10.1, 7.3, 3.9, 1.7)],
    "keyhole": [keyhole(disk(11.3, 15.2, 9.1), disk(11.6, 15.9, 4.2)[::-1])],
    "star": [star(11.3, 15.2, 10.4)],
    "star of seven": [star(11.3, 15.2, 10.4, points=7)],
    "several": [disk(5.1, 6.2, 3.3), square(12.1, 18.3, 20.2, 28.9), star(16.2, 7.4, 5.8)],
    "crossing": [disk(9.3, 12.2, 6.1), disk(12.6, 15.9, 6.2)],
    "beyond all sides": [disk(11.3, 15.2, 17.7)],
    "beyond a corner": [disk(1.3, 30.2, 8.7)],
    "around": [square(-5.5, -6.5, 90.5, 80.5)],
}


def plane(polygons: list[Polygon], shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    """What is filled, (rows, cols)."""
    patch = fill(polygons, shape)
    found = np.zeros(shape, np.bool_)
    found[patch.rows, patch.cols] = patch.shown
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_a_pixel_is_in_where_its_centre_lies_in_an_odd_number_of_windings(name: str) -> None:
    assert np.array_equal(plane(SHAPES[name]), even_odd(SHAPES[name], *SHAPE))


def test_random_polygons_are_filled_by_the_even_odd_rule() -> None:
    draw = np.random.default_rng(1)
    for _ in range(100):
        shapes = [draw.uniform(-4, 36, (draw.integers(3, 12), 2)) for _ in range(3)]
        assert np.array_equal(plane(shapes), even_odd(shapes, *SHAPE))


def test_edges_through_centres_belong_to_a_polygon_at_its_upper_and_left_side_alone() -> None:
    expected = np.zeros(SHAPE, np.bool_)
    expected[2:5, 3:7] = True
    assert np.array_equal(plane([square(2, 3, 5, 7)]), expected)


@pytest.mark.parametrize("turned", [False, True])
def test_polygons_that_share_an_edge_share_no_pixel_and_leave_none_out(turned: bool) -> None:
    corners = square(2, 3, 19, 30)
    upper, lower = corners[[0, 1, 2]], corners[[2, 3, 0]]
    one, other = plane([upper]), plane([lower[::-1] if turned else lower])
    assert not (one & other).any()
    assert np.array_equal(one | other, plane([corners]))


def test_the_direction_and_the_first_point_of_a_polygon_do_not_matter() -> None:
    polygon = star(11.3, 15.2, 10.4)
    expected = plane([polygon])
    assert expected.any()
    assert np.array_equal(plane([polygon[::-1]]), expected)
    assert np.array_equal(plane([np.roll(polygon, 2, axis=0)]), expected)
    assert np.array_equal(plane([np.concatenate([polygon, polygon[:1]])]), expected)


@pytest.mark.parametrize(
    "polygon",
    [
        disk(11.3, 45.2, 8.7),
        disk(-11.3, 15.2, 8.7),
        square(5.1, 5.1, 5.9, 5.9),
        np.array([(3.0, 4.0)]),
        np.array([(3.0, 4.0), (9.0, 12.0)]),
        np.array([(3.5, 1.0), (3.5, 9.0), (3.5, 4.0)]),
    ],
)
def test_what_holds_no_centre_fills_nothing(polygon: Polygon) -> None:
    assert not plane([polygon]).any()


def test_points_far_away_cost_no_more_than_the_picture() -> None:
    assert plane([square(-1e9, -1e9, 1e9, 1e9)]).all()


def test_edges_are_worked_off_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    polygon = star(11.3, 15.2, 10.4, points=31)
    expected = plane([polygon])
    monkeypatch.setattr(module, "_MOST", 7)
    assert np.array_equal(plane([polygon]), expected)


def area(polygon: Polygon) -> float:
    """By the shoelace formula."""
    rows, cols = polygon.T
    return abs(float(rows @ np.roll(cols, -1) - cols @ np.roll(rows, -1))) / 2


def wobbly(draw: np.random.Generator) -> Polygon:
    """A shape of some 20 pixels around a point anywhere in a pixel."""
    angles = np.sort(draw.uniform(0, 2 * np.pi, 40))
    radius = 20 + sum(draw.normal(0, 1.5) * np.sin(n * angles + draw.uniform(0, 6)) for n in (2, 3))
    middle = 32 + draw.uniform(0, 1, 2)
    around = np.stack([radius * np.sin(angles), radius * np.cos(angles)], axis=1)
    return np.asarray(middle + around)


def test_area_has_no_bias() -> None:
    draw = np.random.default_rng(15)
    shapes = [wobbly(draw) for _ in range(200)]
    errors = [plane([one], (64, 64)).sum() / area(one) - 1 for one in shapes]
    assert abs(np.mean(errors)) < 0.001


def test_area_of_polygons_on_centres_has_no_bias() -> None:
    draw = np.random.default_rng(16)
    shapes = [np.rint(wobbly(draw)) for _ in range(200)]
    errors = [plane([one], (64, 64)).sum() / area(one) - 1 for one in shapes]
    assert abs(np.mean(errors)) < 0.001


def test_polygons_cross_where_they_share_pixels_and_neither_surrounds_the_other() -> None:
    one = disk(11.3, 12.2, 6.1)
    assert cross([one, disk(12.6, 15.9, 6.2)], SHAPE)
    assert not cross([one, disk(11.6, 12.9, 2.2)], SHAPE)
    assert not cross([one, disk(11.3, 24.2, 4.1)], SHAPE)
    assert not cross([square(2, 3, 9, 9), square(2, 9, 9, 14)], SHAPE)
    assert cross([disk(11.3, 15.2, 10), disk(11.3, 12.2, 4), disk(11.3, 17.2, 4)], SHAPE)


def test_a_wall_of_a_pixel_is_a_wall_and_less_is_the_same_polygon_twice() -> None:
    one = disk(11.3, 15.2, 9.6)
    assert not cross([one, disk(11.3, 15.2, 8.6)], SHAPE)
    assert cross([one, disk(11.3, 15.2, 9.5)], SHAPE)
    assert cross([one, one + 1e-3], SHAPE)


def test_effort_counts_the_rows_that_edges_pass_and_the_pixels_of_the_box() -> None:
    assert effort(square(-100, 0, 100, 8), SHAPE) == 4 * 2 * 24 + 24 * 8 / 16
