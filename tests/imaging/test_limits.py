"""What is refused before memory is taken for it, and what to do."""

import pytest

from chaosprep.errors import FileError
from chaosprep.imaging.limits import MAX_PIXELS, check_size

RAISE = "Check the file, or raise --max-pixels of split and convert."


@pytest.mark.parametrize(
    ("frames", "limit", "remedy"),
    [
        (1, MAX_PIXELS, "Check the file; a slice is never that large."),
        (300, MAX_PIXELS, RAISE),
        (1, 2**10, RAISE),
    ],
)
def test_many_frames_and_a_limit_of_ones_own_are_no_fault_of_the_file(
    frames: int, limit: int, remedy: str
) -> None:
    side = 512 if frames > 1 else 9000
    with pytest.raises(FileError) as caught:
        check_size(side, side, frames=frames, max_pixels=limit)
    assert (caught.value.code, caught.value.remedy) == ("too-large", remedy)
