"""`split --check`: what the sides share is found and said, and sound data share nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from pydicom import dcmread

import chaosprep
from chaosprep.cli.main import main
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from tests.layouts.trees import nifti, slice_at, write

IMAGES = "scans/{patient}/{slice}.dcm"
PLACES = 5  # slices of a patient; the first, the middle and the last are asked by every split


def tree(place: Path, patients: Mapping[str, Mapping[str, Any]], **second: object) -> Path:
    """Patients of five constant slices with UIDs of their own; a's and b's second slice differs."""
    files = {}
    for number, (name, values) in enumerate(patients.items(), start=1):
        own = {
            "PatientID": f"A{number:03}",
            "StudyInstanceUID": f"1.2.{number}",
            "SeriesInstanceUID": f"1.2.{number}.1",
            "FrameOfReferenceUID": f"1.2.{number}.2",
        }
        for at in range(PLACES):
            sop = {"SOPInstanceUID": f"1.2.{number}.3.{at}"}
            changes = own | sop | dict(values) | (second if at == 1 and name in "ab" else {})
            files[f"scans/{name}/{at}.dcm"] = slice_at(at, number, **changes)
    return write(place / "root", files)


def split(root: Path, out: Path, **more: Any) -> chaosprep.Dataset:
    return chaosprep.split(root, out, **{"images": IMAGES, "val_patient": ("b",)} | more)


def shared(root: Path, out: Path, **more: Any) -> list[str]:
    """The reasons that a check gives, and that what was committed stays."""
    with pytest.raises(ProblemsError) as caught:
        split(root, out, check=True, **more)
    assert caught.value.code == "split-leaks"
    assert f"{out} stays as it was committed" in str(caught.value)
    assert chaosprep.open(out).patients == ("a", "b", "c", "d")
    return [problem.reason for problem in caught.value.problems]


def told(by: str) -> list[str]:
    return [f"a in train and b in val are one person: the headers have the same {by}"]


def run(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "-j", "1"])


FOUR: dict[str, dict[str, str]] = {"a": {}, "b": {}, "c": {}, "d": {}}
SAME_NAME = {"PatientName": "Roe^Ann", "PatientBirthDate": "19610203"}


def test_sound_data_share_nothing(tmp_path: Path) -> None:
    made = split(tree(tmp_path, FOUR), tmp_path / "out", check=True)
    assert made.patients == ("a", "b", "c", "d")


def test_an_image_that_no_split_asks_may_tell_the_person(tmp_path: Path) -> None:
    silent = {"PatientID": "", "PatientName": ""}
    root = tree(tmp_path, FOUR | {"a": silent, "b": silent}, PatientID="77")
    assert shared(root, tmp_path / "out") == told("PatientID")


@pytest.mark.parametrize(
    ("values", "by"),
    [
        (SAME_NAME, "PatientName and PatientBirthDate"),
        ({"StudyInstanceUID": "1.2.9"}, "StudyInstanceUID"),
        ({"SeriesInstanceUID": "1.2.9.1"}, "SeriesInstanceUID"),
        ({"SOPInstanceUID": "1.2.9.1.1"}, "SOPInstanceUID"),
    ],
)
def test_different_ids_hide_no_other_identifier(
    values: dict[str, str], by: str, tmp_path: Path
) -> None:
    root = tree(tmp_path, FOUR | {"a": values, "b": values})
    assert shared(root, tmp_path / "out") == told(by)


@pytest.mark.parametrize(
    "values",
    [
        {"FrameOfReferenceUID": "1.2.9"},  # of a scanner that kept it
        {"PatientName": "ANONYMOUS", "PatientBirthDate": "19000101"},
        {"PatientBirthDate": "19610203"},
        {"PatientName": "Roe^Ann"},
    ],
)
def test_what_different_people_have_alike_is_no_identifier(
    values: dict[str, str], tmp_path: Path
) -> None:
    split(tree(tmp_path, FOUR | {"a": values, "b": values}), tmp_path / "out", check=True)


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"]
)
def test_what_a_script_wrote_into_everybody_is_no_identifier(keyword: str, tmp_path: Path) -> None:
    root = tree(tmp_path, {name: {keyword: "1.2.9"} for name in FOUR})
    split(root, tmp_path / "out", check=True)


def test_one_person_on_one_side_is_no_leak(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR | {"a": SAME_NAME, "c": SAME_NAME})
    split(root, tmp_path / "out", check=True)


def test_every_fold_validates_some_time(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR | {"a": SAME_NAME, "b": SAME_NAME})
    (reason,) = shared(root, tmp_path / "out", folds=4, val_patient=())
    assert reason.endswith("the headers have the same PatientName and PatientBirthDate")
    folds = {row.patient: row.fold for row in chaosprep.open(tmp_path / "out").slices}
    assert reason.startswith(f"a in fold {folds['a']} and b in fold {folds['b']} are one person")


def test_people_who_were_accepted_are_counted_and_no_fault(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR | {"a": SAME_NAME, "b": SAME_NAME})
    options = ("--images", IMAGES, "--val-patient", "b", "--trust-folders", "--check")
    result = run("split", root, "-o", tmp_path / "out", *options)
    assert result.exit_code == 0
    counted = "check: 4 patients, 1 shared identifier, 0 near-duplicates across sides"
    assert counted in result.stdout.splitlines()
    assert "It was accepted with --trust-folders." in result.stderr


KINDS = ("problems", "warnings")


def doubled(place: Path, flipped: Mapping[int, bool]) -> Path:
    """Three phantom patients; these slices of the third are the first's, some of them flipped."""
    patients = [Patient(id=id, slices=6, matrix=128, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(place / "root", patients)
    first, third = (sorted(root.rglob(f"MR/{id}/T1DUAL/DICOM_anon/InPhase/*.dcm")) for id in (1, 3))
    for at, is_flipped in flipped.items():
        other, pixels = dcmread(third[at]), dcmread(first[at]).pixel_array
        other.PixelData = (pixels[:, ::-1] if is_flipped else pixels).tobytes()
        other.save_as(third[at])
    return root


def test_the_pixels_of_one_patient_in_another(tmp_path: Path) -> None:
    root = doubled(tmp_path, {1: False, 3: True})
    out = tmp_path / "out"
    result = run("split", root, "-o", out, "--val-patient", "MR003", "--check", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["status"], found["code"]) == ("error", "split-leaks")
    check = found["check"]
    numbers = ("patients", "shared_identifiers", "equal_slices", "near_duplicates", "unread")
    assert [check[name] for name in numbers] == [3, 0, 1, 1, 0]
    found = {kind: [(one["code"], one["id"]) for one in check[kind]] for kind in KINDS}
    assert found == {
        "problems": [("leakage", "MR003_t1-in_s001")],
        "warnings": [("near-duplicate", "MR003_t1-in_s003")],
    }
    verdict = chaosprep.verify(out)
    as_verify = dict(zip(KINDS, (verdict.faults, verdict.warnings), strict=True))
    assert {kind: [(one.code, one.id) for one in as_verify[kind]] for kind in KINDS} == found


def test_a_mere_likeness_is_counted_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = doubled(tmp_path, {3: True})
    result = run("split", root, "-o", tmp_path / "out", "--val-patient", "MR003", "--check")
    assert result.exit_code == 0
    line = "check: 3 patients, 0 shared identifiers, 1 near-duplicate across sides"
    assert result.stdout.splitlines()[-1] == line
    told = "Warning: MR003_t1-in_s003: val/images/MR003_t1-in_s003.dcm: in val, it looks like"
    assert told in result.stderr
    chaosprep.split(root, tmp_path / "python", val_patient=["MR003"], check=True)
    assert told in caplog.text


def test_volumes_of_other_formats_have_no_identifiers(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 900, (3, 16, 16, 4)).astype(np.int16)
    files = {
        f"i/{name}.nii": nifti(one, np.eye(4)) for name, one in zip("abc", voxels, strict=True)
    }
    root, out = write(tmp_path / "root", files), tmp_path / "out"
    line = "check: 3 patients, no identifiers to compare, {} across sides"
    for last, sign in (("c", "0 near-duplicates"), ("d", "4 near-duplicates")):
        options = ("--images", "i/{patient}.nii", "--val-patient", "a", "--check")
        result = run("split", root, "-o", out / last, *options)
        assert result.stdout.splitlines()[-1] == line.format(sign)
        (root / "i/a.nii").write_bytes(files["i/b.nii"])


def test_the_line_is_said_also_of_what_is_there_already(tmp_path: Path) -> None:
    root, out = tree(tmp_path, FOUR), tmp_path / "out"
    arguments = ("split", root, "-o", out, "--images", IMAGES, "--val-patient", "b", "--check")
    line = "check: 4 patients, 0 shared identifiers, 0 near-duplicates across sides"
    for closing in ("datapackage.json", "(already done)"):
        result = run(*arguments)
        assert result.exit_code == 0
        closed, checked = result.stdout.splitlines()
        assert closed.endswith(closing)
        assert checked == line
    assert "check" not in json.loads((out / "datapackage.json").read_text())["chaosprep"]


def test_without_another_side_there_is_nothing_to_compare(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR)
    result = run("split", root, "-o", tmp_path / "out", "--images", IMAGES, "--val", 0, "--check")
    assert result.stdout.splitlines()[-1] == (
        "check: 4 patients, all in train: nothing to compare them with"
    )


def test_a_dry_run_says_that_it_does_not_look(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR)
    result = run("split", root, "-o", tmp_path / "out", "--images", IMAGES, "--check", "-n")
    assert result.exit_code == 0
    assert "Note: --check looks at what was written, so a dry run does not do it" in result.stderr


def test_a_shard_says_that_it_looked_at_its_own_cases_alone(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR)
    arguments = ("--images", IMAGES, "--check", "--shard", "1/2")
    result = run("split", root, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 0
    assert "Note: shard 1 of 2 alone was checked; once merged" in result.stderr


def test_prepare_looks_at_the_split_when_all_is_made(tmp_path: Path) -> None:
    patients = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(tmp_path / "root", patients)
    result = run("prepare", root, "-o", tmp_path / "sound", "--val-patient", "MR003", "--check")
    assert result.exit_code == 0
    line = "check: 3 patients, 0 shared identifiers, 0 near-duplicates across sides"
    assert result.stdout.splitlines()[-1] == line
    for path in [*root.rglob("MR/1/*/DICOM_anon/InPhase/*.dcm"), *root.rglob("MR/3/*/*/InPhase/*")]:
        image = dcmread(path)
        image.StudyInstanceUID = "1.2.9"
        image.save_as(path)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.prepare(root, tmp_path / "out", val_patient=["MR003"], check=True)
    assert [problem.code for problem in caught.value.problems] == ["leakage"]
    assert chaosprep.verify(tmp_path / "out/augmented").stage == "augment"


def test_of_repeated_folds_all_times_are_compared(tmp_path: Path) -> None:
    """Also where a file tells them: a and b are together the first time alone, c and d always."""
    same = {"StudyInstanceUID": "1.2.9"}
    alike = {"StudyInstanceUID": "1.2.8"}
    root = tree(tmp_path, {"a": same, "b": same, "c": alike, "d": alike})
    table = tmp_path / "folds.csv"
    lines = ["patient,side,fold,folds", "a,val,0,0 2", "b,val,0,0 3"]
    table.write_text("\n".join([*lines, "c,train,1,1 2", "d,train,1,1 2"]))
    result = run(
        "split", root, "-o", tmp_path / "out", "--images", IMAGES, "--split-file", table, "--check"
    )
    assert result.exit_code == 1
    line = "check: 4 patients, 1 shared identifier, 0 near-duplicates across folds"
    assert result.stdout.splitlines()[-1] == line
    assert "a in fold 0+2 and b in fold 0+3 are one person" in result.stderr


def test_slices_that_cannot_be_decoded_are_told(tmp_path: Path) -> None:
    root = tree(tmp_path, FOUR)
    out = split(root, tmp_path / "out").directory
    path = next((out / "val/images").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    result = run(
        *("split", root, "-o", out, "--images", IMAGES, "--val-patient", "b", "--check"),
    )
    assert result.exit_code == 1
    line = "4 patients, 0 shared identifiers, 0 near-duplicates, 1 slice not compared across sides"
    assert result.stdout.splitlines()[-1] == f"check: {line}"
    assert f"Error: split: not all could be compared ({line})" in result.stderr


@pytest.mark.parametrize("more", [("--layout", "headers"), ("--images", IMAGES, "--pseudonymize")])
def test_pseudonyms_hide_nothing_from_it_and_it_shows_nothing(
    more: tuple[str, ...], tmp_path: Path
) -> None:
    """As people were accepted, the identifiers of the sources are compared by pseudonyms."""
    root, out = tree(tmp_path, FOUR | {"a": SAME_NAME, "b": SAME_NAME}), tmp_path / "out"
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    words = [*more, str(key)] if more[-1] == "--pseudonymize" else more
    result = run("split", root, "-o", out, *words, "--folds", 4, "--trust-folders", "--check")
    assert result.exit_code == 0, result.stderr
    line = "check: 4 patients, 1 shared identifier, 0 near-duplicates across folds"
    assert result.stdout.splitlines()[-1] == line
    assert "the headers have the same PatientName and PatientBirthDate" in result.stderr
    said = result.stdout + result.stderr
    assert not any(text in said for text in ("Roe", "A001", "1961", "1.2.1", "scans"))
    assert sum(name in said for name in chaosprep.open(out).patients) == 2


def test_workers_find_the_same(tmp_path: Path) -> None:
    root, found = doubled(tmp_path, {1: False, 2: True, 3: True}), []
    for jobs in ("1", "2"):
        arguments = ["split", str(root), "-o", str(tmp_path / jobs), "--val-patient", "MR003"]
        result = CliRunner().invoke(main, [*arguments, "--check", "--json", "-j", jobs])
        found.append(json.loads(result.stdout)["check"])
    assert found[0] == found[1]
    assert [len(found[0][kind]) for kind in KINDS] == [1, 1]  # two slices of one case
    assert (found[0]["equal_slices"], found[0]["near_duplicates"]) == (1, 2)
