"""Files that tell a split: each form is read as its users write it, and what is none is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chaosprep import Dataset
from chaosprep.division.files.table import fingerprint, read_split
from chaosprep.division.sides import Sides
from chaosprep.errors import ChaosprepError, ManifestError, UsageError

SPLIT = {"a": ("train", 1), "b": ("val", 0), "c": ("test", None)}
FOLDS = [
    {"train": ["b", "c"], "val": ["a"]},
    {"train": ["a", "c"], "val": ["b"]},
    {"train": ["a", "b"], "val": ["c"]},
]


def read(file: Path, text: str | bytes, fold: int | None = None) -> Sides:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dict(read_split(file, "--split-file", fold).sides)


def write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value))


def read_json(folder: Path, value: object, fold: int | None = None) -> Sides:
    return read(folder / "split.json", json.dumps(value), fold)


def refused(file: Path, text: str | bytes, fold: int | None = None) -> UsageError:
    with pytest.raises(UsageError) as error:
        read(file, text, fold)
    return error.value


# Tables


@pytest.mark.parametrize(
    "text",
    [
        "patient,side,fold\na,train,1\nb,val,0\nc,test,\n",
        "\ufeffPatient;Split;Fold\r\na;Training;1\r\nb;valid;0\r\nc;TESTING;\r\n",
        "fold\tset\tcase_id\tage\n1\ttr\ta\t61\n0\tvalidation\tb\t\n-1\ttest\tc\t7\n",
        "id, side, fold\n\n a , train , 1.0 \nb,val,0.0\nc,test,nan\n",
        'patient,side,fold\n"a",train,1\na,train,1\nb,val,0\nc,test,\n',
        "a,train,1\nb,val,0\nc,test,\n",
        "PatientID,Set,Fold\na,train,1\nb,val,0\nc,test,\n",
    ],
    ids=["own", "excel", "tabs", "pandas", "a name twice", "no heading", "keyword"],
)
def test_tables_are_read_as_people_write_them(tmp_path: Path, text: str) -> None:
    assert read(tmp_path / "split.csv", text) == SPLIT


def test_of_folds_alone_the_first_validates_or_the_chosen(tmp_path: Path) -> None:
    table = "patient,fold\na,0\nb,2\nc,3\n"
    first = {"a": ("val", 0), "b": ("train", 2), "c": ("train", 3)}
    assert read(tmp_path / "folds.csv", table) == first
    chosen = {"a": ("train", 0), "b": ("train", 2), "c": ("val", 3)}
    assert read(tmp_path / "folds.csv", table, fold=3) == chosen


def test_a_chosen_fold_goes_before_the_sides(tmp_path: Path) -> None:
    table = "patient,side,fold\na,train,1\nb,val,0\nc,test,\nd,train,\n"
    expected = {"a": ("val", 1), "b": ("train", 0), "c": ("test", None), "d": ("train", None)}
    assert read(tmp_path / "folds.csv", table, fold=1) == expected


# JSON


@pytest.mark.parametrize(
    "value",
    [
        [
            {"patient": "a", "side": "train", "fold": 1},
            {"patient": "b", "side": "val", "fold": 0},
            {"patient": "c", "side": "test", "fold": None},
        ],
        {
            "a": {"side": "train", "fold": 1},
            "b": {"split": "val", "fold": "0"},
            "c": {"Set": "Test"},
        },
    ],
    ids=["records", "by name"],
)
def test_json_is_read_in_both_forms(tmp_path: Path, value: object) -> None:
    assert read_json(tmp_path, value) == SPLIT


@pytest.mark.parametrize(
    "value",
    [
        {"a": "train", "b": "val", "c": "test"},
        {"train": ["a"], "val": ["b"], "test": ["c"]},
        {"training": [{"name": "a"}], "validation": [{"id": "b"}], "testing": [{"case": "c"}]},
        [{"case": "a", "set": "TR"}, {"case": "b", "set": "Val"}, {"case": "c", "set": "ts"}],
    ],
    ids=["words", "lists", "lists of records", "cases"],
)
def test_sides_alone_are_enough(tmp_path: Path, value: object) -> None:
    expected = {"a": ("train", None), "b": ("val", None), "c": ("test", None)}
    assert read_json(tmp_path, value) == expected


@pytest.mark.parametrize("form", ["csv", "json"])
def test_folds_that_count_from_1_are_counted_from_0(tmp_path: Path, form: str) -> None:
    told = {"a": 1, "b": 2, "c": 3}
    lines = "".join(f"{name},{fold}\n" for name, fold in told.items())
    text = f"patient,fold\n{lines}" if form == "csv" else json.dumps(told)
    file = tmp_path / f"split.{form}"
    assert read(file, text) == {"a": ("val", 0), "b": ("train", 1), "c": ("train", 2)}
    assert read(file, text, fold=2)["c"] == ("val", 2)
    assert read_split(file, "--like", None).counts_from_1
    assert "1 to 3, which are 0 to 2 here" in str(refused(file, text, fold=3))


def test_of_a_written_split_a_fold_that_lost_its_patients_stays_empty(tmp_path: Path) -> None:
    table = "patient,side,fold\na,train,1\nb,val,2\n"
    assert read(tmp_path / "folds.csv", table) == {"a": ("train", 1), "b": ("val", 2)}


# nnU-Net


def test_lists_of_validation_that_are_a_partition_are_folds(tmp_path: Path) -> None:
    assert read_json(tmp_path, FOLDS) == {"a": ("val", 0), "b": ("train", 1), "c": ("train", 2)}
    chosen = {"a": ("train", 0), "b": ("train", 1), "c": ("val", 2)}
    assert read_json(tmp_path, FOLDS, fold=2) == chosen


def test_who_trains_in_every_fold_trains(tmp_path: Path) -> None:
    folds = [{"train": [*one["train"], "z"], "val": one["val"]} for one in FOLDS]
    assert read_json(tmp_path, folds, fold=1)["z"] == ("train", None)


def test_random_splits_give_the_sides_of_the_chosen_one(tmp_path: Path) -> None:
    drawn = [
        {"train": ["a", "b"], "val": ["c"]},
        {"train": ["b", "c"], "val": ["a"]},
        {"train": ["a"], "val": ["c"]},
    ]
    first = {"a": ("train", None), "b": ("train", None), "c": ("val", None)}
    assert read_json(tmp_path, drawn) == first
    assert read_json(tmp_path, drawn, fold=2) == {"a": ("train", None), "c": ("val", None)}


def test_a_case_that_validates_again_before_all_have_is_drawn_at_random(tmp_path: Path) -> None:
    drawn = [{"train": ["b", "c"], "val": ["a"]}, {"train": ["c"], "val": ["a", "b"]}]
    expected = {"a": ("val", None), "b": ("train", None), "c": ("train", None)}
    assert read_json(tmp_path, drawn) == expected


def test_one_split_has_sides_and_no_folds(tmp_path: Path) -> None:
    expected = {"a": ("val", None), "b": ("train", None), "c": ("train", None)}
    assert read_json(tmp_path, FOLDS[:1]) == expected


@pytest.mark.parametrize("value", [FOLDS, FOLDS[:1], [*FOLDS, FOLDS[0]]])
def test_a_fold_that_is_not_there_is_refused(tmp_path: Path, value: object) -> None:
    error = refused(tmp_path / "split.json", json.dumps(value), fold=7)
    assert error.code == "fold-unknown"


def test_cases_of_imagests_beside_it_test(tmp_path: Path) -> None:
    (tmp_path / "imagesTs").mkdir()
    for name in ("d_1_0000.nii.gz", "d_1_0001.nii.gz", "._d_1_0000.nii.gz", "notes.txt"):
        (tmp_path / "imagesTs" / name).touch()
    of_folds, of_one = read_json(tmp_path, FOLDS), read_json(tmp_path, FOLDS[:1])
    assert (of_folds.pop("d_1"), of_one.pop("d_1")) == (("test", None), ("test", None))
    (tmp_path / "other").mkdir()
    assert of_folds == read_json(tmp_path / "other", FOLDS)
    assert of_one == read_json(tmp_path / "other", FOLDS[:1])


def test_a_case_of_imagests_that_trains_is_a_leak(tmp_path: Path) -> None:
    (tmp_path / "imagesTs").mkdir()
    (tmp_path / "imagesTs/a_0000.nii.gz").touch()
    assert refused(tmp_path / "split.json", json.dumps(FOLDS)).code == "split-file-leak"


def test_cases_that_are_listed_for_testing_test(tmp_path: Path) -> None:
    listed = [one | {"test": ["d"]} for one in FOLDS]
    assert read_json(tmp_path, listed)["d"] == ("test", None)
    assert read_json(tmp_path, listed[1:2])["d"] == ("test", None)


REPEATED = [*FOLDS, *({"train": one["train"], "val": one["val"]} for one in reversed(FOLDS))]


def test_folds_several_times_over_are_repeated_folds(tmp_path: Path) -> None:
    write(tmp_path / "split.json", REPEATED)
    found = read_split(tmp_path / "split.json", "--like", None)
    assert found.sides == {"a": ("val", 0), "b": ("train", 1), "c": ("train", 2)}
    assert found.folds == {"a": (0, 5), "b": (1, 4), "c": (2, 3)}
    later = read_split(tmp_path / "split.json", "--like", 4)
    assert later.sides == {"a": ("train", 5), "b": ("val", 4), "c": ("train", 3)}
    assert later.folds == found.folds


def test_tables_have_repeated_folds_too(tmp_path: Path) -> None:
    table = "patient,side,fold,folds\na,val,0,0 3\nb,train,1,1 2\nc,test,,\n"
    (tmp_path / "split.csv").write_text(table)
    found = read_split(tmp_path / "split.csv", "--like", None)
    assert found.sides == {"a": ("val", 0), "b": ("train", 1), "c": ("test", None)}
    assert found.folds == {"a": (0, 3), "b": (1, 2)}
    write(tmp_path / "split.json", {"a": {"folds": [0, 3]}, "b": {"folds": [1, 2]}, "c": "test"})
    again = read_split(tmp_path / "split.json", "--like", None)
    assert (again.sides, again.folds) == (found.sides, found.folds)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("patient,folds\na,0 2\nb,1\n", "not all patients"),
        ("patient,side,folds\na,train,0 2\nb,train,\n", "not all patients"),
        ("patient,folds\na,0 1\nb,1 0\n", "are not numbered on"),
        ("patient,fold,folds\na,7,0 2\nb,1,1 3\n", "not one of its folds"),
        ("patient,folds\na,0 x\n", "not a whole number"),
    ],
)
def test_repeated_folds_that_cannot_be_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refused(tmp_path / "split.csv", text).reason


# Lists of images


def test_the_lists_of_the_decathlon_are_read_by_what_files_are_called(tmp_path: Path) -> None:
    lists = {
        "name": "Liver",
        "numTraining": 1,
        "training": [{"image": "./imagesTr/x_1.nii.gz", "label": "./labelsTr/x_1.nii.gz"}],
        "validation": [{"image": ["./imagesTr/x_2_0000.nii.gz"], "label": "labelsTr/x_2.nii.gz"}],
        "test": ["./imagesTs/x_3.nii.gz"],
    }
    assert read_json(tmp_path, lists) == {
        "labelsTr/x_1": ("train", None),
        "labelsTr/x_2": ("val", None),
        "imagesTs/x_3": ("test", None),
    }


def test_folds_of_a_datalist_are_read(tmp_path: Path) -> None:
    lists = {
        "training": [{"image": "a.nii", "fold": 0}, {"image": "b.nii", "fold": 1}],
        "testing": [{"image": "c.nii", "fold": 0}],
    }
    expected = {"a": ("train", 0), "b": ("val", 1), "c": ("test", None)}
    assert read_json(tmp_path, lists, fold=1) == expected


# Stage directories


def test_a_stage_directory_tells_its_patients(pairs: Dataset) -> None:
    expected = {row.patient: (row.split, row.fold) for row in pairs.slices}
    for path in (pairs.directory, pairs.manifest):
        assert read_split(path, "--like", None).sides == expected


def test_a_folder_that_is_no_stage_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="not a stage directory"):
        read_split(tmp_path, "--like", None)


# What is refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no columns"),
        ("patient,age\na,7\n", "no columns"),
        ("patient,side\na,left\n", "line 2 has a side that is not train, val or test"),
        ("patient,side,fold\na,train,x\n", "line 2 has a fold that is not a whole number"),
        ("patient,fold\na,0\nb,20230101\n", "line 3 has a fold above 200000"),
        ("patient,side,fold\na,train,-2\n", "line 2 has a fold"),
        ("patient,side\n,train\n", "line 2 names no patient"),
        ("patient,side\na,\n", "line 2 gives neither a side nor a fold"),
        ("patient,side\n", "gives no patient's side"),
        ("patient,side,fold\na,train,0\nb,val,0\n", "part of fold 0 validates"),
        (b"\xff\xfep\0a\0t\0", "not a split of a known form"),
        (b"patient,side\n\xe4,train\n", "not CSV in UTF-8"),
        ('{"a": ', "not JSON"),
        ('{"a": "train", "a": "val"}', "a name twice"),
        ("[1, 2]", "not a split of a known form"),
        ("[]", "not a split of a known form"),
        ('{"channel_names": {"0": "CT"}, "numTraining": 3}', "not a split of a known form"),
        ('[{"train": ["a"], "val": [7]}]', "not a list of splits"),
        ('[{"train": ["a"], "val": ["a"]}]', "a case occurs twice in one split"),
        ('{"training": [7]}', "item 1 of the list for train has no name and no path"),
        ('[{"patient": "a", "side": 7}]', "record 1 has a side"),
        ('[{"side": "train"}]', "record 1 names no patient"),
        ('[{"patient": "a", "fold": true}]', "record 1 has a fold"),
        ('[{"patient": "a", "fold": 1e999}]', "record 1 has a fold"),
    ],
)
def test_what_is_no_split_is_refused_by_name(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    error = refused(tmp_path / "split", text)
    assert reason in error.reason
    assert error.code == "split-file"
    assert error.remedy


@pytest.mark.parametrize(
    "text",
    [
        "patient,side\na,train\na,val\n",
        "patient,fold\na,0\na,1\n",
        '{"train": ["a", "b"], "test": ["b"]}',
        '[{"patient": "a", "side": "val"}, {"patient": "a", "side": "test"}]',
    ],
)
def test_a_name_on_two_sides_or_folds_is_a_leak(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path / "split", text).code == "split-file-leak"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        f'[{{"patient": "a", "fold": {"9" * 10_000}}}]',
        f"patient,fold\na,{'9' * 10_000}\n",
        f'"{"x" * 200_000}',
        "patient,side\n" + "," * 1_000_000,
        "\ud800".encode("utf-8", "surrogatepass") + b",train",
        '{"\\ud800": "train", "\\ud800x": 7.5}',
    ],
    ids=["lists", "objects", "number", "cell number", "cell", "commas", "half a letter", "half"],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str | bytes) -> None:
    assert refused(tmp_path / "split", text).code == "split-file"


def test_who_names_no_file_is_told_what_may_be_given(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("none.csv", "pipe.csv"):
        with pytest.raises(UsageError, match="Give one of: a stage directory") as caught:
            read_split(tmp_path / name, "--like", None)
        assert caught.value.code == "split-file"


def test_what_is_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**25)
    for name in ("large", "missing"):
        with pytest.raises(UsageError) as error:
            read_split(tmp_path / name, "--split-file", None)
        assert error.value.code == "split-file"
        assert str(tmp_path / name) in error.value.reason


def test_half_a_letter_in_a_name_breaks_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "half").write_text('{"\\ud800": "train"}')
    assert len(fingerprint(tmp_path / "half", "--like")) == 8


# What is recorded


def test_a_fingerprint_tells_what_is_said_not_how(tmp_path: Path) -> None:
    def of(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return fingerprint(tmp_path / name, "--split-file")

    table = of("one.csv", "patient,side,fold\na,train,1\nb,val,0\n")
    assert of("two.csv", "fold;side;id\n0;validation;b\n1;tr;a\n") == table
    text = '{"b": {"side": "val", "fold": 0}, "a": {"side": "train", "fold": 1}}'
    assert of("a.json", text) == table
    assert of("other.csv", "patient,side,fold\na,val,1\nb,train,0\n") != table


def test_all_of_several_splits_count_in_the_fingerprint(tmp_path: Path) -> None:
    drawn: list[Any] = [{"train": ["a", "b"], "val": ["c"]}, {"train": ["a"], "val": ["c"]}]
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    files[0].write_text(json.dumps(drawn))
    files[1].write_text(json.dumps([drawn[0], {"train": ["b"], "val": ["c"]}]))
    assert len({fingerprint(file, "--like") for file in files}) == 2


def test_an_error_never_quotes_a_name(tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text("patient,side\nSecret^Name,train\nSecret^Name,val\n")
    with pytest.raises(ChaosprepError) as error:
        read_split(tmp_path / "split.csv", "--split-file", None)
    assert "Secret" not in str(error.value)
