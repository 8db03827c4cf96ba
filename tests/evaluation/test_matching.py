"""Cases are matched by their ids, else by the files that they were predicted on."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

import chaosprep
from chaosprep.errors import NothingFoundError, ProblemsError


def write(folder: Path, *names: str, value: int = 1) -> Path:
    """Label volumes of one voxel each, another for each name."""
    folder.mkdir(parents=True)
    tool: Any = nibabel
    for number, name in enumerate(sorted(names, key=lambda name: name[-1])):
        voxels = np.zeros((4, 4, 3), np.uint8)
        voxels[number, 1, 1] = value
        tool.save(
            tool.Nifti1Image(voxels, np.diag([1.0, 1.0, 3.0, 1.0])), folder / f"{name}.nii.gz"
        )
    return folder


def predicted(folder: Path, **sources: object) -> Path:
    """What predict of raw data wrote: masks, labels and the files that they are of."""
    write(folder / "masks", *sources)
    (folder / "labels.json").write_text('{"mask": 1}')
    (folder / "sources.json").write_text(json.dumps(sources))
    return folder


@pytest.mark.parametrize("below", [".", "masks"])
def test_cases_are_called_as_the_files_that_they_were_predicted_on(
    tmp_path: Path, below: str
) -> None:
    ref = write(tmp_path / "ref", "liver_1", "liver_2")
    files = {"x_MRI-1": "imagesTr/liver_1_0000.nii.gz", "x_MRI-2": "imagesTr/liver_2.nii.gz"}
    found = chaosprep.evaluate(predicted(tmp_path / "out", **files) / below, ref)
    assert {row.case: row.dice for row in found.results} == {"liver_1": 1.0, "liver_2": 1.0}


def test_names_of_their_own_go_before(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref", "a1", "b2")
    pred = predicted(tmp_path / "out", a1="b2.nii.gz", b2="a1.nii.gz")
    found = chaosprep.evaluate(pred, ref)
    assert [row.dice for row in found.results] == [1.0, 1.0]
    assert not any("predicted on" in note for note in found.notes)


@pytest.mark.parametrize(
    "sources",
    [
        {"x1": "imagesTr/a1_0000.nii.gz", "y2": "imagesTr/a1_0001.nii.gz"},  # two channels of one
        {"x1": "a1.dcm", "y2": 7},
        {"x1": ["a1.nii.gz"]},
        {"x1": "elsewhere.nii.gz"},
    ],
)
def test_what_does_not_say_which_case_it_is_of_is_of_none(
    tmp_path: Path, sources: dict[str, object]
) -> None:
    with pytest.raises(NothingFoundError):
        chaosprep.evaluate(predicted(tmp_path / "out", **sources), write(tmp_path / "ref", "a1"))


def test_of_a_data_set_the_folder_of_its_labels_is_named(tmp_path: Path) -> None:
    write(tmp_path / "set" / "imagesTr", "a1_0000")
    labels = write(tmp_path / "set" / "labelsTr", "a1")
    with pytest.raises(NothingFoundError) as error:
        chaosprep.evaluate(labels, tmp_path / "set")
    assert f"Give its labels alone: {labels}." in str(error.value)
    assert chaosprep.evaluate(labels, labels).cases == 1


@pytest.mark.parametrize(("value", "is_taken"), [(1, True), (255, True), (2, False)])
def test_of_one_named_organ_a_volume_of_another_value_is_refused(
    tmp_path: Path, value: int, is_taken: bool
) -> None:
    ref = write(tmp_path / "ref", "a1")
    (ref / "labels.json").write_text('{"liver": 1}')
    pred = write(tmp_path / "pred", "a1", value=value)
    if is_taken:
        assert chaosprep.evaluate(pred, ref).results[0].dice == 1
        return
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, ref)
    assert [problem.code for problem in error.value.problems] == ["mask-values"]


def test_of_masks_that_nobody_names_any_single_value_is_the_mask(tmp_path: Path) -> None:
    ref, pred = write(tmp_path / "ref", "a1"), write(tmp_path / "pred", "a1", value=7)
    assert chaosprep.evaluate(pred, ref).results[0].dice == 1
