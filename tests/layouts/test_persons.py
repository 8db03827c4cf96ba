"""Headers object where one person is two folders, or two persons are one."""

import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest

from chaosprep.layouts import persons
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from chaosprep.privacy.identity import HeaderField, Identity, identity_at
from chaosprep.privacy.persons import People, telling
from chaosprep.privacy.pseudonyms import Key
from tests.layouts.trees import slice_at, write

IMAGES = "scans/{patient}/{slice}.dcm"
SECRET = b"0123456789abcdef"


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    file.chmod(0o600)
    return str(file)


def look(root: Path, **fields: Any) -> Root:
    return find(root, make_params(LayoutParams, {"images": IMAGES} | fields))


def visits(root: Path, **folders: dict[str, Any]) -> Path:
    """A folder for each, of one slice with these values in its header."""
    files = {
        f"scans/{folder}/1.dcm": slice_at(0, number, **values)
        for number, (folder, values) in enumerate(folders.items())
    }
    return write(root, files)


def said(root: Root) -> list[str]:
    return [problem.text for problem in root.problems]


def two_visits(root: Path, others: int = 1) -> Path:
    more = {f"other{number}": {"PatientID": f"TEST-1{number}"} for number in range(others)}
    same = {"PatientID": "TEST-0042"}
    return visits(root, visitA=same, visitB=same, **more)


def test_one_person_in_two_folders_is_named_by_them_with_what_to_do(tmp_path: Path) -> None:
    root = look(two_visits(tmp_path))
    assert said(root) == [
        "visitA: scans/visitA and scans/visitB are one person: the headers have the same "
        "PatientID. Take the patients from the headers (--patient-from PatientID --pseudonymize "
        "KEYFILE, with {sequence} for the folder of an examination in --images and --masks), keep "
        "one of them, or accept the folders as they are: --trust-folders."
    ]
    assert [case.id for case in root.cases if case.refused] == ["visitA_series", "visitB_series"]


def test_of_many_folders_three_are_named(tmp_path: Path) -> None:
    same = {f"v{number}": {"PatientID": "TEST-0042"} for number in range(5)}
    (text,) = said(look(visits(tmp_path, **same, other={"PatientID": "7"})))
    assert "scans/v0, scans/v1, scans/v2 and 2 more are one person" in text


def test_the_remedy_of_headers_is_one_that_works(tmp_path: Path, key: str) -> None:
    root = look(
        two_visits(tmp_path),
        images="scans/{sequence}/{slice}.dcm",
        patient_from="PatientID",
        pseudonymize=key,
    )
    assert root.problems == ()
    assert len(root.cases) == 3
    assert root.patients == tuple(sorted(map(Key(SECRET).patient, ("test-0042", "test-10"))))


def test_headers_that_some_lack_are_no_remedy(tmp_path: Path) -> None:
    same = {"PatientID": "TEST-0042"}
    (text,) = said(look(visits(tmp_path, a=same, b=same, c={"PatientID": ""})))
    assert "--patient-from" not in text
    assert text.endswith("Keep one of them, or accept the folders as they are: --trust-folders.")


