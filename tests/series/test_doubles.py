"""The same image twice in a folder is one slice, and it is said; masks go with their images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import UID

import chaosprep
from chaosprep import Slice
from chaosprep.errors import ProblemsError
from tests.series.scans import IMAGES, Kept, Refused, Table, changed, check, slices, write

IM = "im{:03d}.dcm"
LEFT_OUT = "a second copy of the same image is left out (im000 (1).dcm)"
SIZE = 24 * 24

DOUBLES: Table = {
    "equal bytes": (
        {IM: slices(), "im000 (1).dcm": slices()[:1]},
        Kept(warnings=(LEFT_OUT,)),
    ),
    "one object with two headers": (
        {IM: slices(), "im000 (1).dcm": slices(edit=changed(StationName="PACS"))[:1]},
        Kept(warnings=(LEFT_OUT,)),
    ),
    "three files of one image": (
        {IM: slices(), "im000 ({}).dcm": slices()[:1] * 2},
        Kept(
            warnings=("a second copy of the same image is left out (im000 (0).dcm, im000 (1).dcm)",)
        ),
    ),
    "one SOPInstanceUID for all slices": (
        {IM: slices(edit=changed(SOPInstanceUID=UID("2.25.11")))},
        Kept(),
    ),
    "two empty slices": (
        {IM: slices(edit=lambda one, n: n < 2 and changed(PixelData=bytes(2 * SIZE))(one, n))},
        Kept(),
    ),
    "a copy that is cut short": (
        {IM: slices(), "im000 (1).dcm": slices(edit=changed(PixelData=bytes(SIZE)))[:1]},
        Refused(
            "im000 (1).dcm",
            "the pixel data are cut short: 576 of 1152 bytes. Copy or export the file again from "
            "its source.",
        ),
    ),
    "another image at the same place": (
        {IM: slices(), "im002 (1).dcm": slices(edit=changed(PixelData=bytes(2 * SIZE)))[2:3]},
        Refused(
            "im002 (1).dcm",
            "2 files lie at 1 position; nothing that is compared tells them apart. Keep one file "
            "for each position.",
        ),
    ),
}


@pytest.mark.parametrize("name", DOUBLES)
def test_an_image_is_one_slice(name: str, tmp_path: Path) -> None:
    check(*DOUBLES[name], tmp_path)


def split(root: Path, copies: Mapping[str, int], masks: Mapping[str, int]) -> tuple[Slice, ...]:
    """Split a series with more files of its slices, and masks of one value each."""
    write(root / "scans" / "a", slices())
    for name, number in copies.items():
        write(root / "scans" / "a", slices()[number : number + 1], f"{name}.dcm")
    (root / "labels" / "a").mkdir(parents=True)
    for name, value in masks.items():
        picture = np.full((24, 24), value, np.uint8)
        Image.fromarray(picture).save(root / "labels" / "a" / f"{name}.png")
    output = root.parent / "out"
    masks_at = "labels/{patient}/{slice}.png"
    return tuple(chaosprep.split(root, output, images=IMAGES, masks=masks_at, val=0).slices)


SIX = {f"im{n:03d}": n + 1 for n in range(6)}


def values(rows: tuple[Slice, ...]) -> list[set[int]]:
    return [set(row.labels) for row in rows]


def test_the_mask_stays_with_the_image_whose_copy_goes(tmp_path: Path) -> None:
    rows = split(tmp_path / "root", {"im002 (1)": 2}, SIX)
    assert values(rows) == [{n + 1} for n in range(6)]


def test_the_copy_that_has_the_mask_is_the_one_to_use(tmp_path: Path) -> None:
    """`a2` comes first by its name, but the mask is called as the other."""
    rows = split(tmp_path / "root", {"a2": 2}, SIX)
    assert values(rows) == [{n + 1} for n in range(6)]
    assert rows[2].source == "scans/a/im002.dcm"


def test_a_copy_of_the_mask_goes_with_the_copy_of_the_image(tmp_path: Path) -> None:
    rows = split(tmp_path / "root", {"im002 (1)": 2}, SIX | {"im002 (1)": 3})
    assert values(rows) == [{n + 1} for n in range(6)]


def test_two_masks_of_one_image_are_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        split(tmp_path / "root", {"im002 (1)": 2}, SIX | {"im002 (1)": 9})
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("mask-surplus", "labels/a/im002 (1).png")


def test_with_skip_the_image_that_is_there_twice_does_not_vanish(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "scans" / "a", slices())
    write(root / "scans" / "a", slices()[:1], "im000 (1).dcm")
    made = chaosprep.split(root, tmp_path / "out", images=IMAGES, val=0, on_error="skip")
    assert len(list(made.slices)) == 6
    assert made.skipped == ()
