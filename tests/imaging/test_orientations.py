"""Orientations: made orthogonal where nobody could see it, refused by name where one could."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header, Orientation
from chaosprep.imaging.space.geometry import order_series
from chaosprep.imaging.space.orientations import moved, orthogonal, straighten
from tests.formats.samples import header
from tests.imaging.turning import cosines_of, rotation

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def plane(*cosines: float, size: int = 256, pixel: float = 0.75) -> Header:
    return header(
        rows=size,
        cols=size,
        pixel_spacing=(pixel, pixel),
        image_orientation_patient=cosines,
    )


def skewed(by: float) -> tuple[float, ...]:
    """Axial, its columns leaning by this cosine against the rows."""
    return (1.0, 0.0, 0.0, by, (1 - by**2) ** 0.5, 0.0)


@st.composite
def off(draw: st.DrawFn) -> Orientation:
    """Six cosines of any rotation, each a little off."""
    axes = rotation(*draw(st.tuples(*[st.floats(-180, 180)] * 3)))
    noise = np.reshape(draw(st.tuples(*[st.floats(-1e-2, 1e-2)] * 9)), (3, 3))
    return cosines_of(axes + noise)


@given(off())
def test_the_nearest_cosines_are_those_of_the_polar_factor(cosines: Orientation) -> None:
    rows, cols = np.reshape(orthogonal(cosines), (2, 3))
    assert np.allclose([rows @ rows, cols @ cols, rows @ cols], [1, 1, 0], atol=1e-10)
    given = np.reshape(cosines, (2, 3)).T
    values, vectors = np.linalg.eigh(given.T @ given)  # M (M'M)^(-1/2), without singular values
    expected = given @ vectors @ np.diag(values**-0.5) @ vectors.T
    assert np.allclose(orthogonal(cosines), expected.T.ravel(), atol=1e-10)


@given(off())
def test_the_normal_stays(cosines: Orientation) -> None:
    before, after = (np.cross(one[:3], one[3:]) for one in (cosines, orthogonal(cosines)))
    assert np.allclose(before / np.linalg.norm(before), after, atol=1e-10)


def test_a_pixel_moves_as_far_as_the_farthest_corner() -> None:
    after = (1.0, 0.0, 0.001, 0.0, 1.0, 0.002)
    # Row 10, column 20 at 2 and 3 mm: 20 * 3 * 0.001 + 10 * 2 * 0.002 along z.
    assert moved(AXIAL, after, (11, 21), (2.0, 3.0)) == pytest.approx(0.1)


@pytest.mark.parametrize("by", [1e-5, 1e-4, -1.5e-4])
def test_less_than_a_twentieth_of_a_pixel_is_made_orthogonal_and_said(by: float) -> None:
    order = order_series([plane(*skewed(by))])
    (cosines,) = order.orientations.values()
    assert cosines == orthogonal(skewed(by))
    half = np.arcsin(by) / 2  # either axis gives way by half of the angle
    assert np.allclose(cosines, [np.cos(half), -np.sin(half), 0, np.sin(half), np.cos(half), 0])
    (warning,) = order.warnings
    assert warning.startswith("ImageOrientationPatient was not quite at right angles")
    farthest = 255 * abs(half) * 2**0.5  # pixels
    assert warning.endswith(f"pixels move by up to {farthest:.2g} of their size")


def test_off_unit_length_is_made_unit_length() -> None:
    order = order_series([plane(1.00005, 0.0, 0.0, 0.0, 0.99995, 0.0)])
    assert order.orientations == {0: AXIAL}
    assert len(order.warnings) == 1


@pytest.mark.parametrize(
    "cosines",
    [
        AXIAL,
        (0.866025, 0.5, 0.0, -0.5, 0.866025, 0.0),  # a rotation, to six decimals
        (0.999848, 0.0, -0.017452, 0.0, 1.0, 0.0),
    ],
)
def test_a_rotation_to_six_decimals_stays_as_it_is_written(cosines: Orientation) -> None:
    order = order_series([plane(*cosines)])
    assert (order.orientations, order.warnings) == ({}, ())


@pytest.mark.parametrize(
    ("cosines", "said"),
    [
        (skewed(1e-3), "rows and columns are not at right angles: 89.94 degrees"),
        (skewed(-0.1), "rows and columns are not at right angles: 95.74 degrees"),
        ((1.01, 0.0, 0.0, 0.0, 1.0, 0.0), "not of unit length: 1.01 and 1"),
    ],
)
def test_a_twentieth_of_a_pixel_and_more_is_refused_by_name(
    cosines: tuple[float, ...], said: str
) -> None:
    with pytest.raises(FileError, match=said) as caught:
        order_series([plane(*cosines)])
    assert caught.value.code == "orientation-skewed"


@pytest.mark.parametrize(("size", "refused"), [(20, False), (512, True)])
def test_the_size_of_the_image_decides(size: int, refused: bool) -> None:
    """The same angle: 0.014 pixels in the corner of a small image, 0.36 in that of a large one."""
    if refused:
        with pytest.raises(FileError, match="not at right angles"):
            straighten([plane(*skewed(1e-3), size=size)])
    else:
        assert set(straighten([plane(*skewed(1e-3), size=size)])[0]) == {0}


def test_one_skewed_slice_among_good_ones_is_counted() -> None:
    series = [
        header(rows=512, cols=512, image_position_patient=(0.0, 0.0, z)) for z in (0.0, 1.0, 2.0)
    ]
    series.append(plane(*skewed(9e-4), size=512))
    with pytest.raises(FileError, match=r"in 1 of 4 slices: 89\.95 degrees"):
        order_series(series)


def localizer(number: int, cosines: Orientation) -> Header:
    return header(image_orientation_patient=cosines, image_position_patient=(float(number), 0, 0))


def test_mixed_orientations_are_counted_and_the_minority_is_named() -> None:
    coronal, sagittal = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0), (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    series = [localizer(n, AXIAL) for n in range(5)]
    series += [localizer(n, coronal) for n in range(3)] + [localizer(n, sagittal) for n in range(2)]
    with pytest.raises(FileError) as caught:
        order_series(series, [f"{n}.dcm" for n in range(10)])
    assert str(caught.value) == (
        "the slices lie in 3 orientations: 5 axial, 3 coronal, 2 sagittal "
        "(5.dcm, 6.dcm, 7.dcm, ...). Move them to a folder of their own: a case is one stack of "
        "slices."
    )


@pytest.mark.parametrize(("degrees", "said"), [(10, "10"), (180, "180")])
def test_a_turned_stack_of_one_plane_is_told_by_its_angle(degrees: int, said: str) -> None:
    turned = cosines_of(rotation(0, 0, degrees))
    series = [localizer(0, AXIAL), localizer(1, AXIAL), localizer(2, turned)]
    with pytest.raises(FileError) as caught:
        order_series(series)
    assert f"2 orientations: 2 axial, 1 axial turned by {said} degrees." in str(caught.value)


def test_frames_of_one_file_cannot_be_moved_and_nobody_says_so() -> None:
    frame = header(frames=2, image_orientation_patient=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0))
    with pytest.raises(FileError) as caught:
        order_series([header(frames=2), frame], ["e.dcm", "e.dcm"])
    assert str(caught.value).endswith(
        "1 axial, 1 coronal (e.dcm). Export each stack of the file as a file of its own."
    )


def test_slices_that_are_turned_a_little_are_a_warning() -> None:
    """0.03 degrees: below what makes two orientations, above what makes one volume."""
    slant = (1.0, 0.0, 0.0, 0.0, 1.0, 5e-4)
    series = [header(rows=256, cols=256, image_position_patient=(0.0, 0.0, z)) for z in (0.0, 1.0)]
    series.append(plane(*slant, size=256, pixel=1.25))
    series[2] = header(
        rows=256,
        cols=256,
        image_position_patient=(0.0, 0.0, 2.0),
        image_orientation_patient=slant,
    )
    assert order_series(series).warnings == (
        "slices are turned by up to 0.029 degrees, 0.13 pixels: "
        "export and assemble refuse it as a volume (geometry-mixed)",
    )


@pytest.mark.parametrize("by", [9.4e-4, -9e-4])
def test_slices_that_lie_alike_once_they_are_orthogonal_are_not_turned(by: float) -> None:
    """The rows of the one lean as the columns of the other do: both have the same nearest axes."""
    leaning = [(1, by, 0, 0, 1, 0), (1, 0, 0, -by, 1, 0)]
    order = order_series(
        [
            header(
                rows=64,
                cols=64,
                pixel_spacing=(1.0, 1.0),
                image_orientation_patient=cosines,
                image_position_patient=(0, 0, n),
            )
            for n, cosines in enumerate(leaning)
        ]
    )
    assert order.orientations[0] == pytest.approx(order.orientations[1], abs=1e-6)
    (warning,) = order.warnings
    assert warning.startswith("ImageOrientationPatient was not quite at right angles")
