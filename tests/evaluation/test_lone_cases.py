"""Cases and structures that have other names on the two sides: compared, or how they can be."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

import chaosprep
from chaosprep.errors import NothingFoundError, UsageError


def volume(file: Path, *values: int) -> Path:
    """A NIfTI with a box of 12 voxels for each value, one behind the other."""
    voxels = np.zeros((2 + 2 * len(values), 5, 6), np.uint8)
    for at, value in enumerate(values):
        voxels[1 + 2 * at : 3 + 2 * at, 1:3, 2:5] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((2, 2, 5))
    SimpleITK.WriteImage(image, str(file))
    return file.parent


def named(folder: Path, **labels: int) -> Path:
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


def organs(pred: Path, ref: Path) -> dict[str, float]:
    return {row.organ: row.dice for row in chaosprep.evaluate(pred, ref).results}


def refusal(pred: Path, ref: Path) -> str:
    with pytest.raises((NothingFoundError, UsageError)) as error:
        chaosprep.evaluate(pred, ref)
    return str(error.value)


def test_folders_with_a_case_each_say_both_ways_to_match_them_and_these_work(
    tmp_path: Path,
) -> None:
    pred, ref = volume(tmp_path / "p/x.nii.gz", 1), volume(tmp_path / "r/y.nii.gz", 1)
    assert "call PRED's file y, or give the two files themselves" in refusal(pred, ref)
    assert organs(pred / "x.nii.gz", ref / "y.nii.gz") == {"mask": 1.0}
    (pred / "x.nii.gz").rename(pred / "y.nii.gz")
    assert organs(pred, ref) == {"mask": 1.0}


def test_folders_with_more_cases_are_told_a_name_of_the_reference(tmp_path: Path) -> None:
    pred, ref = volume(tmp_path / "p/x.nii.gz", 1), volume(tmp_path / "r/y.nii.gz", 1)
    volume(ref / "z.nii.gz", 1)
    assert "call the files of PRED as REF's cases, such as y" in refusal(pred, ref)


def test_one_structure_without_a_name_is_taken_for_the_predictions_and_said(
    tmp_path: Path,
) -> None:
    pred = named(volume(tmp_path / "p/x.nii.gz", 3), liver=3)
    ref = volume(tmp_path / "r/x.nii.gz", 7)
    found = chaosprep.evaluate(pred, ref)
    assert [(row.organ, row.dice, row.ref_voxels) for row in found.results] == [("liver", 1.0, 12)]
    assert "nothing says what REF shows: its one structure is taken to be PRED's, liver" in (
        found.notes
    )
    assert [row.organ for row in chaosprep.evaluate(pred, ref, organs=["Liver"]).results] == [
        "liver"
    ]


def test_of_several_structures_the_file_that_names_them_is_asked_for_and_works(
    tmp_path: Path,
) -> None:
    pred = named(volume(tmp_path / "p/x.nii.gz", 1, 2), liver=1, spleen=2)
    ref = volume(tmp_path / "r/x.nii.gz", 4, 9)
    told = refusal(pred, ref)
    assert 'labels.json next to its masks, such as {"liver": 4, "spleen": 9}' in told
    assert organs(pred, named(ref, liver=4, spleen=9)) == {"liver": 1.0, "spleen": 1.0}


def test_two_names_for_one_structure_are_not_guessed_to_be_one(tmp_path: Path) -> None:
    pred = named(volume(tmp_path / "p/x.nii.gz", 1), liver=1)
    ref = named(volume(tmp_path / "r/x.nii.gz", 1), Leber=1)
    assert "Give them the same names, in the legend of one side" in refusal(pred, ref)
    assert organs(pred, named(ref, liver=1)) == {"liver": 1.0}
