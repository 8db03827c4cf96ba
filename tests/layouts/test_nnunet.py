"""nnU-Net's raw data as a dataset root: cases, channels, labels, folds, and what is wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from tests.layouts.named import labels, nnunet, save, volume, write_json

EACH = "{patient}"


def found(root: Path, **fields: Any) -> Root:
    """What the layout finds; each case is another patient's unless it is said."""
    if not {"patients", "patient_from_name"} & fields.keys():
        fields["patient_from_name"] = EACH
    return find(root, LayoutParams(**({"layout": "nnunet"} | fields)))


def told(root: Root) -> list[tuple[str, str]]:
    return [(problem.code, problem.reason) for problem in root.problems]


def test_each_channel_of_a_case_is_a_sequence_with_the_case_s_labels(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path, ["a", "b"]))
    assert [(case.id, case.images, case.masks) for case in root.cases] == [
        ("a_T1", ("imagesTr/a_0000.nii.gz",), ("labelsTr/a.nii.gz",)),
        ("a_T2", ("imagesTr/a_0001.nii.gz",), ("labelsTr/a.nii.gz",)),
        ("b_T1", ("imagesTr/b_0000.nii.gz",), ("labelsTr/b.nii.gz",)),
        ("b_T2", ("imagesTr/b_0001.nii.gz",), ("labelsTr/b.nii.gz",)),
    ]
    assert all(case.rule == "volume" and len(case.beside) == 1 for case in root.cases)
    assert root.problems == ()
    assert {value: label.name for value, label in root.label_map.items()} == {
        1: "liver",
        2: "tumour",
    }


def test_images_of_ts_are_a_test_set_with_labels_or_without(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a"], ["b", "c"], ["T1"])
    save(folder / "labelsTs/c.nii.gz", labels(2))
    cases = {case.patient: (case.pool, case.masks) for case in found(folder).cases}
    assert cases == {
        "a": ("train", ("labelsTr/a.nii.gz",)),
        "b": ("test", None),
        "c": ("test", ("labelsTs/c.nii.gz",)),
    }


def test_ct_keeps_the_name_by_which_hounsfield_units_are_known(tmp_path: Path) -> None:
    (case,) = found(nnunet(tmp_path, ["a"], channels=["CT"])).cases
    assert case.id == "a_ct"


def test_the_root_may_be_the_folder_around_the_only_data_set(tmp_path: Path) -> None:
    nnunet(tmp_path / "Dataset001_One", ["a"])
    assert found(tmp_path).directory == tmp_path / "Dataset001_One"
    nnunet(tmp_path / "Dataset002_Two", ["a"])
    with pytest.raises(UsageError, match="several data sets") as error:
        found(tmp_path)
    assert "Dataset001_One, Dataset002_Two" in error.value.remedy


def test_auto_takes_it_and_says_so(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path / "Dataset001_One", ["a"]), layout="auto")
    assert root.notes[0] == "read as nnU-Net's raw data (v2): --layout nnunet"
    assert found(tmp_path, layout="auto").cases == root.cases


