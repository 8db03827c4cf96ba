"""A list of the Decathlon as a dataset root: cases, channels, sides, and what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from tests.layouts.named import SHAPE, decathlon, item, labels, nnunet, save, volume, write_json


def found(root: Path, **fields: Any) -> Root:
    """What the layout finds; each case is another patient's."""
    return find(
        root, LayoutParams(**({"layout": "decathlon", "patient_from_name": "{patient}"} | fields))
    )


def told(root: Root) -> list[tuple[str, str | None, str]]:
    return [(problem.code, problem.file, problem.reason) for problem in root.problems]


def test_each_volume_of_a_file_is_a_sequence(tmp_path: Path) -> None:
    root = found(decathlon(tmp_path, ["liver_0"]))
    slices = SHAPE[2]
    assert [(case.id, case.images, case.frames, case.masks) for case in root.cases] == [
        (
            f"liver-0_{name}",
            ("imagesTr/liver_0.nii.gz",),
            {"imagesTr/liver_0.nii.gz": tuple(range(at * slices, (at + 1) * slices))},
            ("labelsTr/liver_0.nii.gz",),
        )
        for name, at in (("ADC", 1), ("T2", 0))
    ]
    assert {value: label.name for value, label in root.label_map.items()} == {
        1: "liver",
        2: "tumour",
    }
    assert root.problems == ()


def test_a_file_of_one_volume_is_taken_whole(tmp_path: Path) -> None:
    (case,) = found(decathlon(tmp_path, ["a"], modality=["CT"])).cases
    assert (case.id, case.frames) == ("a_ct", {})


def test_images_for_testing_are_a_test_set(tmp_path: Path) -> None:
    root = found(decathlon(tmp_path, ["a"], ["b"], ["T1"]))
    assert [(case.id, case.pool, case.masks) for case in root.cases] == [
        ("a_T1", "train", ("labelsTr/a.nii.gz",)),
        ("b_T1", "test", None),
    ]


