"""Any tree through `split` and `prepare`: pseudonyms, what is passed over, and where nothing is."""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from chaosprep.dataset.manifest import Dataset
from chaosprep.division.params import SplitParams
from chaosprep.errors import ChaosprepError, NothingFoundError, ProblemsError, UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.headers import layout
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.privacy.key_file import NAME
from chaosprep.quality.lookup import files_of
from chaosprep.running.merge import merge
from chaosprep.running.rehearsal import rehearse
from chaosprep.stages.split import SPLIT
from tests.layouts.headers.series import Series, series
from tests.layouts.trees import write

JANE = {"PatientID": "A-17", "PatientName": "Doe^Jane", "PatientBirthDate": "19500102"}
JOHN = {"PatientID": "B-18", "PatientName": "Roe^John", "PatientBirthDate": "19610304"}


def two() -> Series:
    return {**series("DICOM/PA1/SE1", 1, JANE), **series("DICOM/PA2/SE1", 2, JOHN)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "root", two())


def split(root: Path, output: Path, **asked: Any) -> Dataset:
    """Everything on the side train."""
    return chaosprep.split(root, output, val=0, **asked)


def look(root: Path, **asked: str) -> Root:
    return find(root, make_params(LayoutParams, asked))


def fingerprint(key: Path) -> str:
    """HMAC-SHA256 of the label `chaosprep.key`, by RFC 2104."""
    return hmac.new(key.read_bytes(), b"chaosprep.key\0", hashlib.sha256).hexdigest()[:8]


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# Pseudonyms


