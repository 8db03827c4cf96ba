"""Whose each volume is: by PatientID, by the name and the birth date, by a path, or by nothing."""

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from chaosprep.errors import Problem, UsageError
from chaosprep.formats.dicom.file import DICOM
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.privacy.evidence import identity_of, whose
from chaosprep.privacy.identity import read_identity
from chaosprep.privacy.persons import several_persons
from tests.layouts.headers.series import Series, series
from tests.layouts.trees import write

JANE = {"PatientID": "A-17", "PatientName": "Doe^Jane", "PatientBirthDate": "19500102"}
JOHN = {"PatientID": "B-18", "PatientName": "Roe^John", "PatientBirthDate": "19610304"}
NOBODY = {"PatientID": "", "PatientName": "ANONYMOUS"}


def look(root: Path, *every: Series, **asked: Any) -> Root:
    for some in every:
        write(root, some)
    return find(root, make_params(LayoutParams, {"layout": "headers", **asked}))


def patients(root: Root) -> list[str]:
    """The patient of each folder, by name of the folder."""
    found = {Path(case.images[0]).parent.as_posix(): case.patient for case in root.cases}
    return [found[folder] for folder in sorted(found)]


def only(root: Root) -> Problem:
    (problem,) = root.problems
    return problem


# Who is one person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (JANE, JANE | {"PatientName": "DOE^JANE^Mary"}),
        (JANE, JANE | {"PatientID": "a-17 "}),
        (JANE, JANE | {"PatientName": "Smith^Jane"}),
        (JANE, JANE | {"PatientName": "ANONYMOUS", "PatientBirthDate": ""}),
        (
            {"PatientName": "M\xfcller", "SpecificCharacterSet": "ISO_IR 100"},
            {"PatientName": "Mu\u0308ller", "SpecificCharacterSet": "ISO_IR 192"},
        ),
        (
            {"PatientID": "", "PatientName": "Doe^Jane", "PatientBirthDate": "19500102"},
            {"PatientID": "ANON", "PatientName": "DOE JANE", "PatientBirthDate": "19500102"},
        ),
    ],
)
def test_two_examinations_of_one_person_are_one_patient(
    tmp_path: Path, one: dict[str, str], other: dict[str, str]
) -> None:
    root = look(tmp_path, series("a", 1, one), series("b", 2, other))
    assert root.problems == ()
    first, second = patients(root)
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (JANE, JOHN),
        (JANE, JANE | {"PatientID": "A-18", "PatientBirthDate": "19610304"}),
        (
            {"PatientName": "Doe^Jane", "PatientBirthDate": "19500102"},
            {"PatientName": "Doe^Jane", "PatientBirthDate": "19500103"},
        ),
    ],
)
def test_two_persons_are_two_patients(
    tmp_path: Path, one: dict[str, str], other: dict[str, str]
) -> None:
    root = look(tmp_path, series("a", 1, one), series("b", 2, other))
    assert root.problems == ()
    assert len(set(patients(root))) == 2


def test_a_patient_id_of_all_is_a_constant(tmp_path: Path) -> None:
    names = ("CASE 1", "CASE 2", "CASE 3")
    every = [
        series(str(n), n, {"PatientID": "STUDY7", "PatientName": name})
        for n, name in enumerate(names, 1)
    ]
    root = look(tmp_path, *every)
    assert root.problems == ()
    assert len(set(patients(root))) == 3


def test_one_person_with_three_examinations_is_no_constant(tmp_path: Path) -> None:
    root = look(tmp_path, *(series(str(n), n, JANE) for n in (1, 2, 3)))
    assert len(set(patients(root))) == 1


def test_what_tells_nobody_is_the_only_person_of_its_study(tmp_path: Path) -> None:
    nobody = {"PatientID": "", "PatientName": "ANON", "StudyInstanceUID": "1.2.1"}
    root = look(tmp_path, series("a", 1, JANE), series("b", 2, nobody), series("c", 3, JOHN))
    assert root.problems == ()
    jane, also, john = patients(root)
    assert jane == also != john
    assert any("StudyInstanceUID" in note and "1 volume" in note for note in root.notes)


def test_a_name_without_an_id_is_the_person_of_that_name_in_its_study(tmp_path: Path) -> None:
    half = {"PatientID": "", "StudyInstanceUID": "1.2.1"}
    root = look(
        tmp_path,
        series("a", 1, JANE),
        series("b", 2, {**JANE, **half}),
        series("c", 3, {**half, "PatientName": ""}),
    )
    assert root.problems == ()
    assert len(set(patients(root))) == 1


