"""split and the label map: a directory is done only where its values still mean the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError
from tests.layouts.trees import COLS, ROWS, png_of, slice_at, write

IMAGES = "scans/{patient}/{slice}.dcm"
SPLIT: dict[str, Any] = {"images": IMAGES, "masks": "m/{patient}/{slice}.png", "val": 0}
LABELS = np.array([[0, 1, 2, 2]] * ROWS, np.uint8)


def tree(root: Path, *patients: str) -> Path:
    """Patients of two slices, whose masks hold 1 and 2."""
    files = {}
    for number, name in enumerate(patients, 1):
        for at in range(2):
            files[f"scans/{name}/{at}.dcm"] = slice_at(at, number)
            files[f"m/{name}/{at}.png"] = png_of(LABELS)
    return write(root, files)


def say(root: Path, labels: Mapping[str, str], place: str = "m") -> None:
    write(root, {f"{place}/dataset.json": json.dumps({"labels": labels}).encode()})


def split(root: Path, **asked: Any) -> Dataset:
    return chaosprep.split(root, root.with_name("out"), **SPLIT | asked)


@pytest.mark.parametrize("before", [None, {"1": "spleen", "2": "liver"}])
def test_a_legend_that_was_changed_makes_it_anew(
    tmp_path: Path, before: Mapping[str, str] | None
) -> None:
    root = tree(tmp_path / "root", "7", "8")
    if before:
        say(root, before)
    split(root)
    say(root, {"1": "liver", "2": "spleen"})
    with pytest.raises(ChaosprepError, match="its input has changed since it was made"):
        split(root)
    assert split(root, overwrite=True).slices[0].labels == {1: "liver", 2: "spleen"}


def test_numbers_that_other_patients_changed_make_it_anew(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", "7", "8")
    say(root, {"1": "liver", "2": "spleen"}, "m/7")
    say(root, {"1": "liver", "2": "spleen"}, "m/8")
    split(root, patient=["P007"])
    split(root, patient=["P007"])
    say(root, {"1": "spleen", "2": "aorta"}, "m/8")
    with pytest.raises(ChaosprepError, match="what its mask values stand for has changed"):
        split(root, patient=["P007"])


def test_legends_beside_each_patients_masks_are_told_in_one_label_map(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", "7", "8")
    say(root, {"1": "liver", "2": "spleen"}, "m/7")
    say(root, {"1": "spleen", "2": "aorta"}, "m/8")
    made = split(root)
    numbers = {label.name: value for value, label in made.label_map.items()}
    first, second = (made.mask(case.slices[0]) for case in made.cases)
    assert np.array_equal(first == numbers["spleen"], LABELS == 2)
    assert np.array_equal(second == numbers["spleen"], LABELS == 1)
    assert first is not None
    assert first.shape == (ROWS, COLS)
