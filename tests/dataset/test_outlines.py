"""Outlines follow the edges of a mask, and its organs are found by value or by grey range."""

import re
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.outlines import UNNAMED, organ_areas, organ_names, outlines, svg_path


def _filled(lines: list[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixel centres lie inside an odd number of lines, by OpenCV's point test."""
    rows, cols = shape
    inside = np.zeros(shape, dtype=bool)
    for line in lines:
        points = line.astype(np.float32)
        for row in range(rows):
            for col in range(cols):
                centre = (col + 0.5, row + 0.5)
                inside[row, col] ^= cv2.pointPolygonTest(points, centre, False) > 0
    return inside


@given(arrays.arrays(np.bool_, (7, 9)))
def test_filled_by_the_even_odd_rule_the_outlines_give_the_mask_again(
    mask: NDArray[np.bool_],
) -> None:
    assert (_filled(outlines(mask), (7, 9)) == mask).all()


def test_a_rectangle_has_four_corners_an_eighth_of_a_pixel_inside_its_edges() -> None:
    mask = np.zeros((10, 12), bool)
    mask[2:5, 3:9] = True
    (line,) = outlines(mask)
    assert sorted(map(tuple, line.tolist())) == [
        (3.125, 2.125),
        (3.125, 4.875),
        (8.875, 2.125),
        (8.875, 4.875),
    ]


def test_a_hole_is_an_outline_of_its_own() -> None:
    mask = np.ones((9, 9), bool)
    mask[3:6, 3:6] = False
    assert len(outlines(mask)) == 2


def test_an_empty_mask_has_no_outline() -> None:
    assert outlines(np.zeros((4, 4), bool)) == []


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=9))
def test_a_path_leads_through_the_points_of_its_line(points: list[tuple[int, int]]) -> None:
    line = np.array(points, np.float64) / 4
    path = svg_path([line])
    if len(set(points)) == 1:
        assert path == ""
        return
    at = np.array([int(n) for n in re.findall(r"-?\d+", path.split("l")[0])])
    reached = [tuple(at)]
    for x, y in re.findall(r"(-?\d+) (-?\d+)", path.split("l")[1]):
        at = at + np.array([int(x), int(y)])
        reached.append(tuple(at))
    assert set(reached) == set(points)
    assert reached[-1] == points[-1]


def _names(row: chaosprep.Slice, mask: NDArray[Any]) -> dict[str, int]:
    return {organ: int(inside.sum()) for organ, inside in organ_areas(row, mask)}


def test_a_mask_as_downloaded_is_read_by_the_grey_ranges_that_give_its_areas(
    pairs: Dataset,
) -> None:
    rows = [row for row in pairs.slices if any(row.pixels.values())]
    for row in rows:
        mask = pairs.mask(row)
        assert mask is not None
        assert _names(row, mask) == {organ: n for organ, n in row.pixels.items() if n}
    assert any(len(row.pixels) > 1 for row in rows)


def test_labels_name_the_values_of_a_mask(livers: Dataset) -> None:
    row = next(row for row in livers.slices if row.pixels["liver"])
    mask = livers.mask(row)
    assert mask is not None
    assert _names(row, mask) == row.pixels
    assert organ_names(row) == ["liver"]


@pytest.mark.parametrize("pixels", [{}, {"liver": 7}])
def test_values_that_nobody_has_named_are_one_area(pairs: Dataset, pixels: dict[str, int]) -> None:
    row = msgspec.structs.replace(pairs.slices[0], labels={}, pixels=pixels)
    assert _names(row, np.array([[0, 3], [9, 0]], np.uint8)) == {UNNAMED: 2}