def test_slices_that_tell_nobody_stay_in_their_series(tmp_path: Path) -> None:
    some = series("a", 1, JANE, slices=4)
    some["a/2"] = series("a", 1, {"PatientID": "ANON", "PatientName": ""}, slices=4)["a/2"]
    (case,) = look(tmp_path, some).cases
    assert len(case.images) == 4


def test_a_study_of_two_persons_tells_nobody(tmp_path: Path) -> None:
    study = {"StudyInstanceUID": "1.2.1"}
    root = look(
        tmp_path,
        series("a", 1, JANE),
        series("b", 2, {**JOHN, **study}),
        series("c", 3, {**NOBODY, **study}),
    )
    assert [problem.code for problem in root.problems] == ["patient-missing", "person-twice"]


# What contradicts


@pytest.mark.parametrize(
    ("other", "by"),
    [
        (JANE | {"PatientID": "C-19"}, "PatientName and PatientBirthDate"),
        (JOHN | {"StudyInstanceUID": "1.2.1"}, "StudyInstanceUID"),
        (JOHN | {"FrameOfReferenceUID": "1.2.1.2"}, "FrameOfReferenceUID"),
        ({"PatientName": "Doe^Jane", "PatientBirthDate": "19500102"}, "PatientName"),
    ],
)
def test_one_person_under_two_ids_is_a_problem(
    tmp_path: Path, other: dict[str, str], by: str
) -> None:
    root = look(tmp_path, series("a", 1, JANE), series("b", 2, other))
    problem = only(root)
    assert problem.code == "person-twice"
    assert f"the headers have the same {by}" in problem.reason
    assert all(patient in problem.reason for patient in root.patients)
    assert [case.refused for case in root.cases] == [True, True]
    assert not any(text in problem.text for text in ("Doe", "A-17", "1950", "1.2."))


def test_the_ways_out_of_one_person_under_two_ids_work(tmp_path: Path) -> None:
    other = JANE | {"PatientID": "C-19"}
    root = look(tmp_path, series("a", 1, JANE), series("b", 2, other))
    assert "--patient " in only(root).remedy
    assert "--trust-folders" in only(root).remedy
    params = make_params(LayoutParams, {"layout": "headers", "patient": root.patients[:1]})
    assert find(tmp_path, params).problems == ()
    assert look(tmp_path, trust_folders=True).problems == ()


def test_what_all_share_is_no_evidence(tmp_path: Path) -> None:
    same = {"PatientName": "STUDY^SEVEN", "StudyInstanceUID": "1.2.9"}
    every = [series(str(n), n, same | {"PatientID": f"P{n:04}"}) for n in (1, 2, 3)]
    assert look(tmp_path, *every).problems == ()


@pytest.mark.parametrize(
    "other",
    [
        {"PatientName": "Roe^John", "PatientBirthDate": "19610304"},
        {"PatientName": "Roe^John", "PatientBirthDate": ""},
    ],
)
def test_two_persons_under_one_id_are_a_problem(tmp_path: Path, other: dict[str, str]) -> None:
    root = look(tmp_path, series("a", 1, JANE), series("b", 2, JANE | other))
    problem = only(root)
    assert problem.code == "patient-mixed"
    assert "--patient-from PatientName" in problem.remedy
    assert not any(text in problem.text for text in ("Doe", "Roe", "A-17", "1950"))
    apart = look(tmp_path, patient_from="PatientName")
    assert apart.problems == ()
    assert len(apart.patients) == 2


@pytest.mark.parametrize(
    ("names", "persons"),
    [
        (["Doe^Jane", "Doe^Jane^M", "DOE^JANE"], 1),
        (["Doe^Jane", "Smith^Jane"], 1),
        (["Doe^Jane", "Smith^John"], 2),
        (["CASE_1", "CASE_2", "CASE_3"], 3),
        (["CASE_1", "CASE_1_followup"], 1),
        (["Yamada^Tarou=\u5c71\u7530^\u592a\u90ce", "\u5c71\u7530^\u592a\u90ce"], 1),
        (["Doe^Jane", "ANONYMOUS"], 1),
    ],
)
def test_names_that_cannot_be_one_persons_are_told(names: list[str], persons: int) -> None:
    found = several_persons([{"PatientName": name} for name in names], most=9)
    assert len(found) == persons
    assert len(several_persons([{"PatientName": name} for name in reversed(names)], 9)) == persons


# Where nothing tells


