"""The order of a series and its slice spacing."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_header
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.geometry import Order, order_series, slice_normal
from tests.formats.samples import REAL, header

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def at(*heights: float, **changes: object) -> list[Header]:
    """Give axial slices at these z positions, in mm."""
    return [header(image_position_patient=(0.0, 0.0, z), **changes) for z in heights]


def test_the_normal_is_row_direction_times_column_direction() -> None:
    np.testing.assert_array_equal(slice_normal(AXIAL), [0, 0, 1])
    np.testing.assert_array_equal(slice_normal(CORONAL), [0, 1, 0])
    np.testing.assert_allclose(slice_normal((2.0, 0, 0, 0, 3, 4)), [0, -0.8, 0.6])


def test_directions_that_span_no_plane_are_refused() -> None:
    with pytest.raises(FileError) as caught:
        slice_normal((1, 0, 0, 1, 0, 0))
    assert caught.value.code == "orientation-broken"


def test_slices_are_ordered_along_the_normal() -> None:
    order = order_series(at(11.0, -5.5, 5.5, 0.0))
    assert order == Order(indices=(1, 3, 2, 0), slice_spacing=5.5)


def test_coronal_slices_are_ordered_front_to_back() -> None:
    series = [
        header(image_orientation_patient=CORONAL, image_position_patient=(0.0, y, 100.0 - y))
        for y in (8.0, 4.0, 6.0)
    ]
    order = order_series(series)
    assert (order.indices, order.slice_spacing) == ((1, 2, 0), 2.0)


def test_an_oblique_series_is_measured_along_its_normal() -> None:
    # Tilted about x by the angle of a 3-4-5 triangle: the normal is (0, -0.6, 0.8).
    series = [
        header(
            image_orientation_patient=(1.0, 0.0, 0.0, 0.0, 0.8, 0.6),
            image_position_patient=(0.0, -0.6 * depth, 0.8 * depth),
        )
        for depth in (3.0, 0.0, 6.0)
    ]
    order = order_series(series)
    assert (order.indices, order.slice_spacing) == ((1, 0, 2), 3.0)


def test_the_spacing_is_the_positions_not_the_header() -> None:
    order = order_series(at(0, 2, 4, slice_thickness=3.2))
    assert order.slice_spacing == 2.0
    assert order.warnings == ()


def test_a_disagreeing_spacing_header_is_a_warning() -> None:
    order = order_series(at(0, 2, 4, spacing_between_slices=3.2))
    assert order.slice_spacing == 2.0
    assert order.warnings == (
        "SpacingBetweenSlices is 3.2 mm, the positions give 2.0 mm, which is used",
    )
    assert order_series(at(0, 2, 4, spacing_between_slices=2.019)).warnings == ()


def uneven(what: str) -> tuple[str, ...]:
    return (f"{what}: export and assemble refuse it as a volume (gap)",)


def test_a_gap_is_one_warning_that_says_where() -> None:
    order = order_series(at(27.5, 0.0, 5.5, 11.0, 22.0))
    assert order.indices == (1, 2, 3, 4, 0)
    assert order.warnings == uneven(
        "1 uneven step of 4 between slices (11 mm after slice 2; 5.5 mm expected)"
    )


def test_a_gap_after_duplicates_stands_on_the_last_of_them() -> None:
    order = order_series(at(0.0, 5.5, 11.0, 11.0, 22.0))
    assert order.warnings == uneven(
        "1 uneven step of 3 between slices (11 mm after slice 3; 5.5 mm expected)"
    )


def test_a_short_step_is_a_warning_too() -> None:
    order = order_series(at(0.0, 5.5, 8.0, 13.5, 19.0))
    assert order.warnings == uneven(
        "1 uneven step of 4 between slices (2.5 mm after slice 1; 5.5 mm expected)"
    )


def test_many_gaps_are_one_warning_with_their_count() -> None:
    heights = [n * 2.0 for n in range(40) if n % 8 != 4]  # five are missing
    order = order_series(at(*heights))
    assert order.slice_spacing == 2.0
    assert order.warnings == uneven(
        "5 uneven steps of 34 between slices (4 mm after slice 3, 4 mm after slice 10, "
        "4 mm after slice 17 and 2 more; 2 mm expected)"
    )


def test_small_differences_of_steps_that_add_up_are_a_warning() -> None:
    heights = [n * 5.0 + max(0, n - 20) * 0.2 for n in range(40)]
    (warning,) = order_series(at(*heights)).warnings
    assert warning.startswith("steps of 5 to 5.2 mm between slices, which adds up to ")
    assert warning.endswith(" refuse it as a volume (gap)")


@pytest.mark.parametrize(("step", "found"), [(5.7, 0), (5.8, 1)])
def test_five_percent_of_the_step_is_tolerated(step: float, found: int) -> None:
    assert len(order_series(at(0.0, 5.5, 11.0, 11.0 + step)).warnings) == found


@pytest.mark.parametrize(("step", "found"), [(0.54, 0), (0.56, 1)])
def test_a_twentieth_of_a_millimetre_is_always_tolerated(step: float, found: int) -> None:
    assert len(order_series(at(0.0, 0.5, 1.0, 1.0 + step)).warnings) == found


def test_slices_at_one_position_are_duplicates_and_keep_their_order() -> None:
    order = order_series(at(5.5, 0.0, 5.5, 11.0, 11.009))
    assert order.indices == (1, 0, 2, 3, 4)
    assert order.duplicates == ((0, 2), (3, 4))
    assert order.slice_spacing == pytest.approx(5.5, abs=0.01)
    assert order.warnings == ()


def test_a_series_at_a_single_position_takes_its_spacing_from_the_header() -> None:
    order = order_series(at(3.0, 3.0, slice_thickness=5.0))
    assert (order.indices, order.slice_spacing, order.duplicates) == ((0, 1), 5.0, ((0, 1),))


@pytest.mark.parametrize(
    ("between", "thickness", "spacing"),
    [(5.5, 5.0, 5.5), (None, 5.0, 5.0), (None, None, None), (0.0, 5.0, 5.0)],
)
def test_one_slice_takes_its_spacing_from_the_header(
    between: float | None, thickness: float | None, spacing: float | None
) -> None:
    single = at(0.0, spacing_between_slices=between, slice_thickness=thickness)
    assert order_series(single) == Order(indices=(0,), slice_spacing=spacing)


def test_no_slices_are_in_order() -> None:
    assert order_series([]) == Order(indices=(), slice_spacing=None)


def test_mixed_orientations_are_refused() -> None:
    series = [*at(0.0, 1.0), header(image_orientation_patient=CORONAL)]
    with pytest.raises(FileError, match="2 orientations: 2 axial, 1 coronal") as caught:
        order_series(series)
    assert caught.value.code == "orientation-mixed"


def test_rounding_of_the_orientation_is_no_mixture() -> None:
    tilted = header(
        image_position_patient=(0.0, 0.0, 2.0),
        image_orientation_patient=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0009),
    )
    assert order_series([tilted, *at(0.0)]).indices == (1, 0)


def test_the_normal_is_the_typical_one_whichever_slice_comes_first() -> None:
    slant = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0009)
    odd = header(image_position_patient=(0.0, 100.0, 3.0), image_orientation_patient=slant)
    series = [odd, *at(0.0, 1.0, 2.0)]
    assert order_series(series).slice_spacing == order_series(series[::-1]).slice_spacing == 1.0


def test_without_positions_the_instance_number_decides() -> None:
    series = [
        header(image_position_patient=None, instance_number=n, slice_thickness=4.0)
        for n in (3, 1, 2)
    ]
    order = order_series(series)
    assert (order.indices, order.slice_spacing) == ((1, 2, 0), 4.0)
    assert order.warnings == (
        "3 of 3 slices lack position or orientation: ordered by InstanceNumber",
    )


@pytest.mark.parametrize("numbers", [(2, 2, 1), (2, None, 1)])
def test_without_distinct_instance_numbers_the_input_order_stays(
    numbers: tuple[int | None, ...],
) -> None:
    series = [header(image_position_patient=None, instance_number=n) for n in numbers]
    series[0] = header(image_orientation_patient=None, instance_number=numbers[0])
    order = order_series(series)
    assert order.indices == (0, 1, 2)
    assert order.warnings == (
        "3 of 3 slices lack position or orientation: left in file-name order",
    )


@pytest.mark.parametrize("lost", ["image_position_patient", "image_orientation_patient"])
def test_a_slice_without_a_place_leaves_the_order_of_the_others(lost: str) -> None:
    series = at(11.0, 0.0, 5.5)
    series.insert(1, header(instance_number=1, **{lost: None}))
    order = order_series(series)
    assert order == Order(indices=(2, 3, 0), slice_spacing=5.5, unplaced=(1,))


def test_what_is_said_of_placed_slices_goes_by_their_own_indices() -> None:
    slant = (1.0001, 0.0, 0.0, 0.0, 1.0, 0.0)
    lost = header(image_position_patient=None)
    placed = at(2.0, 0.0, 0.0, rows=256, cols=256)
    odd = at(1.0, rows=256, cols=256, image_orientation_patient=slant)
    order = order_series([lost, *placed, lost, *odd])
    assert (order.unplaced, order.indices) == ((0, 4), (2, 3, 5, 1))
    assert order.duplicates == ((2, 3),)
    assert order.orientations == {5: AXIAL}


heights = st.lists(
    st.floats(-500, 500).map(lambda z: round(z, 2)), min_size=1, max_size=8, unique=True
)


@given(heights, st.randoms(use_true_random=False))
def test_the_input_order_does_not_matter(zs: list[float], random: Random) -> None:
    series = at(*zs, spacing_between_slices=5.0)
    permutation = list(range(len(zs)))
    random.shuffle(permutation)
    plain, shuffled = order_series(series), order_series([series[i] for i in permutation])
    assert tuple(permutation[i] for i in shuffled.indices) == plain.indices
    assert (shuffled.slice_spacing, shuffled.warnings) == (plain.slice_spacing, plain.warnings)


@given(heights)
def test_the_positions_rise_and_every_slice_stays(zs: list[float]) -> None:
    indices = order_series(at(*zs)).indices
    assert [zs[i] for i in indices] == sorted(zs)


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
@pytest.mark.parametrize(
    ("folder", "spacing"),
    [
        ("original/Test_Sets/CT/3/DICOM_anon", 2.0),
        ("derived/CHAOS_Train_Sets/Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase", 5.5),
        ("derived/CHAOS_Train_Sets/Train_Sets/MR/1/T2SPIR/DICOM_anon", 7.7),
    ],
)
def test_real_series_have_their_true_spacing(folder: str, spacing: float) -> None:
    series = [read_header(path.read_bytes()) for path in sorted((REAL / folder).glob("*.dcm"))]
    order = order_series(series)
    assert order.slice_spacing == spacing
    assert (order.warnings, order.orientations, order.duplicates) == ((), {}, ())
    if "CT" in folder:  # z falls with the file order
        assert order.indices == tuple(reversed(range(len(series))))


def test_rounded_positions_give_the_mean_step() -> None:
    """3.3333 mm in a header of one decimal: the median step, 3.3, would be 2 mm off at the end."""
    heights = [round(index * 10 / 3, 1) for index in range(60)]
    assert order_series(at(*heights)).slice_spacing == pytest.approx(10 / 3, abs=1e-3)


def test_with_a_gap_the_median_step_is_the_spacing() -> None:
    order = order_series(at(0.0, 5.0, 10.0, 20.0))
    assert order.slice_spacing == 5.0
    assert order.warnings == uneven(
        "1 uneven step of 3 between slices (10 mm after slice 2; 5 mm expected)"
    )
