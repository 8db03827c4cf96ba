"""Whatever PNG's filters made of a picture, it comes back; what is black is told."""

import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.imaging.png.chunks import stored
from chaosprep.imaging.png.filters import WHOLE, filter_up, undo_filters, undo_up

Grey = NDArray[np.uint8]
FILTERS = {"none": 0, "sub": 1, "up": 2, "average": 3, "paeth": 4}
corners = st.tuples(*[st.integers(0, 15)] * 4, st.sampled_from([63, 126, 189, 252, 255]))


def picture(*rectangles: tuple[int, int, int, int, int], side: int = 12) -> Grey:
    """A black picture with some rectangles: top, left, bottom, right, level."""
    made = np.zeros((side, side), np.uint8)
    for top, left, bottom, right, level in rectangles:
        made[top:bottom, left:right] = level
    return made


def predicted(kind: int, left: int, above: int, corner: int) -> int:
    """PNG 3rd edition, 9.2 and 9.4."""
    if kind == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda value: abs(guess - value))
    return (0, left, above, (left + above) // 2)[kind]


def filtered(pixels: Grey, kinds: Sequence[int]) -> Grey:
    """The rows by these filters, byte by byte as the specification has it."""
    rows, cols = pixels.shape
    wide = np.zeros((rows + 1, cols + 1), int)  # with the zeros beyond the picture's edge
    wide[1:, 1:] = pixels
    lines = np.zeros((rows, cols + 1), np.uint8)
    lines[:, 0] = kinds
    for row, kind in enumerate(kinds):
        for col in range(cols):
            left, above, corner = wide[row + 1, col], wide[row, col + 1], wide[row, col]
            guess = predicted(kind, int(left), int(above), int(corner))
            lines[row, col + 1] = (int(pixels[row, col]) - guess) % 256
    return lines


def undone(pixels: Grey, kinds: Sequence[int]) -> tuple[slice, slice]:
    """The part that is told, once the pixels are seen to be right, and the rest to be black."""
    found = undo_filters(filtered(pixels, kinds))
    assert found is not None
    plain, part = found
    assert np.array_equal(plain, pixels)
    rest = plain.copy()
    rest[part] = 0
    assert not rest.any()
    return part


@pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)
def test_a_filter_is_undone_where_a_picture_shows_something(kind: int) -> None:
    rows, cols = undone(picture((3, 2, 7, 9, 63), (5, 4, 8, 6, 252)), [kind] * 12)
    assert rows.start == 3
    assert cols.start == 2


def test_the_part_ends_with_what_is_shown() -> None:
    shape = picture((3, 2, 7, 9, 63))
    assert undone(shape, [0] * 12) == (slice(3, 7), slice(2, 9))


@pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)
def test_what_runs_on_to_an_edge_without_being_stored_is_undone(kind: int) -> None:
    """`Sub` stores the first of equal pixels, `Up` the first of equal rows, `Paeth` one of both."""
    undone(picture((3, 2, 12, 5, 63)), [kind] * 12)
    undone(picture((3, 2, 7, 12, 63)), [kind] * 12)
    undone(picture((3, 2, 12, 12, 63)), [kind] * 12)


@pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)
def test_a_picture_without_a_black_edge_is_undone_whole(kind: int) -> None:
    noise = np.random.default_rng(0).integers(1, 256, (9, 12), np.uint8)
    assert undone(noise, [kind] * 9) == WHOLE


@pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)
def test_a_black_picture_is_black(kind: int) -> None:
    assert undone(picture(), [kind] * 12) == (slice(0, 0), slice(0, 0))


@given(
    st.lists(corners, max_size=4),
    st.lists(st.integers(0, 4), min_size=12, max_size=12),
)
def test_every_row_may_have_its_own_filter(
    rectangles: list[tuple[int, int, int, int, int]], kinds: list[int]
) -> None:
    undone(picture(*rectangles), kinds)


@pytest.mark.parametrize("row", [0, 5, 11], ids=["above", "within", "below"])
def test_a_filter_of_no_known_number_is_refused(row: int) -> None:
    lines = filtered(picture((3, 2, 7, 9, 63)), [0] * 12)
    lines[row, 0] = 5
    assert undo_filters(lines) is None


def test_up_alone_is_undone_for_pixels_of_any_size() -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, (5, 7), np.uint16)
    found = undo_up(filter_up(deep))
    assert found is not None
    assert np.array_equal(found.view(">u2"), deep)


@pytest.mark.parametrize("kinds", [(1, 2, 2), (2, 2, 1), (2, 0, 2)])
def test_any_other_filter_is_not_up_alone(kinds: tuple[int, ...]) -> None:
    lines = np.zeros((3, 5), np.uint8)
    lines[:, 0] = kinds
    assert undo_up(lines) is None


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_stored_bytes_are_a_zlib_stream(size: int) -> None:
    data = np.random.default_rng(0).bytes(size)
    assert zlib.decompress(stored(data)) == data
