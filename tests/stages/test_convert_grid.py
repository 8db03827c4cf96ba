"""convert --spacing and --size: one shape for all, the mask with its image, and both undoable."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ProblemsError, UsageError


def world(row: chaosprep.Slice, at: tuple[float, float]) -> list[float]:
    """Patient coordinates of a pixel (row, col): PS3.3 C.7.6.2.1.1."""
    assert row.position
    assert row.orientation
    assert row.spacing
    across, down = np.array(row.orientation[:3]), np.array(row.orientation[3:])
    moved = across * row.spacing[2] * at[1] + down * row.spacing[1] * at[0]
    return [float(value) for value in np.array(row.position) + moved]


@pytest.mark.parametrize("keep", [False, True])
def test_every_slice_gets_the_size_and_the_mask_goes_along(
    livers: Dataset, tmp_path: Path, keep: bool
) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", size="48x40", keep_16bit=keep)
    for row in made.slices:
        image, mask = made.image(row), made.mask(row)
        assert mask is not None
        assert image.shape == mask.shape == (row.rows, row.cols) == (48, 40)
        assert row.pixels == {"liver": int((mask == 255).sum())}
    assert not chaosprep.verify(made.directory).faults


def test_padding_keeps_every_pixel_and_its_place_in_the_patient(
    livers: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", size="64", keep_16bit=True, fit="pad")
    for before, after in zip(livers.slices, made.slices, strict=True):
        old, new = livers.image(before), made.image(after)
        assert after.grid is not None
        top, left = (-int(offset) for offset in after.grid["offset"])
        inner = new[top : top + before.rows, left : left + before.cols]
        assert np.array_equal(inner, old)
        assert world(after, (top, left)) == pytest.approx(world(before, (0, 0)), abs=1e-5)


def test_a_spacing_gives_square_pixels_and_true_places(livers: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", spacing=9.0)
    for before, after in zip(livers.slices, made.slices, strict=True):
        assert after.spacing is not None
        assert after.spacing[1:] == pytest.approx((9.0, 9.0))
        assert after.grid is not None
        step, offset = after.grid["step"], after.grid["offset"]
        source = (offset[0] + 3 * step[0], offset[1] + 2 * step[1])
        assert world(after, (3, 2)) == pytest.approx(world(before, source), abs=1e-5)


def test_a_grid_that_changes_nothing_carries_the_mask(livers: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", patient=("MR001",), size="32")
    before, after = livers.case("MR001_t1-in").slices[0], made.slices[0]
    assert after.grid is None
    assert before.mask is not None
    assert after.mask is not None
    same = (livers.directory / before.mask).samefile(made.directory / after.mask)
    assert same


def test_what_does_not_fit_is_a_problem_of_its_slice(livers: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(livers, tmp_path / "out", size="36", fit="crop")
    found = {(problem.code, problem.id.partition("_")[0]) for problem in caught.value.problems}
    assert found == {("does-not-fit", patient) for patient in ("MR001", "MR002", "MR005")}


@pytest.mark.parametrize("size", ["0", "12x", "x12", "big", "70000", "-4"])
def test_a_size_is_a_number_or_two(livers: Dataset, tmp_path: Path, size: str) -> None:
    with pytest.raises(UsageError, match="size must be N or ROWSxCOLS"):
        chaosprep.convert(livers, tmp_path / "out", size=size)


def test_undoing_the_grid_gives_the_mask_again(livers: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(livers, tmp_path / "out", spacing=4.0, size="200")
    inside = total = 0
    for before, after in zip(livers.slices, made.slices, strict=True):
        old, new = livers.mask(before), made.mask(after)
        assert old is not None
        assert new is not None
        assert after.grid is not None
        (r0, c0), (dr, dc) = after.grid["offset"], after.grid["step"]
        rows = np.rint((np.arange(after.grid["rows"]) - r0) / dr).astype(int)
        cols = np.rint((np.arange(after.grid["cols"]) - c0) / dc).astype(int)
        again = new[np.ix_(rows, cols)]
        inside += 2 * int(((again > 0) & (old > 0)).sum())
        total += int((again > 0).sum() + (old > 0).sum())
    assert inside / total >= 0.98
