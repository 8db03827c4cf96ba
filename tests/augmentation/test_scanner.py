"""Bias field, ghosts and noise against the physics that they stand for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.augmentation import apply
from chaosprep.augmentation.scanner import Bias, DrawnGhosting, magnitude
from tests.augmentation.truth import doing, op

Image = NDArray[np.float32]


def changed(image: Image, name: str, **numbers: object) -> Image:
    return apply(doing(op(name, **numbers)), image, None)[0]


def grid(value: float = 100.0, side: int = 256) -> Image:
    """Return a flat picture with a dark and a bright pixel, which set its range."""
    image = np.full((side, side), value, np.float32)
    image[0, 0], image[0, 1] = 0.0, 1000.0
    return image


@given(ratio=st.floats(1.05, 4.0), seed=st.integers(0, 999))
def test_a_bias_fields_brightest_part_is_the_drawn_ratio_of_its_darkest(
    ratio: float, seed: int
) -> None:
    drawn = Bias(ratio=(ratio, ratio)).draw(np.random.default_rng(seed))
    flat = grid()
    field = changed(flat, "bias", coefficients=list(drawn.coefficients))[1:] / flat[1:]
    assert field.max() / field.min() == pytest.approx(ratio, rel=0.05)


def test_a_bias_field_is_smooth() -> None:
    drawn = Bias(ratio=(2.0, 2.0)).draw(np.random.default_rng(1))
    new = changed(grid(), "bias", coefficients=list(drawn.coefficients))[1:]
    assert np.abs(np.diff(np.log(new), axis=0)).max() < 0.03
    assert np.abs(np.diff(np.log(new), axis=1)).max() < 0.03


def test_a_bias_field_multiplies_what_is_there() -> None:
    coefficients = [0.3, -0.2, 0.1, 0.2, 0.0, 0.1, -0.1, 0.0, 0.1]
    dim, bright = (
        changed(grid(value), "bias", coefficients=coefficients)[1:] for value in (100, 400)
    )
    # The scale to the greatest value is one number for the whole picture.
    assert np.ptp(bright / dim) < 1e-4 * (bright / dim).max()


def test_the_first_degree_of_a_bias_field_is_a_slope_of_the_logarithm() -> None:
    # The order of the coefficients: degree 1, 2, 3 across, then 1 and degree 0, 1, 2 across, ...
    new = changed(grid(), "bias", coefficients=[0.5] + [0.0] * 8)[1:]
    expected = 0.5 * 2 / 256
    assert np.allclose(np.diff(np.log(new), axis=1), expected, atol=1e-5)
    assert np.allclose(np.diff(np.log(new), axis=0), 0.0, atol=1e-5)


def test_noise_without_signal_is_rayleigh() -> None:
    empty = np.zeros((400, 400), np.float32)
    empty[0, 0] = 1000.0
    noise = changed(empty, "noise", sigma=0.05, noise_seed=1)[1:]
    assert noise.mean() == pytest.approx(50 * math.sqrt(math.pi / 2), rel=0.01)
    assert noise.std() == pytest.approx(50 * math.sqrt(2 - math.pi / 2), rel=0.01)


def test_noise_on_strong_signal_is_gaussian() -> None:
    noisy = changed(grid(500.0, 400), "noise", sigma=0.02, noise_seed=1)[1:]
    # Gudbjartsson & Patz 1995, equation 4: the mean is that of sqrt(A^2 + sigma^2).
    assert noisy.mean() == pytest.approx(math.sqrt(500**2 + 20**2), abs=0.2)
    assert noisy.std() == pytest.approx(20.0, rel=0.01)


def test_noise_is_made_again_by_its_seed_alone() -> None:
    image = grid(300.0)
    first, again, other = (
        changed(image, "noise", sigma=0.02, noise_seed=seed) for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("along", "axis"), [("rows", 0), ("cols", 1)])
def test_ghosts_of_a_line_lie_at_multiples_of_the_cycles_along_the_phase_axis(
    along: str, axis: int
) -> None:
    row = np.arange(256.0)
    line = np.tile(1000 * np.exp(-((row - 100) ** 2) / 8), (256, 1)).astype(np.float32)
    line = np.ascontiguousarray(line.T) if axis == 0 else line
    ghosts = changed(line, "ghosting", along=along, amplitude=1.0, cycles=20.0, phase=0.0)
    profile = np.asarray(ghosts.take(7, axis=1 - axis))
    assert np.allclose(ghosts, ghosts.take([7], axis=1 - axis), atol=1e-2)
    # A small motion to and fro adds the derivative, half on either side (Taylor's first term).
    derivative = np.abs(np.gradient(np.asarray(line.take(7, axis=1 - axis))))
    for place in (80, 120):
        assert np.allclose(
            profile[place - 8 : place + 9], derivative[92:109] / 2, atol=0.1 * derivative.max()
        )
    assert profile[88:91].max() < 0.01 * derivative.max()


def test_a_motion_that_lasts_shifts_the_picture() -> None:
    # No cycle: the picture stands 3 pixels beside its place while all lines are filled.
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    moved = changed(image, "ghosting", along="rows", amplitude=3.0, cycles=0.0, phase=0.25)
    assert np.allclose(moved, np.roll(image, 3, axis=0), atol=1e-5)


def test_no_motion_changes_nothing() -> None:
    image = np.random.default_rng(0).random((63, 65)).astype(np.float32)
    still = changed(image, "ghosting", along="cols", amplitude=0.0, cycles=9.0, phase=0.3)
    assert np.allclose(still, image, atol=1e-6)


def test_ghosting_moves_energy_about_and_makes_none() -> None:
    phases = DrawnGhosting(along="rows", amplitude=2.0, cycles=9.0, phase=0.3).line_phases(128)
    assert np.allclose(np.abs(phases), 1.0, atol=1e-6)
    assert phases[0] == 1.0


def test_a_bias_field_brightens_nothing_into_one_flat_white() -> None:
    image = np.random.default_rng(0).uniform(900, 1000, (64, 64)).astype(np.float32)
    image[0, 0] = 0.0
    new = changed(image, "bias", coefficients=[0.5] + [0.0] * 8)
    assert (new == new.max()).sum() == 1
    assert new.max() == pytest.approx(image.max(), rel=1e-5)


def test_the_magnitude_is_that_of_hypot_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    powers = np.float32(10.0) ** rng.uniform(-15, 10, (2, 130, 257)).astype(np.float32)
    real, imaginary = rng.standard_normal((2, 130, 257), np.float32) * powers
    real[0, :5] = 0.0
    assert np.array_equal(magnitude(real, imaginary), np.hypot(real, imaginary))
