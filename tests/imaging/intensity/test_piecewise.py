"""A map of grey values by straight pieces: through its knots, on beyond them, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.imaging.intensity.piecewise import Piecewise, through

numbers = st.integers(-10_000, 10_000).map(lambda number: number / 8)
knots = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=11).map(
    lambda pairs: [sorted(side) for side in zip(*pairs, strict=True)]
)


def test_between_its_knots_it_is_linear_interpolation() -> None:
    start, end = (0.0, 10.0, 30.0), (1.0, 2.0, 100.0)
    values = np.linspace(0, 30, 61).reshape(1, 61)
    found = Piecewise(start, end).apply(values)
    assert found.shape == values.shape
    assert np.allclose(found, np.interp(values, start, end), rtol=1e-14)


def test_beyond_its_knots_the_outer_pieces_go_on() -> None:
    line = Piecewise((0.0, 10.0, 30.0), (1.0, 2.0, 100.0))
    assert line.apply(np.array([-10.0, 40.0])).tolist() == [0.0, 149.0]


def test_a_map_of_values_of_the_other_sign() -> None:
    line = Piecewise((0.0, 10.0, 30.0), (1.0, 2.0, 100.0))
    values = np.linspace(-50, 50, 101)
    assert np.allclose(line.negated().apply(-values), line.apply(values))
    assert np.allclose(line.negated().undo(line.apply(values)), -values)


@given(knots)
def test_whatever_the_knots_it_rises_and_there_is_a_way_back(sides: list[list[float]]) -> None:
    line = through(*sides)
    assert len(line.start) == len(line.end) >= 2
    assert (np.diff(line.start) > 0).all()
    assert (np.diff(line.end) > 0).all()
    values = np.linspace(-2000, 2000, 301)
    mapped = line.apply(values)
    assert np.isfinite(mapped).all()
    assert (np.diff(mapped) > 0).all()
    assert np.allclose(line.undo(mapped), values, atol=1e-6)


def test_knots_apart_stay_what_they_are() -> None:
    assert through([0, 10, 30], [1, 2, 100]) == Piecewise((0, 10, 30), (1, 2, 100))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ([0, 5, 5, 5, 9], [1, 2, 3, 7, 8], Piecewise((0, 5, 9), (1, 4, 8))),
        ([0, 4, 6, 9], [1, 3, 3, 8], Piecewise((0, 5, 9), (1, 3, 8))),
        ([5, 5, 5], [1, 2, 6], Piecewise((5, 6), (3, 4))),
    ],
    ids=["of start", "of end", "all"],
)
def test_knots_that_coincide_are_one_at_their_mean(
    start: list[float], end: list[float], expected: Piecewise
) -> None:
    assert through(start, end) == expected