def test_a_list_of_files_has_a_channel_in_each(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a"])
    for name in ("t2", "adc"):
        save(folder / f"imagesTr/{name}.nii.gz", volume(1))
    listed = item("a", image=["imagesTr/t2.nii.gz", "imagesTr/adc.nii.gz"])
    root = found(decathlon(tmp_path, ["a"], training=[listed]))
    assert [(case.sequence, case.images) for case in root.cases] == [
        ("ADC", ("imagesTr/adc.nii.gz",)),
        ("T2", ("imagesTr/t2.nii.gz",)),
    ]


def test_a_list_for_validation_is_kept(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a", "b"], modality=["T1"])
    said: dict[str, Any] = {"training": [item("a")], "validation": [item("b")]}
    root = found(decathlon(folder, ["a", "b"], modality=["T1"], **said))
    assert {case.patient: (case.split, case.fold) for case in root.cases} == {
        "a": ("train", None),
        "b": ("val", None),
    }


def test_folds_are_kept(tmp_path: Path) -> None:
    said: dict[str, Any] = {"training": [item("a", fold=0), item("b", fold=1), item("c")]}
    root = found(decathlon(tmp_path, ["a", "b", "c"], modality=["T1"], **said))
    assert {case.patient: (case.split, case.fold) for case in root.cases} == {
        "a": (None, 0),
        "b": (None, 1),
        "c": ("train", None),
    }


def test_without_sides_everybody_is_to_be_divided(tmp_path: Path) -> None:
    root = found(decathlon(tmp_path))
    assert {(case.split, case.fold) for case in root.cases} == {(None, None)}


def test_labels_of_testing_go_with_the_images_of_test(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a"], ["b"], ["T1"])
    save(folder / "labelsTs/b.nii.gz", labels(1))
    testing = [{"image": "imagesTs/b.nii.gz", "label": "labelsTs/b.nii.gz"}]
    root = found(decathlon(folder, ["a"], ["b"], ["T1"], testing=testing))
    assert [case.masks for case in root.cases] == [
        ("labelsTr/a.nii.gz",),
        ("labelsTs/b.nii.gz",),
    ]


def test_where_files_have_one_name_their_folders_tell_the_cases(tmp_path: Path) -> None:
    for number, name in enumerate(("x", "y")):
        save(tmp_path / f"{name}/image.nii.gz", volume(number))
        save(tmp_path / f"{name}/seg.nii.gz", labels(number))
    training = [{"image": f"{n}/image.nii.gz", "label": f"{n}/seg.nii.gz"} for n in "xy"]
    write_json(tmp_path / "dataset.json", {"training": training})
    root = found(tmp_path, patient_from_name="{patient}/{}")
    assert [case.id for case in root.cases] == ["x_image", "y_image"]
    assert "files of several cases have one name: all cases are called by their paths" in root.notes


@pytest.mark.parametrize("path", ["../a.nii.gz", "/a.nii.gz", "", 3, "a\ud800", "x/../../a.nii.gz"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: object) -> None:
    save(tmp_path / "a.nii.gz", volume(0))
    training = [item("a"), item("a", image=path)]
    root = found(decathlon(tmp_path / "set", ["a"], modality=["T1"], training=training))
    assert told(root) == [
        (
            "path-outside",
            "dataset.json",
            "no path, or one that leads out of the folder: 1 item",
        )
    ]
    assert [case.id for case in root.cases] == ["a_T1"]


def test_files_that_are_not_there_are_one_problem(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a", "b", "c"], modality=["T1"])
    (folder / "imagesTr/a.nii.gz").unlink()
    (folder / "labelsTr/b.nii.gz").unlink()
    root = found(folder)
    assert told(root) == [
        (
            "file-missing",
            "imagesTr/a.nii.gz",
            "not there, though dataset.json lists it: 2 files",
        )
    ]
    assert [case.id for case in root.cases] == ["c_T1"]


def test_training_without_a_label_is_a_problem(tmp_path: Path) -> None:
    training = [{"image": "imagesTr/a.nii.gz"}]
    root = found(decathlon(tmp_path, ["a"], modality=["T1"], training=training))
    assert [problem.code for problem in root.problems] == ["mask-missing"]
    assert root.cases == ()


def test_a_case_that_is_listed_twice_is_a_problem(tmp_path: Path) -> None:
    said: dict[str, Any] = {"training": [item("a"), item("b")], "validation": [item("b")]}
    root = found(decathlon(tmp_path, ["a", "b"], modality=["T1"], **said))
    assert [problem.code for problem in root.problems] == ["case-twice"]
    assert [case.id for case in root.cases] == ["a_T1"]


def test_channels_that_are_not_those_of_modality_are_a_problem(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a", "b"])
    save(folder / "imagesTr/a.nii.gz", volume(0, 3))
    root = found(folder)
    assert [(problem.code, problem.reason) for problem in root.problems] == [
        (
            "channel-missing",
            "the channels do not match modality in dataset.json: 1 case (a)",
        )
    ]
    assert {case.patient for case in root.cases} == {"b"}


def test_what_macos_leaves_is_passed_over(tmp_path: Path) -> None:
    training = [item("a"), item("._a")]
    root = found(decathlon(tmp_path, ["a"], modality=["T1"], training=training))
    assert (root.problems, len(root.cases)) == ((), 1)


def test_the_first_nnunet_s_form_is_told(tmp_path: Path) -> None:
    folder = decathlon(tmp_path, ["a"], modality=["T1"])
    (folder / "imagesTr/a.nii.gz").rename(folder / "imagesTr/a_0000.nii.gz")
    (problem,) = found(folder).problems
    assert "nnUNetv2_convert_old_nnUNet_dataset" in problem.remedy


def test_auto_takes_it_and_says_so(tmp_path: Path) -> None:
    root = found(decathlon(tmp_path / "Task01_X", ["a"]), layout="auto")
    assert root.notes[0] == "read as a list of the Decathlon: --layout decathlon"
    assert found(tmp_path, layout="auto").cases == root.cases


def test_nnunet_s_raw_data_is_no_list_of_the_decathlon(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a list of the Decathlon"):
        found(nnunet(tmp_path, ["a"]))


def test_what_the_list_says_of_its_origin_is_kept(tmp_path: Path) -> None:
    root = found(decathlon(tmp_path, ["a"], reference="A hospital"))
    assert [one.title for one in root.licenses] == ["CC-BY-SA 4.0"]
    assert [one.title for one in root.sources] == ["Prostate", "A hospital"]
