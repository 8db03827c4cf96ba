"""Structure sets beside rt-utils and med-imagetools, which round vertices to whole pixels.

Both then draw the edge as well, so that what they show is larger by about half a pixel all around.
Of disks of 20 pixels it is 0.48 (rt-utils 1.2.7; 4.8 % of the area) and 0.36 (med-imagetools
2.16.0; 3.6 %), of squares 0.51; ours -0.004 and 0. med-imagetools fills holes. They run in an
environment of their own (`make test-peers`), as they bring another OpenCV.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from tests.formats.structure_sets import (
    FRAME,
    Points,
    Scan,
    Structure,
    cut,
    disk,
    drawn,
    planes,
    rtstruct,
    square,
)

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("CHAOSPREP_STRUCTURES_PYTHON", ROOT / ".venv-structures/bin/python"))
SCAN = Scan(rows=64, cols=64, spacing=(1.0, 1.0), step=3.0, count=20)
UIDS = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "PatientID": "A-17"}
DRAW = np.random.default_rng(4)
MIDDLES = 31 + DRAW.uniform(0, 1, (SCAN.count, 2))
SHAPES: dict[str, dict[int, list[Points]]] = {
    "disk": {place: [disk(row, col, 20.1)] for place, (row, col) in enumerate(MIDDLES)},
    "square": {
        place: [square(row - 15, col - 12, row + 15, col + 12)]
        for place, (row, col) in enumerate(MIDDLES)
    },
    "ring": {
        place: [disk(row, col, 20.1), disk(row, col, 9.1)]
        for place, (row, col) in enumerate(MIDDLES)
    },
}
HALF = {"rt-utils": (0.3, 0.6), "imgtools": (0.2, 0.6)}
"""Pixels that a mask is larger by, all around: from, to."""


def linked(made: Dataset) -> None:
    """What the tools need to find the images."""
    made.StudyInstanceUID, made.PatientID = UIDS["StudyInstanceUID"], UIDS["PatientID"]
    made.SeriesInstanceUID = "1.2.3.5"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID, series.ContourImageSequence = UIDS["SeriesInstanceUID"], []
    study.ReferencedSOPInstanceUID = UIDS["StudyInstanceUID"]
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = FRAME, [study]
    made.ReferencedFrameOfReferenceSequence = [frame]


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[Any]]:
    """ "TOOL NAME" -> (slices, rows, cols)."""
    if not PYTHON.exists():
        pytest.skip("rt-utils and med-imagetools are not installed (make test-peers)")
    folder = tmp_path_factory.mktemp("peers")
    (folder / "images").mkdir()
    for place in range(SCAN.count):
        (folder / f"images/{place}.dcm").write_bytes(SCAN.image(place, **UIDS))
    data = rtstruct(*(Structure(name, drawn(SCAN, SHAPES[name])) for name in SHAPES), edit=linked)
    (folder / "rt.dcm").write_bytes(data)
    script = Path(__file__).with_name("peers_structures.py")
    paths = [folder / "images", folder / "rt.dcm", folder / "out.npz"]
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([PYTHON, script, *paths, *SHAPES], check=True, env=outside, cwd=folder)
    found = dict(np.load(folder / "out.npz"))
    for name in SHAPES:
        stack = cut(data, SCAN, takes=name.__eq__)
        found[f"ours {name}"] = planes(stack) > 0
    return found


def larger(mask: NDArray[Any], polygons: dict[int, list[Points]]) -> float:
    """By how many pixels, all around, a mask is larger than its outer polygons: the mean."""
    found = []
    for place, (outer, *_) in polygons.items():
        rows, cols = outer.T
        area = abs(float(rows @ np.roll(cols, -1) - cols @ np.roll(rows, -1))) / 2
        length = np.linalg.norm(outer - np.roll(outer, -1, axis=0), axis=1).sum()
        found.append((mask[place].sum() - area) / length)
    return float(np.mean(found))


@pytest.mark.parametrize("name", ["disk", "square"])
def test_ours_is_as_large_as_the_polygons_and_theirs_half_a_pixel_larger(
    name: str, masks: dict[str, NDArray[Any]]
) -> None:
    assert abs(larger(masks[f"ours {name}"], SHAPES[name])) < 0.05
    for tool, (low, high) in HALF.items():
        assert low < larger(masks[f"{tool} {name}"], SHAPES[name]) < high


@pytest.mark.parametrize("tool", HALF)
@pytest.mark.parametrize("name", ["disk", "square"])
def test_masks_differ_at_their_edges_alone(
    tool: str, name: str, masks: dict[str, NDArray[Any]]
) -> None:
    differing = np.argwhere((masks[f"ours {name}"] > 0) != (masks[f"{tool} {name}"] > 0))
    for place, row, col in differing:
        outer = SHAPES[name][int(place)][0]
        begin, step = outer, np.roll(outer, -1, axis=0) - outer
        along = (((row, col) - begin) * step).sum(axis=1) / (step**2).sum(axis=1)
        nearest = begin + along.clip(0, 1)[:, None] * step
        assert np.linalg.norm(nearest - (row, col), axis=1).min() < 1


def test_rt_utils_leaves_holes_and_med_imagetools_fills_them(
    masks: dict[str, NDArray[Any]],
) -> None:
    middles = [(place, *np.rint(middle).astype(int)) for place, middle in enumerate(MIDDLES)]
    for tool, filled in (("ours", False), ("rt-utils", False), ("imgtools", True)):
        assert {bool(masks[f"{tool} ring"][at]) for at in middles} == {filled}