def test_a_list_of_the_decathlon_is_no_raw_data(tmp_path: Path) -> None:
    write_json(tmp_path / "dataset.json", {"modality": {"0": "CT"}, "training": [{"image": "a"}]})
    with pytest.raises(UsageError, match=r"its dataset\.json is not nnU-Net's raw data"):
        found(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1, "a": 2}', "[" * 10_000, "\x00", '{"a": NaN'])
def test_a_broken_json_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(UsageError, match=r"dataset\.json: it "):
        found(tmp_path)


def test_auto_names_a_broken_json_of_raw_data(tmp_path: Path) -> None:
    folder = nnunet(tmp_path / "Dataset001_One", ["a"])
    (folder / "dataset.json").write_text("{")
    with pytest.raises(UsageError, match=r"dataset\.json: it is not JSON"):
        found(folder, layout="auto")


def lose_channel(folder: Path) -> None:
    (folder / "imagesTr/a_0001.nii.gz").unlink()


def lose_labels(folder: Path) -> None:
    (folder / "labelsTr/a.nii.gz").unlink()


def lose_images(folder: Path) -> None:
    for channel in (0, 1):
        (folder / f"imagesTr/a_000{channel}.nii.gz").unlink()


def add_other(folder: Path) -> None:
    (folder / "imagesTr/a_0000.nii.gz").rename(folder / "imagesTr/a.nii.gz")
    (folder / "imagesTr/a_0001.nii.gz").rename(folder / "imagesTr/a_0001.nii")
    (folder / "labelsTr/a.nii.gz").unlink()


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (
            lose_channel,
            "channel-missing",
            "the channels do not match the 2 in dataset.json: 1 case (a) of imagesTr",
        ),
        (lose_labels, "mask-missing", "without labels: 2 files of imagesTr"),
        (lose_images, "mask-surplus", "without an image: 1 file of labelsTr"),
        (
            add_other,
            "file-strange",
            "not named CASE_0000.nii.gz or CASE.nii.gz: 2 files of imagesTr and labelsTr",
        ),
    ],
)
def test_what_is_missing_or_too_much_is_one_problem_with_a_count(
    tmp_path: Path, fault: Callable[[Path], None], code: str, reason: str
) -> None:
    folder = nnunet(tmp_path, ["a", "b"])
    fault(folder)
    root = found(folder)
    assert told(root) == [(code, reason)]
    assert [case.id for case in root.cases] == ["b_T1", "b_T2"]


