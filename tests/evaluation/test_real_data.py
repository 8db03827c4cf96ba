"""`evaluate` on CHAOS's CT set 3; skipped where it is not at hand. Nothing of it is kept here."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep.layouts.mask_set import plane_of
from tests.evaluation.trees import dice, write_png
from tests.evaluation.truth import SIX

REAL = Path(__file__).parents[2].parent / "shared" / "real" / "original"
GROUND = REAL / "Test_Sets/CT/3/Ground"
MM = (2.0, 0.7265625, 0.7265625)  # read in the headers: positions 2 mm apart, PixelSpacing

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")


def volume() -> NDArray[np.bool_]:
    """Ground in the order of its names, along which z falls."""
    return np.stack([plane_of(file) != 0 for file in sorted(GROUND.iterdir())])


def submit(mask: NDArray[np.bool_], folder: Path) -> Path:
    for place, plane in enumerate(mask):
        write_png(folder / f"CT/3/Results/img{place:03d}.png", 63 * plane)
    return folder


def border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """By the definition: voxels with a neighbour outside; beyond the edge nothing is."""
    padded = np.pad(mask, 1, constant_values=True)
    inner = mask.copy()
    for step in SIX:
        inner &= np.roll(padded, step, (0, 1, 2))[1:-1, 1:-1, 1:-1]
    return np.asarray(mask & ~inner)


def test_ground_against_itself_scores_100() -> None:
    (row,) = chaosprep.evaluate(REAL, REAL).results
    assert (row.case, row.dice, row.mssd, row.score) == ("CT003_ct", 1, 0, 100)
    assert row.ref_voxels == volume().sum()
    assert row.ref_ml == pytest.approx(row.ref_voxels * np.prod(MM) / 1000)


def test_ground_moved_by_a_column_is_a_column_away_where_the_borders_differ(
    tmp_path: Path,
) -> None:
    """Each border voxel lies on the other border, or has its own copy one column further; nothing
    is nearer than the side of a pixel."""
    ref = volume()
    moved = np.zeros_like(ref)
    moved[:, :, 1:] = ref[:, :, :-1]
    (row,) = chaosprep.evaluate(submit(moved, tmp_path), REAL).results
    here, there = border(moved), border(ref)
    total, common = here.sum() + there.sum(), (here & there).sum()
    assert 0.05 < common / here.sum() < 0.95
    assert row.dice == pytest.approx(dice(moved, ref))
    assert row.assd == pytest.approx(MM[2] * (total - 2 * common) / total)
    assert row.mssd == pytest.approx(MM[2])
    assert row.hd95 == pytest.approx(MM[2])
