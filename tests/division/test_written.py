"""`--write-split`: who is where as a file, which reads back as the very same split."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import chaosprep
from chaosprep import ChaosprepError, Dataset
from chaosprep.cli.main import main
from chaosprep.dataset.records import SPLITS
from chaosprep.division.files.table import read_split
from chaosprep.division.sides import KnownSplit, Side, Sides
from chaosprep.division.written import split_text
from tests.stages.test_official import sides

IDS = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}", fullmatch=True)
FOLDED = st.dictionaries(IDS, st.integers(0, 12), min_size=1).flatmap(
    lambda folds: st.sampled_from(sorted(folds.values())).map(
        lambda chosen: {
            patient: ("val" if fold == chosen else "train", fold) for patient, fold in folds.items()
        }
    )
)
SIDED = st.dictionaries(IDS, st.sampled_from(SPLITS).map(lambda side: (side, None)), min_size=1)
TESTED = st.dictionaries(IDS, st.just(("test", None)))
SPLIT = st.one_of(SIDED, st.tuples(TESTED, FOLDED).map(lambda both: both[0] | both[1]))


def split(root: Path, out: Path, **fields: Any) -> Dataset:
    """With paths as they come."""
    return chaosprep.split(root, out, **fields)


def times(dataset: Dataset) -> set[tuple[str, str, int | None, object]]:
    return {(row.patient, row.split, row.fold, row.folds) for row in dataset.slices}


@settings(max_examples=50)
@given(SPLIT, st.sampled_from([".csv", ".json"]))
def test_what_is_written_reads_back_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, split: dict[str, Side], ending: str
) -> None:
    file = tmp_path_factory.getbasetemp() / f"back{ending}"
    file.write_bytes(split_text(KnownSplit(split), ending))
    assert read_split(file, "--split-file", None).sides == split


def test_other_readers_read_it_too(tmp_path: Path) -> None:
    told: Sides = {"P2": ("val", 0), "P1": ("train", 1), "P3": ("test", None)}
    rows = list(csv.DictReader(split_text(KnownSplit(told), ".csv").decode().splitlines()))
    assert rows == [
        {"patient": "P1", "side": "train", "fold": "1"},
        {"patient": "P2", "side": "val", "fold": "0"},
        {"patient": "P3", "side": "test", "fold": ""},
    ]
    assert json.loads(split_text(KnownSplit(told), ".json")) == [
        {"patient": "P1", "side": "train", "fold": 1},
        {"patient": "P2", "side": "val", "fold": 0},
        {"patient": "P3", "side": "test", "fold": None},
    ]


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_repeated_folds_are_written_and_taken_back(
    phantom: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"split{ending}"
    given: dict[str, Any] = {"folds": 2, "repeats": 3, "fold": 3, "test_patient": ("MR005",)}
    first = split(phantom, tmp_path / "first", write_split=file, **given)
    again = split(phantom, tmp_path / "again", split_file=file)
    assert times(again) == times(first)
    other = split(phantom, tmp_path / "other", split_file=file, fold=0)
    assert times(other) == times(split(phantom, tmp_path / "zero", **(given | {"fold": 0})))


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_split_writes_its_split_and_takes_it_back(
    phantom: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"split{ending}"
    first = split(phantom, tmp_path / "first", folds=2, seed=4, write_split=file)
    again = split(phantom, tmp_path / "again", split_file=file)
    assert sides(again) == sides(first)
    assert first.made.parameters["write_split"] is None


def test_a_run_that_is_done_already_writes_it(phantom: Path, tmp_path: Path) -> None:
    first = split(phantom, tmp_path / "out", folds=2)
    file = tmp_path / "split.csv"
    again = split(phantom, tmp_path / "out", folds=2, write_split=file)
    assert again.descriptor_sha256 == first.descriptor_sha256
    assert read_split(file, "", None).sides == sides(first)
    before = file.stat()
    split(phantom, tmp_path / "out", folds=2, write_split=file)
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_prepare_writes_the_split_of_its_first_stage(phantom: Path, tmp_path: Path) -> None:
    config = tmp_path / "prepare.toml"
    config.write_text(f'[split]\nfolds = 2\nwrite-split = "{tmp_path}/made/split.csv"\n')
    chaosprep.prepare(phantom, tmp_path / "made", config=config, jobs=1)
    first = chaosprep.open(tmp_path / "made" / "split")
    assert read_split(tmp_path / "made" / "split.csv", "", None).sides == sides(first)


def test_patients_that_are_left_out_are_not_in_it(phantom: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(phantom, root)
    for image in root.glob("**/MR/2/T1DUAL/DICOM_anon/InPhase/*"):
        image.write_bytes(b"broken")
    file = tmp_path / "split.csv"
    given: dict[str, Any] = {"write_split": file, "on_error": "skip"}
    made = split(root, tmp_path / "out", **given)
    assert read_split(file, "", None).sides == sides(made)
    assert "MR002" not in sides(made)
    split(root, tmp_path / "out", **given)  # is no other split


# What is refused before the work begins


def refused(root: Path, out: Path, file: Path, **fields: Any) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as error:
        split(root, out, write_split=file, **fields)
    assert not out.exists()
    return error.value


@pytest.mark.parametrize("name", ["split", "split.txt", "split.json.gz", "none/split.csv"])
def test_a_name_or_place_that_will_not_do_is_refused(
    phantom: Path, tmp_path: Path, name: str
) -> None:
    assert refused(phantom, tmp_path / "out", tmp_path / name).code == "output"


def test_no_place_in_the_input_or_in_a_stage_directory(
    phantom: Path, pairs: Dataset, tmp_path: Path
) -> None:
    for folder in (phantom, tmp_path / "out", pairs.directory, pairs.directory / "train"):
        error = refused(phantom, tmp_path / "out", folder / "split.csv")
        assert error.code == "output"
        assert not (folder / "split.csv").exists()


@pytest.mark.parametrize("text", ["mine\n", "patient,side,fold\nMR001,test,\n"])
def test_another_file_is_replaced_only_with_overwrite(
    phantom: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "split.csv"
    file.write_text(text)
    assert refused(phantom, tmp_path / "out", file).code == "output-foreign"
    assert file.read_text() == text
    made = split(phantom, tmp_path / "out", write_split=file, overwrite=True)
    assert read_split(file, "", None).sides == sides(made)


def test_what_a_killed_run_left_beside_the_file_goes(phantom: Path, tmp_path: Path) -> None:
    file = tmp_path / "made/split.csv"
    file.parent.mkdir()
    split(phantom, tmp_path / "out", write_split=file)
    (file.parent / ".split.csv.chaosprep").mkdir()
    (file.parent / ".split.csv.chaosprep/lock").touch()
    split(phantom, tmp_path / "out", write_split=file)
    assert [*file.parent.iterdir()] == [file]


def test_a_link_is_never_replaced(phantom: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine\n")
    (tmp_path / "split.csv").symlink_to(tmp_path / "mine.csv")
    error = refused(phantom, tmp_path / "out", tmp_path / "split.csv", overwrite=True)
    assert error.code == "output-foreign"
    assert (tmp_path / "mine.csv").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("split_file", "patient,side\nMR001,val\nMR002,train\nMR003,train\nMR005,train\n", "{}"),
        ("exclude", "case,verdict,note\nMR002_t1-in,fail,moved\n", "{}"),
        ("stratify", "patient,site\nMR001,a\nMR002,a\nMR003,b\nMR005,b\n", "{}:site"),
    ],
)
def test_a_file_that_the_run_reads_is_not_written(
    phantom: Path, tmp_path: Path, option: str, text: str, value: str
) -> None:
    file = tmp_path / "split.csv"
    file.write_text(text)
    given = {option: value.format(file)}
    error = refused(phantom, tmp_path / "out", file, overwrite=True, **given)
    assert "a file that the run reads" in error.reason
    assert file.read_text() == text


@pytest.mark.parametrize("option", ["like", "split_file"])
@pytest.mark.parametrize("inside", ["", "datapackage.json"])
def test_a_stage_directory_is_not_made_anew_out_of_its_own_split(
    phantom: Path, tmp_path: Path, option: str, inside: str
) -> None:
    made = split(phantom, tmp_path / "out", val=0.25)
    with pytest.raises(ChaosprepError, match="would be lost") as error:
        split(phantom, tmp_path / "out", overwrite=True, **{option: str(tmp_path / "out" / inside)})
    assert error.value.code == "output"
    assert chaosprep.open(tmp_path / "out").slices == made.slices


def test_a_shard_writes_none_and_the_merged_directory_does(phantom: Path, tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    assert "shard" in refused(phantom, tmp_path / "out", file, shard="1/2").reason
    shards = [tmp_path / f"shard-{at}" for at in (1, 2)]
    for at, out in enumerate(shards, 1):
        split(phantom, out, folds=2, shard=f"{at}/2")
    merged = chaosprep.merge(shards, tmp_path / "merged")
    again = split(phantom, tmp_path / "merged", folds=2, write_split=file)
    assert again.descriptor_sha256 == merged.descriptor_sha256
    assert read_split(file, "", None).sides == sides(merged)


def test_a_dry_run_refuses_and_writes_nothing(phantom: Path, tmp_path: Path) -> None:
    words = ["split", str(phantom), "-o", str(tmp_path / "out"), "-n", "-j", "1", "--write-split"]
    found = CliRunner().invoke(main, [*words, str(tmp_path / "split.txt")])
    assert (found.exit_code, ".csv or .json" in found.stderr) == (2, True)
    assert CliRunner().invoke(main, [*words, str(tmp_path / "split.csv")]).exit_code == 0
    assert list(tmp_path.iterdir()) == []


# Splits that our exports write


@pytest.mark.parametrize(
    ("format", "name"), [("nnunet", "splits_final.json"), ("monai", "dataset.json")]
)
def test_what_export_writes_gives_the_same_folds(
    phantom: Path, tmp_path: Path, format: str, name: str
) -> None:
    first = split(phantom, tmp_path / "first", folds=2, test_patient=("MR005",))
    labels = chaosprep.extract_liver(first, tmp_path / "labels", all_organs=True)
    made = chaosprep.export(format, labels, tmp_path / "export")
    file = next(tmp_path.glob(f"export/**/{name}"))
    told = split(phantom, tmp_path / "again", like=file, test_patient=("MR005",))
    assert sides(told) == sides(first)
    assert made.cases
