"""The normalizations beside numpy by hand."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.imaging.intensity.names import NormalizationName
from chaosprep.imaging.intensity.normalizations import NORMALIZATIONS
from chaosprep.imaging.intensity.nyul import NYUL
from chaosprep.imaging.intensity.piecewise import Piecewise

RANDOM = np.random.default_rng(5)
BODY = RANDOM.gamma(3.0, 90.0, 5000)
OTHER = 40 + 2.5 * RANDOM.gamma(2.0, 70.0, 4000)
PERCENTILES = [1, *range(10, 100, 10), 99]


def test_every_name_has_a_line_in_the_table() -> None:
    assert set(get_args(NormalizationName)) == set(NORMALIZATIONS)


def test_zscore_gives_a_mean_of_0_and_a_standard_deviation_of_1() -> None:
    line = NORMALIZATIONS["zscore"].fit(BODY, None)
    expected = (BODY - BODY.mean()) / BODY.std()
    assert np.allclose(line.apply(BODY), expected, atol=1e-12)


def test_zscore_learns_nothing() -> None:
    assert NORMALIZATIONS["zscore"].learning is None


def scaled(body: np.ndarray) -> np.ndarray:
    """The percentiles of a body where its 1st is 1 and its 99th 100."""
    found = np.percentile(body, PERCENTILES)
    placed: np.ndarray = 1 + 99 * (found - found[0]) / (found[-1] - found[0])
    return placed


def test_the_landmarks_are_the_mean_of_what_is_seen_of_each_case() -> None:
    learning = NYUL.learning
    assert learning is not None
    seen = [learning.see(body) for body in (BODY, OTHER)]
    found = learning.conclude([one for one in seen if one is not None])
    assert np.allclose(found, (scaled(BODY) + scaled(OTHER)) / 2, rtol=1e-12)
    assert (found[0], found[-1]) == (1.0, 100.0)


@given(st.permutations(range(7)))
def test_the_order_of_the_cases_does_not_matter(order: list[int]) -> None:
    learning = NYUL.learning
    assert learning is not None
    seen = [tuple(scaled(BODY[number::7]).tolist()) for number in range(7)]
    assert learning.conclude([seen[number] for number in order]) == learning.conclude(seen)


def test_the_percentiles_of_a_case_meet_the_landmarks() -> None:
    scale = tuple(scaled(OTHER).tolist())
    line = NYUL.fit(BODY, scale)
    assert line == Piecewise(tuple(np.percentile(BODY, PERCENTILES).tolist()), scale)
    assert np.allclose(line.apply(np.percentile(BODY, PERCENTILES)), scale)


@pytest.mark.parametrize("values", [[3], [3, 3, 3], [3, 3, 3, 8], [0, 0, 0, 0, 0, 0, 9, 9]])
@pytest.mark.parametrize("method", NORMALIZATIONS)
def test_few_values_give_a_map_that_rises_and_no_nan(
    values: list[float], method: NormalizationName
) -> None:
    line = NORMALIZATIONS[method].fit(np.array(values, float), tuple(scaled(OTHER).tolist()))
    mapped = line.apply(np.arange(12.0))
    assert np.isfinite(mapped).all()
    assert (np.diff(mapped) > 0).all()


def test_a_body_of_one_value_has_no_landmarks() -> None:
    assert NYUL.learning is not None
    assert NYUL.learning.see(np.full(20, 7.0)) is None


@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        ((1.0, 100.0), "2 landmarks"),
        ((0.0, *range(10, 100, 10), 100.0), "from 1 to 100"),
        ((1.0, 20, 10, 30, 40, 50, 60, 70, 80, 90, 100.0), "descend"),
    ],
)
def test_what_is_no_scale_is_refused(scale: tuple[float, ...], reason: str) -> None:
    assert NYUL.learning is not None
    with pytest.raises(ValueError, match=reason):
        NYUL.learning.check(scale)