def test_litter_of_the_system_counts_for_nothing(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a"])
    (folder / "imagesTr/._a_0000.nii.gz").write_bytes(b"x")
    (folder / "labelsTr/.DS_Store").write_bytes(b"x")
    assert found(folder).problems == ()


def test_a_case_for_training_and_for_testing_is_a_problem(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a", "b"])
    shutil.copytree(folder / "imagesTr", folder / "imagesTs")
    (folder / "imagesTs/b_0000.nii.gz").unlink()
    (folder / "imagesTs/b_0001.nii.gz").unlink()
    root = found(folder)
    assert told(root) == [("case-twice", "both for training and for testing: 1 case (a)")]
    assert [case.id for case in root.cases] == ["b_T1", "b_T2"]


def test_files_that_say_nothing_of_their_place_are_refused(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a"], file_ending=".png")
    with pytest.raises(UsageError, match=r"file_ending is '\.png', not that of volumes") as error:
        found(folder)
    assert ".nii.gz" in error.value.remedy


def test_a_data_set_may_list_its_files(tmp_path: Path) -> None:
    for number, channel in enumerate(("t1", "t2")):
        save(tmp_path / f"raw/x/{channel}.nii.gz", volume(number))
    save(tmp_path / "raw/x/seg.nii.gz", labels(0))
    listed = {"x": {"images": ["raw/x/t1.nii.gz", "raw/x/t2.nii.gz"], "label": "raw/x/seg.nii.gz"}}
    root = found(nnunet(tmp_path, [], dataset=listed))
    assert [(case.id, case.images) for case in root.cases] == [
        ("x_T1", ("raw/x/t1.nii.gz",)),
        ("x_T2", ("raw/x/t2.nii.gz",)),
    ]
    assert root.cases[0].masks == ("raw/x/seg.nii.gz",)


@pytest.mark.parametrize("path", ["../out.nii.gz", "/etc/passwd", "link/x.nii.gz", "a\x00b", 7])
def test_a_listed_path_that_leads_out_is_refused(tmp_path: Path, path: object) -> None:
    save(tmp_path / "out.nii.gz", labels(0))
    save(tmp_path / "elsewhere/x.nii.gz", labels(0))
    folder = nnunet(tmp_path / "set", ["b"], channels=["T1"])
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    listed = {"a": {"images": ["imagesTr/b_0000.nii.gz"], "label": path}}
    root = found(nnunet(folder, ["b"], channels=["T1"], dataset=listed))
    assert root.cases == ()
    assert [problem.code for problem in root.problems] == ["path-outside"]


def test_a_folder_that_is_a_link_out_is_not_followed(tmp_path: Path) -> None:
    folder = nnunet(tmp_path / "set", ["a"])
    shutil.move(folder / "imagesTr", tmp_path / "images")
    (folder / "imagesTr").symlink_to(tmp_path / "images")
    root = found(folder)
    assert [problem.code for problem in root.problems] == ["folder-link", "mask-surplus"]


def test_regions_and_what_is_to_be_ignored_name_no_value_and_are_told(tmp_path: Path) -> None:
    said = {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}
    root = found(nnunet(tmp_path, ["a"], labels=said))
    assert {value: label.name for value, label in root.label_map.items()} == {2: "core"}
    assert any(note.startswith("1 label of dataset.json are regions") for note in root.notes)
    assert any(note.startswith("3 stands for voxels to be ignored") for note in root.notes)


def test_labels_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dataset\.json: ") as error:
        found(nnunet(tmp_path, ["a"], labels={"background": 0, "liver": 1, "spleen": 1}))
    assert error.value.code == "labels"


def test_a_count_that_is_not_that_of_the_files_is_told(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path, ["a"], numTraining=3))
    assert "dataset.json says 3 cases for training, there are 1" in root.notes


FOLDS = [{"train": ["b", "c"], "val": ["a"]}, {"train": ["a", "c"], "val": ["b"]}]


def test_a_case_has_the_fold_in_which_it_validates(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a", "b", "c"], channels=["T1"])
    write_json(folder / "splits_final.json", FOLDS)
    sides = {case.patient: (case.split, case.fold) for case in found(folder).cases}
    assert sides == {"a": (None, 0), "b": (None, 1), "c": ("train", None)}


def test_one_split_has_sides(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["a", "b", "c"], channels=["T1"])
    write_json(folder / "splits_final.json", FOLDS[:1])
    sides = {case.patient: (case.split, case.fold) for case in found(folder).cases}
    assert sides == {"a": ("val", None), "b": ("train", None), "c": ("train", None)}


def test_without_splits_it_is_said_that_nnunet_keeps_them_elsewhere(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path, ["a"]))
    assert any("nnUNet_preprocessed" in note for note in root.notes)


@pytest.mark.parametrize(
    ("splits", "reason"),
    [
        (
            [{"train": ["b"], "val": ["a"]}],
            "in no split of splits_final.json: 1 case (c)",
        ),
        (
            [{"train": ["b", "c"], "val": ["a"]}, {"train": ["b", "c"], "val": ["a"]}],
            "for validation in several splits of splits_final.json: 1 case (a)",
        ),
        (
            [{"train": ["b", "c", "d"], "val": ["a"]}],
            "in splits_final.json, but without an image and labels: 1 case (d)",
        ),
    ],
)
def test_splits_that_are_no_folds_are_a_problem(
    tmp_path: Path, splits: object, reason: str
) -> None:
    folder = nnunet(tmp_path, ["a", "b", "c"], channels=["T1"])
    write_json(folder / "splits_final.json", splits)
    assert told(found(folder)) == [("splits-broken", reason)]
    again = found(folder, redivide=True)
    assert again.problems == ()
    assert [(case.split, case.fold) for case in again.cases] == [(None, None)] * 3


@pytest.mark.parametrize("splits", [{}, [], [{"train": 1}], [{"train": ["a", "a"], "val": []}]])
def test_splits_that_cannot_be_read_are_refused(tmp_path: Path, splits: object) -> None:
    folder = nnunet(tmp_path, ["a"])
    write_json(folder / "splits_final.json", splits)
    with pytest.raises(UsageError, match=r"splits_final\.json: "):
        found(folder)