def test_a_split_makes_a_key_beside_its_output(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out")
    key = tmp_path / NAME
    parameters = made.made.parameters
    assert parameters["pseudonymize"] == f"key {fingerprint(key)}"
    expected = hmac.new(key.read_bytes(), b"chaosprep.patient\0a-17", hashlib.sha256).hexdigest()
    assert f"P{expected[:10]}" in {case.patient for case in made.cases}
    assert not (tmp_path / "out" / NAME).exists()


def test_the_key_and_the_person_are_in_no_byte_of_the_output(root: Path, tmp_path: Path) -> None:
    split(root, tmp_path / "out")
    key = (tmp_path / NAME).read_bytes()
    for path in (tmp_path / "out").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert key not in data
        assert key.hex().encode() not in data
        if path.suffix in (".json", ".jsonl"):
            assert not any(text in data for text in (b"A-17", b"Doe", b"PA1", str(root).encode()))


def test_a_person_keeps_the_id_whoever_else_comes_in(root: Path, tmp_path: Path) -> None:
    split(root, tmp_path / "one")
    write(tmp_path / "other", series("flat", 3, JANE) | series("more", 4, {"PatientID": "C-19"}))
    split(tmp_path / "other", tmp_path / "two")
    first, second = (
        {case.patient for case in chaosprep.open(tmp_path / name).cases} for name in ("one", "two")
    )
    assert len(first & second) == 1


def test_the_same_command_goes_on_with_the_same_key(root: Path, tmp_path: Path) -> None:
    split(root, tmp_path / "out")
    before = (tmp_path / "out" / "slices.jsonl").read_bytes()
    key = (tmp_path / NAME).read_bytes()
    split(root, tmp_path / "out")
    split(root, tmp_path / "out", overwrite=True)
    assert (tmp_path / NAME).read_bytes() == key
    assert (tmp_path / "out" / "slices.jsonl").read_bytes() == before


def test_an_output_of_another_key_is_not_gone_on_with(root: Path, tmp_path: Path) -> None:
    split(root, tmp_path / "out")
    (tmp_path / NAME).write_bytes(b"k" * 32)
    with pytest.raises(ChaosprepError, match=r"other parameters .*pseudonymize 'key "):
        split(root, tmp_path / "out")


def test_prepare_makes_the_key_beside_all_that_it_makes(root: Path, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    chaosprep.prepare(root, tmp_path / "sets" / "out", val=0)
    assert (tmp_path / "sets" / NAME).is_file()
    assert not any(path.name == NAME for path in (tmp_path / "sets" / "out").rglob("*"))
    for file in (tmp_path / "sets" / "out").glob("*/datapackage.json"):
        assert fingerprint(tmp_path / "sets" / NAME) in file.read_text()


def test_a_dry_run_of_prepare_takes_the_key_that_prepare_will(root: Path, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"k" * 32)
    output, line = tmp_path / "out", ["--val", "0"]
    dry = CliRunner().invoke(main, ["prepare", str(root), "-o", str(output), "-n", *line])
    assert not output.exists()
    chaosprep.prepare(root, output, val=0)
    made = chaosprep.open(output / "split")
    assert f"train: 2 patients: {', '.join(sorted({c.patient for c in made.cases}))}" in dry.stdout


def test_a_key_that_is_given_is_taken_and_none_is_made(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"m" * 20)
    (tmp_path / "mine").chmod(0o600)
    made = split(root, tmp_path / "out", pseudonymize=str(tmp_path / "mine"))
    assert made.made.parameters["pseudonymize"] == f"key {fingerprint(tmp_path / 'mine')}"
    assert not (tmp_path / NAME).exists()


def test_a_dry_run_writes_nothing_and_takes_a_key_that_is_there(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = tree(tmp_path)
    rehearse(SPLIT, SplitParams(val=0), root, tmp_path / "out")
    assert tree(tmp_path) == before
    assert "not final" in caplog.text
    made = split(root, tmp_path / "out")
    planned = rehearse(SPLIT, SplitParams(val=0), root, tmp_path / "other").plan
    assert {case.id for case in planned.cases} == {case.id for case in made.cases}


def test_looking_writes_nothing_says_so_and_is_the_same_again(root: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    found = look(root)
    assert tree(tmp_path) == before
    assert any("not final" in note for note in found.notes)
    assert look(root).patients == found.patients


def test_shards_share_the_key_and_are_merged(root: Path, tmp_path: Path) -> None:
    parts = [tmp_path / "parts" / str(index) for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        split(root, part, shard=f"{index}/2")
    merged = merge(parts, tmp_path / "merged")
    whole = split(root, tmp_path / "parts" / "whole")
    assert (merged.directory / "slices.jsonl").read_bytes() == (
        whole.directory / "slices.jsonl"
    ).read_bytes()


def test_shards_of_two_keys_are_not_merged(root: Path, tmp_path: Path) -> None:
    parts = [tmp_path / name / "out" for name in "ab"]
    for index, part in enumerate(parts, 1):
        split(root, part, shard=f"{index}/2")
    with pytest.raises(ChaosprepError):
        merge(parts, tmp_path / "merged")


def test_an_output_in_the_root_is_refused_before_a_key_is_made(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        split(root, root / "sets" / "out")
    assert caught.value.code == "output-place"
    assert not list(root.rglob(NAME))


# What is found, and what is not


def test_auto_asks_headers_where_no_folders_of_chaos_are(root: Path, phantom: Path) -> None:
    assert len(look(root).cases) == 2
    assert "MR001" in look(phantom).patients


def test_a_name_that_would_identify_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(volumes: list[Volume], where: object) -> tuple[list[Chosen], list[object]]:
        return [Chosen(one, "t1-roe") for one in volumes], []

    monkeypatch.setattr(layout, "choose", choose)
    found = look(root)
    (problem,) = found.problems
    assert problem.code == "name-identifies"
    assert "roe" not in problem.text.casefold()
    assert [case.sequence for case in found.cases] == ["t1-roe"]  # it is no name of hers


def test_a_name_that_a_patient_had_elsewhere_identifies_too(tmp_path: Path) -> None:
    married = {**JANE, "PatientName": "Roemer^Jane", "SeriesDescription": "T1 Lindqvist"}
    married["StudyDate"] = "20200304"
    maiden = {**JANE, "PatientName": "Lindqvist^Jane", "StudyDate": "20100304"}
    found = look(write(tmp_path, {**series("a", 1, maiden), **series("b", 2, married)}))
    assert [problem.code for problem in found.problems] == ["name-identifies"]
    assert [case.sequence for case in found.cases] == ["t2-one"]
    advice = re.search(r"(\[liver\]) (name = '\*')\.", found.problems[0].remedy)
    assert advice is not None
    (tmp_path / "liver.toml").write_text("\n".join(advice.groups()))
    again = look(tmp_path, series=str(tmp_path / "liver.toml"), pick="last")
    assert [case.sequence for case in again.cases] == ["liver"]
    assert again.problems == ()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("select", "SeriesDescription=*Lindqvist*|T2*"),
        ("select", "StudyDescription!=19610304"),
        ("series", "[t2]\nSeriesDescription = ['T2*', 'B-180-77']"),
        ("patient_from_name", "DICOM/lindqvist_{patient}/{}"),
        ("masks", "DICOM/lindqvist"),
    ],
)
def test_what_a_user_wrote_may_carry_nobody_into_the_manifest(
    tmp_path: Path, option: str, text: str
) -> None:
    anna = {"PatientID": "B-180-77", "PatientName": "Lindqvist^A", "PatientBirthDate": "19610304"}
    root = write(tmp_path / "root", {**two(), **series("DICOM/PA3/SE1", 3, anna)})
    given: Any = {"select": (text,), "series": str(tmp_path / "t.toml")}.get(option, text)
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        split(root, tmp_path / "out", **{option: given})
    assert caught.value.code == "name-identifies"
    assert "lindqvist" not in str(caught.value).casefold()
    assert not (tmp_path / "out").exists()


def test_images_are_in_the_order_that_people_count_in(tmp_path: Path) -> None:
    some = series("a", 1, JANE, slices=12)
    found = look(write(tmp_path, {f"a/im{path[2:]}": data for path, data in some.items()}))
    assert found.cases[0].images == tuple(f"a/im{n}" for n in range(12))


def test_no_path_is_without_a_pseudonym(root: Path) -> None:
    for case in look(root).cases:
        assert case.aliases.keys() == set(case.images)
        assert not any("PA" in alias for alias in case.aliases.values())


def test_what_is_no_dicom_is_counted_once_and_is_no_problem(root: Path) -> None:
    write(root, {"report.pdf": b"%PDF-1.4", "DICOM/PA1/notes.txt": b"hello", "DICOMDIR": b"x"})
    found = look(root)
    assert found.problems == ()
    assert "passed over: 2 files (no DICOM)" in found.notes


def test_a_damaged_file_of_a_series_that_is_taken_is_a_problem(tmp_path: Path) -> None:
    some = series("a", 1, JANE, slices=4)
    some["a/3"] = series("a", 1, {**JANE, "Rows": None}, slices=4)["a/3"]
    write(tmp_path / "root", some)
    with pytest.raises(ProblemsError) as caught:
        split(tmp_path / "root", tmp_path / "out")
    assert len(caught.value.problems) == 1
    made = split(tmp_path / "root", tmp_path / "out", on_error="skip")
    assert sum(len(case.slices) for case in made.cases) == 3


def test_a_damaged_file_that_does_not_tell_its_series_is_a_problem_beside_what_is_taken(
    root: Path,
) -> None:
    broken = bytes(128) + b"DICM" + b"\xff" * 64
    write(root, {"DICOM/PA1/SE1/broken": broken})
    (problem,) = look(root).problems
    assert problem.code == "dicom-damaged"
    assert problem.reason.startswith("1 DICOM file next to the series taken cannot be read")
    params = make_params(LayoutParams, {})
    assert files_of(root, [problem.file or ""], params) == {problem.file: "DICOM/PA1/SE1/broken"}


def test_a_damaged_file_elsewhere_is_only_counted(root: Path) -> None:
    write(root, {"trash/broken": bytes(128) + b"DICM" + b"\xff" * 64})
    found = look(root)
    assert found.problems == ()
    assert any(note.startswith("passed over: 1 file (damaged") for note in found.notes)


@pytest.mark.parametrize("files", [{}, {"a.txt": b"hello", "b/c.png": b"\x89PNG"}])
def test_where_nothing_is_found_both_ways_out_are_said(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    with pytest.raises(NothingFoundError) as caught:
        look(write(tmp_path, files))
    assert caught.value.reason.startswith(f"{tmp_path}: no DICOM image is below it")
    assert ("(2 other files there)" in caught.value.reason) == bool(files)
    assert "Give the folder that holds the DICOM files" in caught.value.remedy
    assert "--images 'scans/{patient}/{slice}.dcm'" in caught.value.remedy


def test_a_stage_directory_is_told_what_it_is_for(root: Path, tmp_path: Path) -> None:
    split(root, tmp_path / "out")
    with pytest.raises(ChaosprepError, match="stage directory") as caught:
        split(tmp_path / "out", tmp_path / "again")
    assert "verify" in caught.value.text


def test_a_root_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        look(tmp_path / "typo")


def test_a_table_of_cases_is_refused_with_the_way_that_works(root: Path, tmp_path: Path) -> None:
    (tmp_path / "whose.csv").write_text("case,patient\n")
    with pytest.raises(UsageError, match="patient_from_name"):
        look(root, layout="headers", patients=str(tmp_path / "whose.csv"))


def test_folders_of_chaos_do_not_take_patients_from_headers(phantom: Path) -> None:
    with pytest.raises(UsageError, match="asks no headers"):
        look(phantom, patient_from="PatientName")
    assert len(look(phantom, layout="headers", patient_from="PatientName").patients) == 5


def test_links_that_would_show_the_paths_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="links would show") as error:
        split(root, tmp_path / "out", link="sym")
    assert error.value.code == "parameter"
    with pytest.raises(UsageError, match="links would show"):
        rehearse(SPLIT, SplitParams(val=0, link="sym"), root, tmp_path / "out")
