"""N4 on a coarse grid: its field at every voxel, and all that must not make it fail or run on."""

from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from chaosprep.imaging.intensity import n4
from chaosprep.imaging.intensity.coarse import Axes, Axis, coarse_axes
from chaosprep.imaging.intensity.n4 import NotFittedError, fit

PROCESS = SimpleITK.ProcessObject


def grid(shape: tuple[int, int, int] = (9, 40, 40)) -> Axes:
    return coarse_axes(shape, (6.0, 4.0, 4.0), 4.0, 20.0, n4.LEVELS)


def two_tissues(axes: Axes, seed: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A block of two grey values with noise under a slope, on the coarse grid, and its mask."""
    shape = tuple(axis.count for axis in axes)
    mask = np.zeros(shape, bool)
    mask[1:9, 3:35, 3:35] = True
    z, y, x = np.indices(shape)
    tissue = np.where((x // 6 + y // 6 + z // 3) % 2, 200.0, 100.0)
    noise = np.random.default_rng(seed).normal(0, 2, shape)
    return np.where(mask, (tissue + noise) * (0.6 + 0.02 * x), 0.0), mask


def test_the_field_at_the_voxels_is_the_one_that_simpleitk_evaluates() -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    field = fit(axes, values, mask, 3)
    middle = np.exp(np.log(values[mask]).mean())
    image = SimpleITK.GetImageFromArray(np.where(mask, values / middle, 0).astype(np.float32))
    inside = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    for one in (image, inside):
        one.SetSpacing([axis.step for axis in reversed(axes)])
    before = PROCESS.GetGlobalDefaultNumberOfThreads()
    PROCESS.SetGlobalDefaultNumberOfThreads(1)
    try:
        peer = SimpleITK.N4BiasFieldCorrectionImageFilter()
        peer.SetMaximumNumberOfIterations([3] * n4.LEVELS)
        peer.SetNumberOfControlPoints([axis.spans + 3 for axis in reversed(axes)])
        peer.SetConvergenceThreshold(n4.CONVERGED)
        peer.Execute(image, inside)
    finally:
        PROCESS.SetGlobalDefaultNumberOfThreads(before)
    # All voxels of a grid of 2 mm whose ends are those of the coarse one, as SimpleITK needs it.
    fine = [round(axis.length / 2) + 1 for axis in axes]
    reference = SimpleITK.Image(fine[::-1], SimpleITK.sitkFloat32)
    reference.SetSpacing([axis.length / (n - 1) for axis, n in zip(axes, fine, strict=True)][::-1])
    expected = SimpleITK.GetArrayFromImage(peer.GetLogBiasFieldAsImage(reference))
    ours = [
        Axis(n, axis.length / (n - 1), axis.step, axis.count, axis.spans)
        for axis, n in zip(axes, fine, strict=True)
    ]
    whole = n4.LogField((ours[0], ours[1], ours[2]), field.samples)
    found = np.stack([whole.plane(index) for index in range(fine[0])])
    assert np.abs(expected).max() > 0.05
    assert np.abs(found - expected).max() < 5e-5  # single precision at 40 times the field's steps


def test_a_slope_is_found() -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    field = fit(axes, values, mask, 50)
    slope = 0.6 + 0.02 * np.arange(3, 35)
    left = np.exp(field.plane(4)[20, 3:35]) / slope
    assert left.std() / left.mean() < 0.4 * slope.std() / slope.mean()


def test_the_number_of_threads_changes_no_bit_and_is_left_as_it_was() -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    before, found = PROCESS.GetGlobalDefaultNumberOfThreads(), []
    try:
        for number in (1, 2, 4):
            PROCESS.SetGlobalDefaultNumberOfThreads(number)
            found.append(fit(axes, values, mask, 3).samples.tobytes())
            assert PROCESS.GetGlobalDefaultNumberOfThreads() == number
    finally:
        PROCESS.SetGlobalDefaultNumberOfThreads(before)
    assert len(set(found)) == 1


def test_a_second_fit_does_not_go_on_from_the_first() -> None:
    axes = grid()
    first = fit(axes, *two_tissues(axes), 3).samples
    fit(axes, *two_tissues(axes, seed=1), 3)
    assert np.array_equal(fit(axes, *two_tissues(axes), 3).samples, first)


@pytest.mark.parametrize("value", [5.0, 1e-30, 1e30])
def test_a_flat_body_tells_no_field(value: float) -> None:
    axes = grid()
    mask = two_tissues(axes)[1]
    with pytest.raises(NotFittedError, match="flat"):
        fit(axes, np.where(mask, value, 0.0), mask, 5)


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan, np.inf, -np.inf])
def test_values_without_a_logarithm_are_not_seen(value: float) -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    holes = mask & (np.random.default_rng(2).random(mask.shape) < 0.1)
    marked = np.where(holes, value, values)
    expected = fit(axes, values, mask & ~holes, 3).samples
    assert np.array_equal(fit(axes, marked, mask, 3).samples, expected)


def test_nothing_but_such_values_is_too_small_a_body() -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    with pytest.raises(NotFittedError, match="too small"):
        fit(axes, -values, mask, 3)


def test_fewer_voxels_than_knots_are_too_small_a_body() -> None:
    axes = grid()
    values, mask = two_tissues(axes)
    mask[:, 5:] = mask[:, :, 5:] = False
    with pytest.raises(NotFittedError, match="too small"):
        fit(axes, values, mask, 3)


def test_what_simpleitk_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(SimpleITK.N4BiasFieldCorrectionImageFilter):
        def Execute(self, *images: object) -> None:  # noqa: N802 - SimpleITK's name
            raise RuntimeError("no")

    monkeypatch.setattr(SimpleITK, "N4BiasFieldCorrectionImageFilter", Refusing)
    axes = grid()
    with pytest.raises(NotFittedError, match="failed"):
        fit(axes, *two_tissues(axes), 3)


@pytest.mark.parametrize("values", ["two", "ramp", "noise", "specks"])
def test_odd_histograms_end_with_a_finite_field_or_none(values: str) -> None:
    axes = grid()
    _, mask = two_tissues(axes)
    rng = np.random.default_rng(3)
    shape = mask.shape
    made = {
        "two": np.where(rng.random(shape) < 0.5, 1.0, 1e6),
        "ramp": np.arange(mask.size, dtype=float).reshape(shape) + 1,
        "noise": rng.random(shape) + 1e-12,
        "specks": np.where(rng.random(shape) < 1e-3, 1e9, 1e-9),
    }
    try:
        field = fit(axes, made[values], mask, 5)
    except NotFittedError:
        return
    assert np.isfinite(field.plane(0)).all()