def test_where_nothing_tells_a_person_it_is_asked(tmp_path: Path) -> None:
    root = look(
        tmp_path, series("x/a", 1, NOBODY), series("x/b", 2, NOBODY), series("x/c", 3, JANE)
    )
    problem = only(root)
    assert problem.code == "patient-missing"
    assert problem.reason.startswith("2 of 3 volumes do not say which patient they belong to")
    assert "--patient-from-name '{patient}/{}'" in problem.remedy
    assert len(root.cases) == 1


def test_paths_may_tell_the_patients(tmp_path: Path) -> None:
    every = (series("site/p1_a", 1, NOBODY), series("site/p1_b", 2, NOBODY))
    root = look(
        tmp_path,
        *every,
        series("site/p2_a/deep/er", 3, NOBODY),
        patient_from_name="{}/{patient}_{}",
    )
    assert root.problems == ()
    one, also, other = patients(root)
    assert one == also != other


def test_a_path_that_does_not_fit_is_a_problem(tmp_path: Path) -> None:
    root = look(
        tmp_path,
        series("p1_a", 1, NOBODY),
        series("other", 2, NOBODY),
        patient_from_name="{patient}_{}",
    )
    assert only(root).code == "patient-missing"
    assert "1 of 2 volumes" in only(root).reason
    assert len(root.cases) == 1


def test_headers_object_to_paths(tmp_path: Path) -> None:
    root = look(
        tmp_path,
        series("p1", 1, JANE),
        series("p2", 2, JANE),
        patient_from_name="{patient}",
    )
    assert only(root).code == "person-twice"


@pytest.mark.parametrize("pattern", ["a/b", "{patient}/{patient}", "{site}/{patient}", "{patient"])
def test_a_pattern_without_one_patient_is_a_usage_error(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="patient"):
        look(tmp_path, series("a", 1), patient_from_name=pattern)


def test_one_header_alone_may_be_asked(tmp_path: Path) -> None:
    nameless = {"PatientID": "A-18", "PatientName": ""}
    root = look(
        tmp_path,
        series("a", 1, JANE),
        series("b", 2, nameless),
        patient_from="PatientName",
    )
    assert only(root).code == "patient-missing"
    assert "PatientName is empty" in only(root).reason


# What an index keeps


CHARSETS = [
    ("ISO_IR 100", "M\xfcller^J\xf6rg"),
    ("ISO_IR 192", "M\xfcller^J\xf6rg"),
    ("", "M\xfcller"),
    ("ISO_IR 144", "\u041b\u044e\u043ac\u0435\u043c\u0431\u0443\u0440\u0433"),
    ("\\ISO 2022 IR 87", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"),
    ("GB18030", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c"),
]


@pytest.mark.parametrize(("charset", "name"), CHARSETS)
@pytest.mark.parametrize("keyword", ["PatientName", "PatientID"])
def test_evidence_says_what_the_header_says(charset: str, name: str, keyword: str) -> None:
    values = {keyword: name, "SpecificCharacterSet": charset.split("\\") or None}
    (data,) = series("a", 1, values, slices=1).values() if charset else (utf_8(keyword, name),)
    header = read_identity(data)
    evidence = identity_of(DICOM.open(data, 2**20).headers()[0].evidence)
    assert evidence[keyword] == header[keyword]
    assert whose(evidence) == whose(header) != ""


def utf_8(keyword: str, name: str) -> bytes:
    """A file whose text is UTF-8 and which does not declare it."""
    (data,) = series("a", 1, {keyword: "x" * len(name.encode())}, slices=1).values()
    return data.replace(b"x" * len(name.encode()), name.encode())


def test_the_samples_of_pydicom_are_decoded_so_too() -> None:
    from pydicom.data import get_charset_files

    for path in get_charset_files("*.dcm"):
        with dcmread(path) as said:
            raw = {
                keyword: _bytes(said, keyword).decode("latin-1").strip(" \0")
                for keyword in ("PatientName", "SpecificCharacterSet")
            }
        header = read_identity(Path(path).read_bytes())
        assert identity_of(raw).get("PatientName") == header.get("PatientName")


def _bytes(said: Dataset, keyword: str) -> bytes:
    """A value as it stands in the file; pydicom splits that of SpecificCharacterSet at once."""
    if keyword == "SpecificCharacterSet":
        values = said.get(keyword, "")
        return ("\\".join([values] if isinstance(values, str) else values)).encode()
    value = said.get_item(keyword).value if keyword in said else b""
    assert isinstance(value, bytes)
    return value
