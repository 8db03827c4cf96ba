"""Radiotherapy's sets through `split`: one RTSTRUCT for each patient, of many structures."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep.errors import ProblemsError
from tests.formats.structure_sets import (
    OTHER,
    Points,
    Scan,
    Structure,
    cut,
    drawn,
    even_odd,
    planes,
    rtstruct,
    square,
)
from tests.layouts.trees import write

SCAN = Scan(count=4)
NAMES = [
    *("BODY", "liver", "kidney left", "kidney right", "spleen", "cord", "PTV_50.4"),
    *("couch", "isocentre", "bowel", "stomach", "bolus"),
]
UNWANTED = ("BODY", "couch", "isocentre", "bolus")


def polygon(n: int) -> Points:
    """A square of its own for each structure; the body is around all."""
    return square(-0.4, -0.4, 23.4, 31.4) if n == 0 else square(n + 0.5, 2 * n + 0.5, n + 3.5, 30.5)


def structures(*, couch: str = SCAN.frame) -> Sequence[Structure]:
    """Twelve, of which one is a point and one is empty."""
    found = []
    for n, name in enumerate(NAMES):
        kind = "POINT" if name == "isocentre" else "CLOSED_PLANAR"
        shape = polygon(n)[:1] if name == "isocentre" else polygon(n)
        contours = [] if name == "bolus" else drawn(SCAN, {1: [shape], 2: [shape]}, kind)
        found.append(Structure(name, contours, n + 1, couch if name == "couch" else SCAN.frame))
    return found


def tree(root: Path, ending: str = ".dcm", **changes: str) -> Path:
    files = {f"i/p1/{place}.dcm": SCAN.image(place) for place in range(SCAN.count)}
    return write(root, files | {f"rt/p1{ending}": rtstruct(*structures(**changes))})


@pytest.mark.parametrize("ending", [".dcm", ""])
def test_a_structure_set_is_split_into_the_masks_of_its_slices(tmp_path: Path, ending: str) -> None:
    data = rtstruct(
        Structure("liver", drawn(SCAN, {1: [square(2, 3, 5, 7)]}), 3),
        Structure("spleen", drawn(SCAN, {2: [square(2, 9, 5, 13)]}), 8),
    )
    root = write(tree(tmp_path / "root", ending), {f"rt/p1{ending}": data})
    made = chaosprep.split(
        root,
        tmp_path / "out",
        images="i/{patient}/{slice}.dcm",
        masks=f"rt/{{patient}}{ending}",
        val=0,
    )
    masks = [np.array(cv2.imread(str(tmp_path / "out" / str(row.mask)), -1)) for row in made.slices]
    found = np.stack(masks)
    expected = np.zeros((4, SCAN.rows, SCAN.cols))
    expected[1, 2:5, 3:7], expected[2, 2:5, 9:13] = 3, 8
    assert np.array_equal(found, expected)


def test_of_twelve_structures_those_that_are_wanted_are_taken() -> None:
    data = rtstruct(*structures(couch=OTHER))
    stack = cut(data, SCAN, takes=lambda name: name not in UNWANTED)
    found = planes(stack)
    assert list(stack.names.values()) == [name for name in NAMES if name not in UNWANTED]
    assert stack.note is None
    for n, name in enumerate(NAMES):
        values = [value for value, labels in stack.overlaps.items() if n + 1 in labels]
        shown = np.isin(found, [n + 1, *values])
        expected = np.zeros((4, SCAN.rows, SCAN.cols), np.bool_)
        if name not in UNWANTED:
            expected[1:3] = even_odd([polygon(n)], SCAN.rows, SCAN.cols)
        assert np.array_equal(shown, expected), name


def test_a_set_that_does_not_fit_is_one_problem_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(
            tree(tmp_path / "root", couch=OTHER),
            tmp_path / "out",
            images="i/{patient}/{slice}.dcm",
            masks="rt/{patient}.dcm",
            val=0,
        )
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("mask-grid", "rt/p1.dcm")
    assert problem.reason.endswith("from the images: structure 8 (couch)")
