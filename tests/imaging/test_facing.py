"""Slices turned for the eye: however they are stored, the patient looks as on any workstation."""

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.imaging.space.facing import facing

orientations = pytest.importorskip("nibabel.orientations")

SCREENS = {"axial": "LP", "coronal": "LI", "sagittal": "PI"}
"""What lies to the right and down on a screen."""

PAIRS = ("LR", "PA", "SI")
STORED = ["".join(codes) for axes in permutations(PAIRS) for codes in product(*axes)]


def stored_as(voxels: NDArray[Any], codes: str) -> NDArray[Any]:
    """Voxels of axes to the right, front and top of the patient, with axes that run so."""
    wanted = orientations.axcodes2ornt(tuple(codes))
    way = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), wanted)
    return np.asarray(orientations.apply_orientation(voxels, way))


def cosines(codes: str) -> tuple[float, ...]:
    """ImageOrientationPatient of slices whose columns and rows follow each other so."""
    eye = np.eye(3)
    ways = {pair[side]: eye[n] * (1, -1)[side] for n, pair in enumerate(PAIRS) for side in (0, 1)}
    return (*ways[codes[0]], *ways[codes[1]])


@pytest.mark.parametrize("plane", SCREENS)
def test_every_stored_order_is_shown_alike(plane: str) -> None:
    voxels = np.arange(3 * 3 * 3).reshape(3, 3, 3)
    screen = SCREENS[plane]
    through = next(pair for pair in PAIRS if not set(pair) & set(screen))
    seen = stored_as(voxels, screen + through[0])[:, :, 1].T
    same = [codes for codes in STORED if codes[2] in through]
    assert len(same) == 16
    for codes in same:
        turn = facing(cosines(codes))
        assert np.array_equal(turn(stored_as(voxels, codes)[:, :, 1].T), seen), codes
        assert turn.shape(4, 5) == turn(np.zeros((4, 5))).shape


def test_an_oblique_slice_is_turned_as_its_nearest_plane() -> None:
    image = np.arange(20).reshape(4, 5)
    a, b = np.cos(np.radians(20)), np.sin(np.radians(20))
    assert np.array_equal(facing((-a, 0, b, 0, -1, 0))(image), image[::-1, ::-1])


def test_what_lies_nowhere_is_shown_as_stored() -> None:
    image = np.arange(20).reshape(4, 5)
    assert np.array_equal(facing(None)(image), image)