def test_how_many_are_one_person_does_not_square_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All patients are gone through for all remedies together, not for each."""
    calls: list[str] = []

    def count(people: People, keyword: HeaderField) -> dict[str, set[str]]:
        calls.append(keyword)
        return telling(people, keyword)

    monkeypatch.setattr(persons, "telling", count)
    folders = {
        f"{person}{visit}": {"PatientID": f"{person}7"} for person in "abcd" for visit in "12"
    }
    assert len(look(visits(tmp_path, **folders)).problems) == 4
    assert len(calls) == 2


def test_with_a_key_no_folder_is_named(tmp_path: Path, key: str) -> None:
    root = look(two_visits(tmp_path), pseudonymize=key)
    (text,) = said(root)
    assert "visit" not in text
    assert "TEST" not in text
    for folder in ("visitA", "visitB"):
        assert Key(SECRET).patient(folder) in text


def test_no_value_of_a_header_is_said(tmp_path: Path) -> None:
    same = {"PatientName": "Secret^Name", "PatientBirthDate": "19700102", "PatientID": ""}
    (text,) = said(look(visits(tmp_path, a=same, b=same, c={})))
    assert "PatientName and PatientBirthDate" in text
    assert "Secret" not in text
    assert "1970" not in text


def test_folders_can_be_trusted(tmp_path: Path) -> None:
    root = look(two_visits(tmp_path), trust_folders=True)
    assert root.problems == ()
    assert not any(case.refused for case in root.cases)


def test_one_of_the_folders_alone_is_fine(tmp_path: Path) -> None:
    two_visits(tmp_path, others=3)
    for wanted in ("visitA", "other1"):
        assert look(tmp_path, patient=(wanted,)).problems == ()
    assert len(look(tmp_path, patient=("visitA", "visitB")).problems) == 1


def test_patients_from_another_header_are_asked_too(tmp_path: Path, key: str) -> None:
    """A name that changed: PatientName makes two patients of what PatientID says is one."""
    root = visits(
        tmp_path,
        a={"PatientID": "17", "PatientName": "Doe^Jane"},
        b={"PatientID": "17", "PatientName": "Roe^Jane"},
        c={"PatientID": "18", "PatientName": "Poe^Paul"},
    )
    found = look(root, images="scans", patient_from="PatientName", pseudonymize=key)
    assert [problem.code for problem in found.problems] == ["person-twice"]


@pytest.mark.parametrize("blank", [(0,), (0, 1, 2), (0, 3), (3, 6)])
def test_some_images_may_not_tell_whose_they_are(tmp_path: Path, blank: tuple[int, ...]) -> None:
    files = {
        f"scans/{folder}/{place}.dcm": slice_at(
            place, number, PatientID="" if place in blank else id, PatientName="ANON"
        )
        for number, (folder, id) in enumerate((("a", "17"), ("b", "17"), ("c", "18")))
        for place in range(7)
    }
    assert [problem.code for problem in look(write(tmp_path, files)).problems] == ["person-twice"]


def test_where_no_image_tells_few_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def count(root: Path, path: str) -> Identity:
        asked.append(path)
        return identity_at(root, path)

    monkeypatch.setattr(persons, "identity_at", count)
    files = {
        f"scans/a/{place:02d}.dcm": slice_at(place, PatientID="", PatientName="")
        for place in range(30)
    }
    assert look(write(tmp_path, files)).problems == ()
    assert asked == [f"scans/a/{place}.dcm" for place in ("00", "15", "29")]


def test_the_first_file_may_be_no_image(tmp_path: Path) -> None:
    two_visits(tmp_path)
    for folder in ("visitA", "visitB"):
        (tmp_path / "scans" / folder / "0.dcm").write_bytes(b"?")
    assert len(look(tmp_path).problems) == 1


def test_a_link_out_of_the_root_is_not_asked(tmp_path: Path) -> None:
    root = two_visits(tmp_path / "root")
    (tmp_path / "away.dcm").write_bytes((root / "scans/visitA/1.dcm").read_bytes())
    (root / "scans/visitA/1.dcm").unlink()
    (root / "scans/visitA/1.dcm").symlink_to(tmp_path / "away.dcm")
    assert look(root).problems == ()


# CHAOS's own layout


@pytest.fixture
def chaos(tmp_path: Path) -> Path:
    patients = [
        Patient(id=id, sequences=("t1-in", "t2-spir"), slices=2, matrix=16) for id in (1, 2)
    ]
    return write_chaos(tmp_path / "chaos", patients)


def rename(folder: Path, **values: str) -> None:
    for path in folder.rglob("*.dcm"):
        header = pydicom.dcmread(path)
        for keyword, value in values.items():
            setattr(header, keyword, value)
        header.save_as(path)


def test_patients_of_chaos_are_asked_as_well(chaos: Path) -> None:
    rename(chaos / "Train_Sets/MR", PatientName="CHAOS^MR_SET_1")
    (text,) = said(find(chaos, LayoutParams()))
    assert text == (
        "MR001: Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase and "
        "Train_Sets/MR/2/T1DUAL/DICOM_anon/InPhase are one person: the headers have the same "
        "PatientName. Keep one of them, or accept the folders as they are: --trust-folders."
    )


def test_series_that_are_not_wanted_leave_no_problem(chaos: Path) -> None:
    rename(chaos / "Train_Sets/MR/1/T2SPIR", PatientID="17")
    rename(chaos / "Train_Sets/MR/2/T2SPIR", PatientID="17")
    assert len(find(chaos, LayoutParams(), sequences=("t2-spir",)).problems) == 1
    shutil.rmtree(chaos / "Train_Sets/MR/2/T1DUAL")
    assert find(chaos, LayoutParams(), sequences=()).problems == ()


def test_two_people_in_one_patient_are_told(chaos: Path) -> None:
    rename(chaos / "Train_Sets/MR/1/T1DUAL", PatientID="17")
    rename(chaos / "Train_Sets/MR/1/T2SPIR", PatientID="18")
    root = find(chaos, LayoutParams())
    assert said(root) == [
        "MR001: its series are of different people: their PatientIDs differ. Give each person a "
        "folder, or accept the folders as they are: --trust-folders."
    ]
    assert {case.patient for case in root.cases if case.refused} == {"MR001"}


def test_two_people_of_one_name_are_told_apart_by_their_ids(tmp_path: Path, key: str) -> None:
    root = visits(
        tmp_path,
        a={"PatientID": "17", "PatientName": "Doe^Jane"},
        b={"PatientID": "18", "PatientName": "Doe^Jane"},
        c={"PatientID": "19", "PatientName": "Roe^Rick"},
    )
    where = {"images": "scans/{sequence}/{slice}.dcm", "pseudonymize": key}
    (text,) = said(look(root, patient_from="PatientName", **where))
    assert text == (
        f"{Key(SECRET).patient('doe^jane')}: its series are of different people: their PatientIDs "
        "differ. Take the patients from PatientID (--patient-from PatientID), or accept the "
        "folders as they are: --trust-folders."
    )
    assert look(root, patient_from="PatientID", **where).problems == ()


# What must stay accepted


@pytest.mark.parametrize("id", ["", "ANONYMOUS", "000"])
@pytest.mark.parametrize("count", [2, 4])
def test_placeholders_for_all_are_accepted_with_a_note(tmp_path: Path, id: str, count: int) -> None:
    both = {"PatientID": id, "PatientName": id}
    root = look(visits(tmp_path, **{f"p{number}": both for number in range(count)}))
    assert root.problems == ()
    assert root.notes == (
        f"in {count} of {count} patients neither PatientID nor PatientName identifies the person "
        "(empty, a placeholder, or the same in all): folders are taken for different people",
    )


def test_a_second_visit_in_a_patients_folder_is_accepted(tmp_path: Path) -> None:
    files = {
        f"scans/{person}/{visit}/1.dcm": slice_at(
            0,
            number,
            PatientID=f"A{person}",
            StudyInstanceUID=f"1.2.{number}",
            FrameOfReferenceUID=f"1.3.{number}",
        )
        for person in (7, 8)
        for visit, number in (("before", person), ("after", person + 10))
    }
    root = look(write(tmp_path, files), images="scans/{patient}/{sequence}/{slice}.dcm")
    assert (root.problems, root.notes) == ((), ())
    assert len(root.cases) == 4


def test_one_series_uid_for_all_is_accepted(tmp_path: Path) -> None:
    same = {
        "PatientID": "",
        "PatientName": "",
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": "1.3",
    }
    assert look(visits(tmp_path, a=same, b=same)).problems == ()


def test_one_name_in_two_character_sets_is_one_person(tmp_path: Path) -> None:
    root = visits(
        tmp_path,
        a={"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Zoë"},
        b={"SpecificCharacterSet": "ISO_IR 192", "PatientName": "MU\u0308LLER^Zoe\u0308^^"},
        c={"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Möller^Zoë"},
    )
    (text,) = said(look(root))
    assert "scans/a and scans/b are one person" in text
