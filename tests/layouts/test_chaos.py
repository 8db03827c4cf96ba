"""CHAOS's folders: from any root, every case, and what is wrong with the folders."""

import os
import shutil
from pathlib import Path

import pytest

import chaosprep
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.layouts.chaos import LICENSES, find
from chaosprep.layouts.root import Root
from chaosprep.phantom import Patient, write_chaos
from chaosprep.series.reading import read_series

EVERYTHING = (
    Patient(id=1, slices=2, matrix=16),
    Patient(id=21, slices=2, matrix=16, sequences=("t1-in", "t1-out")),
    Patient(id=1, modality="CT", slices=2, matrix=16),
)
ALL_IDS = [
    "CT001_ct",
    "MR001_t1-in",
    "MR001_t1-out",
    "MR001_t2-spir",
    "MR021_t1-in",
    "MR021_t1-out",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_chaos(tmp_path / "CHAOS_Train_Sets", EVERYTHING)


def ids(found: Root) -> list[str]:
    assert found.problems == ()
    return [case.id for case in found.cases]


def codes(found: Root) -> list[tuple[str, str, str | None]]:
    return [(problem.code, problem.id, problem.file) for problem in found.problems]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (".", ALL_IDS),
        ("CHAOS_Train_Sets", ALL_IDS),
        ("CHAOS_Train_Sets/Train_Sets", ALL_IDS),
        ("CHAOS_Train_Sets/Train_Sets/MR", ALL_IDS[1:]),
        ("CHAOS_Train_Sets/Train_Sets/CT", ALL_IDS[:1]),
        ("CHAOS_Train_Sets/Train_Sets/MR/21", ALL_IDS[4:]),
        ("CHAOS_Train_Sets/Train_Sets/CT/1", ALL_IDS[:1]),
    ],
)
def test_any_of_the_roots_will_do(home: Path, root: str, expected: list[str]) -> None:
    found = find(home.parent / root)
    assert ids(found) == expected
    assert {case.pool for case in found.cases} == {"train"}
    assert all(read_series(case).problems == () for case in found.cases)


def test_a_relative_root_knows_its_patient(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "Train_Sets" / "MR" / "1")
    assert find(".").patients == ("MR001",)


def test_mr_1_and_ct_1_are_two_patients(home: Path) -> None:
    assert find(home).patients == ("CT001", "MR001", "MR021")


def test_both_phases_share_the_masks_of_the_in_phase(home: Path) -> None:
    cases = {case.id: case for case in find(home).cases}
    inside, outside = (read_series(cases[f"MR001_t1-{phase}"]) for phase in ("in", "out"))
    assert [found.mask for found in inside.slices] == [found.mask for found in outside.slices]
    assert [Path(found.image).stem[-5:] for found in inside.slices] == ["00002", "00004"]
    assert [Path(found.image).stem[-5:] for found in outside.slices] == ["00001", "00003"]


