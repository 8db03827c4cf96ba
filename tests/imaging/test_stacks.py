"""A stack that is no volume says so at once: a tilted gantry, shifted slices, rounding."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.imaging.header import Header
from chaosprep.imaging.space.geometry import order_series
from chaosprep.imaging.space.stacks import odd_steps
from tests.formats.samples import header
from tests.imaging.turning import cosines_of, rotation


def stack(
    count: int,
    step: NDArray[np.float64],
    axes: NDArray[np.float64] | None = None,
    decimals: int = 6,
    pixel: float = 1.0,
) -> list[Header]:
    """Slices one step (mm) after the other, positions rounded to some decimals."""
    axes = np.eye(3) if axes is None else axes
    first = np.array([-130.126, -141.377, 20.511])
    return [
        header(
            pixel_spacing=(pixel, pixel),
            image_position_patient=tuple(np.round(first + n * step, decimals).tolist()),
            image_orientation_patient=cosines_of(axes),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("degrees", [14.0, -3.5, 0.5])
def test_a_tilted_gantry_is_told_with_its_angle(degrees: float) -> None:
    """The table moves along z, the plane leans about x."""
    axes = rotation(degrees, 0, 0)
    (warning,) = order_series(stack(30, np.array([0, 0, 5.0]), axes)).warnings
    pixels = 29 * 5 * abs(np.sin(np.radians(degrees)))
    assert warning == (
        f"the stack leans by {abs(degrees):.3g} degrees (a tilted gantry), {pixels:.3g} pixels "
        "from end to end: export and assemble refuse it as a volume (sheared)"
    )


def test_two_slices_suffice_to_see_a_tilt() -> None:
    (warning,) = order_series(stack(2, np.array([0, 1.0, 5.0]))).warnings
    assert warning.startswith("the stack leans by 11.3 degrees")


@pytest.mark.parametrize(("drift", "found"), [(0.0048, 0), (0.0056, 1)])
def test_a_twentieth_of_a_pixel_from_end_to_end_is_nothing(drift: float, found: int) -> None:
    series = stack(11, np.array([drift, 0, 3.0]), pixel=1.0)
    assert len(order_series(series).warnings) == found


@pytest.mark.parametrize("decimals", [1, 2, 3, 6])
@pytest.mark.parametrize("pixel", [0.3, 0.7, 1.5])
def test_the_rounding_of_positions_of_an_oblique_stack_is_no_tilt(
    decimals: int, pixel: float
) -> None:
    axes = rotation(21, -13, 33)
    order = order_series(stack(40, 3.3 * axes[:, 2], axes, decimals, pixel))
    assert order.warnings == ()


def test_one_slice_beside_the_stack_is_shifted_not_tilted() -> None:
    series = stack(9, np.array([0, 0, 4.0]))
    x, y, z = series[4].image_position_patient or (0.0, 0.0, 0.0)
    series[4] = header(pixel_spacing=(1.0, 1.0), image_position_patient=(x + 2.0, y, z))
    (warning,) = order_series(series).warnings
    assert warning == (
        "slices are shifted in their plane by up to 2 pixels: "
        "export and assemble refuse it as a volume (sheared)"
    )


def test_a_tilted_stack_with_a_gap_is_told_both() -> None:
    axes = rotation(10, 0, 0)
    series = stack(12, np.array([0, 0, 5.0]), axes)
    del series[6]
    tilt, gap = order_series(series).warnings
    assert tilt.startswith("the stack leans by 10 degrees")
    assert gap.startswith("1 uneven step of 10 between slices (9.848 mm after slice 5; 4.924 mm")


def test_a_step_at_the_limit_is_judged_alike_however_it_was_computed() -> None:
    for spacing, other in ((0.65, 0.7), (4.0, 4.2)):
        written, computed = other, 1.3 + other - 1.3
        for step in (written, computed, written - 1e-12, written + 1e-12):
            assert odd_steps([step, 2 * spacing - step], spacing) == []
        assert odd_steps([other + 2e-6], spacing) == [0]
