"""Structures that may lie on one voxel: every set of them has a value of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from chaosprep.errors import FileError
from chaosprep.imaging.overlaps import Overlaps


@given(arrays(np.bool_, (5, 4, 3)))
def test_each_voxel_tells_which_labels_it_was_painted_with(shown: np.ndarray) -> None:
    overlaps = Overlaps(range(1, 6))
    plane = np.zeros((4, 3), np.uint16)
    for label, where in enumerate(shown, start=1):
        overlaps.paint(plane, where, label)
    for at in np.ndindex(4, 3):
        labels = tuple(int(n) + 1 for n in np.flatnonzero(shown[(slice(None), *at)]))
        value = int(plane[at])
        assert overlaps.values.get(value, (value,) if value else ()) == labels


def test_values_of_sets_follow_the_highest_label() -> None:
    overlaps = Overlaps([3, 7])
    plane = np.zeros((1, 3), np.uint16)
    overlaps.paint(plane, np.array([[True, True, False]]), 7)
    overlaps.paint(plane, np.array([[False, True, True]]), 3)
    assert plane.tolist() == [[7, 8, 3]]
    assert overlaps.values == {8: (3, 7)}


def test_a_label_painted_twice_is_itself() -> None:
    overlaps = Overlaps([1])
    plane = np.zeros((1, 1), np.uint16)
    for _ in range(2):
        overlaps.paint(plane, np.array([[True]]), 1)
    assert plane.tolist() == [[1]]
    assert not overlaps.values


def test_where_16_bits_have_no_more_values_follow_those_between_the_labels() -> None:
    overlaps = Overlaps([2, 5, 65535])
    plane = np.full((1, 2), 65535, np.uint16)
    overlaps.paint(plane, np.array([[True, False]]), 2)
    overlaps.paint(plane, np.array([[False, True]]), 5)
    assert overlaps.values == {1: (2, 65535), 3: (5, 65535)}
    assert plane.tolist() == [[1, 3]]


def test_more_sets_than_there_are_values_are_an_error() -> None:
    overlaps = Overlaps(range(1, 65535))
    plane = np.full((1, 1), 7, np.uint16)
    overlaps.paint(plane, np.array([[True]]), 8)
    with pytest.raises(FileError, match="more ways"):
        overlaps.paint(plane, np.array([[True]]), 9)