def test_a_test_set_is_test_and_has_no_masks(home: Path) -> None:
    write_chaos(home, [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    tests = [case for case in find(home).cases if case.patient == "MR004"]
    assert [(case.pool, case.masks) for case in tests] == [("test", None)] * 3


def test_a_test_set_with_masks_is_test_with_masks(home: Path) -> None:
    (home / "Train_Sets").rename(home / "Test_Sets")
    cases = find(home).cases
    assert {case.pool for case in cases} == {"test"}
    assert all(case.masks for case in cases)


@pytest.mark.parametrize("root", ["Test_Sets", "Test_Sets/MR", "Test_Sets/MR/4"])
def test_a_test_set_is_known_from_inside(tmp_path: Path, root: str) -> None:
    write_chaos(tmp_path, [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    assert {case.pool for case in find(tmp_path / root).cases} == {"test"}


def test_a_training_series_without_its_masks_is_a_problem_of_each_phase(home: Path) -> None:
    shutil.rmtree(home / "Train_Sets/MR/21/T1DUAL/Ground")
    where = "Train_Sets/MR/21/T1DUAL/Ground"
    assert codes(find(home)) == [
        ("ground-missing", "MR021_t1-in", where),
        ("ground-missing", "MR021_t1-out", where),
    ]


def test_an_empty_series_is_a_problem_even_with_litter_in_it(home: Path) -> None:
    folder = home / "Train_Sets/MR/21/T1DUAL/DICOM_anon/InPhase"
    for file in folder.iterdir():
        file.unlink()
    (folder / ".DS_Store").write_bytes(b"?")
    where = folder.relative_to(home).as_posix()
    assert codes(find(home)) == [("series-empty", "MR021_t1-in", where)]


def test_a_patient_without_any_series_is_a_problem(home: Path) -> None:
    shutil.rmtree(home / "Train_Sets/MR/21/T1DUAL/DICOM_anon")
    assert codes(find(home)) == [("series-empty", "MR021", "Train_Sets/MR/21")]


def test_two_folders_of_one_patient_are_problems_and_neither_is_taken(home: Path) -> None:
    shutil.copytree(home / "Train_Sets/MR/21", home / "Train_Sets/MR/021")
    found = find(home)
    assert codes(found) == [
        ("patient-twice", "MR021", "Train_Sets/MR/021"),
        ("patient-twice", "MR021", "Train_Sets/MR/21"),
    ]
    assert found.patients == ("CT001", "MR001")


def test_a_patient_in_both_sets_is_a_problem_even_with_different_series(home: Path) -> None:
    """Else one person could stand on both sides of the split."""
    one = [Patient(id=21, slices=2, matrix=16, sequences=("t2-spir",))]
    write_chaos(home, one, sets="Test_Sets")
    found = find(home)
    assert {code for code, _, _ in codes(found)} == {"patient-twice"}
    assert "MR021" not in found.patients


def test_a_patient_that_is_not_a_number_is_a_problem(home: Path) -> None:
    (home / "Train_Sets/MR/21").rename(home / "Train_Sets/MR/anna")
    found = find(home)
    assert codes(found) == [("patient-name", "MR", "Train_Sets/MR/anna")]
    assert found.patients == ("CT001", "MR001")


def test_a_folder_that_is_a_link_out_of_the_root_is_a_problem(home: Path, tmp_path: Path) -> None:
    (home / "Train_Sets/MR/21").rename(tmp_path / "elsewhere")
    (home / "Train_Sets/MR/21").symlink_to(tmp_path / "elsewhere")
    found = find(home)
    assert codes(found) == [("folder-link", "CHAOS", "Train_Sets/MR/21")]
    assert found.patients == ("CT001", "MR001")
    assert found.only(("t1-in",)).problems == found.problems


def test_a_folder_that_is_a_link_within_the_root_is_there_already(home: Path) -> None:
    (home / "latest").symlink_to("Train_Sets")
    (home / "CHAOS_Train_Sets").symlink_to("Train_Sets")
    (home / "Train_Sets" / "loop").symlink_to("..")
    assert ids(find(home)) == ALL_IDS


def test_series_behind_a_link_out_of_the_root_are_refused_file_by_file(
    home: Path, tmp_path: Path
) -> None:
    (home / "Train_Sets/MR/21/T1DUAL").rename(tmp_path / "elsewhere")
    (home / "Train_Sets/MR/21/T1DUAL").symlink_to(tmp_path / "elsewhere")
    (case,) = (case for case in find(home).cases if case.id == "MR021_t1-in")
    series = read_series(case)
    assert {problem.code for problem in series.problems} == {"file-link"}
    assert series.slices == ()


def test_the_second_tree_of_a_mac_zip_is_passed_over(home: Path) -> None:
    twin = home / "__MACOSX/Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
    twin.mkdir(parents=True)
    (twin / "._IMG-0005-00002.dcm").write_bytes(b"?")
    assert ids(find(home)) == ALL_IDS


@pytest.mark.parametrize("name", [b"IMG-\xff.dcm", b"IMG\n1.dcm"])
def test_a_file_name_that_no_manifest_can_hold_is_a_problem(home: Path, name: bytes) -> None:
    folder = home / "Train_Sets/MR/21/T1DUAL/DICOM_anon/InPhase"
    try:
        Path(folder, os.fsdecode(name)).write_bytes(b"?")
    except OSError:
        pytest.skip("the file system refuses such names itself")
    ((code, id, file),) = codes(find(home))
    assert (code, id) == ("name-broken", "MR021_t1-in")
    assert str(file).encode("utf-8")


def test_only_keeps_the_wanted_series_and_their_problems(home: Path) -> None:
    shutil.rmtree(home / "Train_Sets/MR/21/T1DUAL/Ground")
    found = find(home).only(("t1-in", "ct"))
    assert [case.id for case in found.cases] == ["CT001_ct", "MR001_t1-in"]
    assert [problem.id for problem in found.problems] == ["MR021_t1-in"]


def test_only_says_which_series_there_are(home: Path) -> None:
    with pytest.raises(NothingFoundError, match=r"t2-spir.*There are: ct") as caught:
        find(home / "Train_Sets/CT").only(("t2-spir",))
    assert caught.value.exit_code == 4


def test_a_root_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        find(tmp_path / "nowhere")


@pytest.mark.parametrize("inner", [".", "a/b", "Train_Sets/MR"])
def test_a_root_without_patients_finds_nothing(tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).mkdir(parents=True, exist_ok=True)
    with pytest.raises(NothingFoundError, match="Train_Sets"):
        find(tmp_path)


def test_a_stage_directory_is_told_from_a_dataset_root(home: Path, tmp_path: Path) -> None:
    made = chaosprep.split(home, tmp_path / "split", val=0.5)
    with pytest.raises(NothingFoundError, match="It is a stage directory"):
        find(made.directory)


def test_the_data_are_chaos_unless_a_descriptor_says_otherwise(home: Path) -> None:
    assert [license.name for license in find(home).licenses] == ["CC0-1.0"]
    assert [license.name for license in find(home / "Train_Sets/MR/1").licenses] == ["CC0-1.0"]
    assert [license.name for license in find(home.parent).licenses] == ["CC0-1.0"]
    (home / "datapackage.json").unlink()
    assert find(home).licenses == LICENSES
    assert "10.5281/zenodo.3362844" in str(find(home).sources)
    assert "10.1016/j.media.2020.101950" in str(find(home).sources)


def test_a_descriptor_of_something_else_further_up_is_not_ours(home: Path) -> None:
    other = home.parent.parent / "datapackage.json"
    shutil.move(home / "datapackage.json", other)
    try:
        assert find(home).licenses == LICENSES
    finally:
        other.unlink()


@pytest.mark.parametrize("text", ["", "[]", '{"licenses": 3}', '{"name": "x"}', "\xff"])
def test_a_descriptor_that_says_nothing_is_passed_over(home: Path, text: str) -> None:
    (home / "datapackage.json").write_bytes(text.encode("latin-1"))
    assert find(home).licenses == LICENSES
