"""Sides and folds of a data set's own: kept, chosen among, and never mixed with others."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import UsageError
from tests.layouts.named import nnunet, write_json

CASES = ["a_1", "b_1", "b_2", "c_1", "d_1"]
BY_NAME = "{patient}_{}"
FOLDS = [
    {"train": ["b_1", "b_2", "c_1", "d_1"], "val": ["a_1"]},
    {"train": ["a_1", "c_1", "d_1"], "val": ["b_1", "b_2"]},
    {"train": ["a_1", "b_1", "b_2"], "val": ["c_1", "d_1"]},
]


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """Five cases of four patients in three folds, and a test case of a fifth."""
    folder = nnunet(tmp_path / "folds", CASES, ["e_1"], ["T1"])
    write_json(folder / "splits_final.json", FOLDS)
    return folder


def split(root: Path, **fields: Any) -> Dataset:
    out = root.parent / "out"
    given: dict[str, Any] = {"patient_from_name": BY_NAME, "jobs": 1, "overwrite": True}
    return chaosprep.split(root, out, **(given | fields))


def sides(dataset: Dataset) -> dict[str, tuple[str, int | None]]:
    return {row.patient: (row.split, row.fold) for row in dataset.slices}


def test_folds_are_kept_and_the_first_validates(folds: Path) -> None:
    assert sides(split(folds)) == {
        "a": ("val", 0),
        "b": ("train", 1),
        "c": ("train", 2),
        "d": ("train", 2),
        "e": ("test", None),
    }


def test_fold_chooses_which_of_them_validates(folds: Path) -> None:
    found = sides(split(folds, fold=2))
    assert {patient for patient, (side, _) in found.items() if side == "val"} == {"c", "d"}
    assert {patient: fold for patient, (_, fold) in found.items()} == {
        **{"a": 0, "b": 1, "c": 2, "d": 2},
        "e": None,
    }


def test_a_fold_that_is_not_there_is_refused(folds: Path) -> None:
    with pytest.raises(UsageError, match=r"own folds are 0, 1, 2 \(given: 3\)") as error:
        split(folds, fold=3)
    assert error.value.code == "fold-unknown"


def test_one_split_is_kept(folds: Path) -> None:
    write_json(folds / "splits_final.json", FOLDS[1:2])
    assert sides(split(folds)) == {
        "a": ("train", None),
        "b": ("val", None),
        "c": ("train", None),
        "d": ("train", None),
        "e": ("test", None),
    }


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        ({"folds": 2}, "folds"),
        ({"val": 0.5}, "val"),
        ({"test": 0.3}, "test"),
        ({"val_patient": ["a"]}, "val_patient"),
        ({"test_patient": ["a"]}, "test_patient"),
    ],
)
def test_what_is_divided_is_not_divided_otherwise(
    folds: Path, fields: dict[str, Any], option: str
) -> None:
    with pytest.raises(UsageError, match=rf"^{option}: the data set has sides") as error:
        split(folds, **fields)
    assert error.value.code == "official-split"
    assert "--redivide" in error.value.remedy


def test_redivide_divides_all_but_the_test_set_anew(folds: Path) -> None:
    found = sides(split(folds, redivide=True, val_patient=["d"]))
    assert found == {
        **dict.fromkeys("abc", ("train", None)),
        "d": ("val", None),
        "e": ("test", None),
    }


def test_redivide_makes_folds_of_another_number(folds: Path) -> None:
    found = sides(split(folds, redivide=True, folds=2))
    assert {fold for _, fold in found.values()} == {0, 1, None}
    assert found["e"] == ("test", None)


def test_a_patient_in_two_folds_is_a_leak(folds: Path) -> None:
    leaking = [
        {"train": ["b_1", "c_1", "d_1"], "val": ["a_1", "b_2"]},
        {"train": ["a_1", "b_2"], "val": ["b_1", "c_1", "d_1"]},
    ]
    write_json(folds / "splits_final.json", leaking)
    with pytest.raises(UsageError, match=r"1 patient \(b\) of the data set") as error:
        split(folds)
    assert error.value.code == "official-leak"
    assert "--redivide" in error.value.remedy
    assert len(sides(split(folds, redivide=True))) == 5


def test_a_patient_for_training_and_for_testing_is_a_leak(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "set", ["a_1", "b_1", "c_1"], ["a_2"], ["T1"])
    with pytest.raises(UsageError, match=r"1 patient \(a\) of the data set") as error:
        split(root, val_patient=["b"])
    assert error.value.code == "official-leak"
    found = split(root, val_patient=["b"], redivide=True)
    assert {(row.case, row.split) for row in found.slices} == {
        ("a_s1", "test"),
        ("a_s2", "test"),
        ("b_T1", "val"),
        ("c_T1", "train"),
    }


def test_without_sides_of_its_own_the_patients_are_divided(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "set", ["a_1", "a_2", "b_1", "c_1"], ["e_1"], ["T1"])
    found = sides(split(root, folds=3))
    assert sorted(fold for _, fold in found.values() if fold is not None) == [0, 1, 2]
    assert found["e"] == ("test", None)


def test_fold_without_any_folds_is_refused(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "set", ["a_1", "b_1"], [], ["T1"])
    with pytest.raises(UsageError, match="fold needs folds as well"):
        split(root, fold=1)


def test_a_channel_is_chosen_by_its_name(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "set", ["a_1", "b_1"])
    found = split(root, sequence=["T2"], val=0.5)
    assert [case.id for case in found.cases] == ["a_T2", "b_T2"]
    with pytest.raises(UsageError, match=r"sequence: there is no T3\. There are: T1, T2\."):
        split(root, sequence=["T2", "T3"], val=0.5)
