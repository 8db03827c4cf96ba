"""Whose a case is: by a pattern of its name, by a table, and never by a guess."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaosprep.errors import UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.patients import name_pattern, read_patients
from chaosprep.layouts.root import Root
from chaosprep.params import plain
from tests.layouts.named import nnunet
from tests.layouts.trees import two_trees, write


def found(root: Path, *, strict: bool = True, **fields: Any) -> Root:
    return find(root, LayoutParams(layout="nnunet", **fields), strict=strict)


def three(place: Path) -> Path:
    """Two cases of one patient, one of another."""
    return nnunet(place / "set", ["p1_a", "p1_b", "p2_a"], channels=["T1"])


def patients(root: Root) -> dict[str, str]:
    return {case.images[0][9:13]: case.patient for case in root.cases}


@pytest.mark.parametrize(
    ("pattern", "name", "patient"),
    [
        ("{patient}", "a_b-1", "a_b-1"),
        ("{patient}_{}", "a_b_c", "a_b"),
        ("{}_{patient}", "a_b_c", "b_c"),
        ("{}_{patient}_{}", "a_b_c_d", "b_c"),
        ("BRATS_{patient}", "BRATS_001", "001"),
        ("{patient}.{}", "a.b", "a"),
        ("{patient}_{}", "ab", None),
        ("{patient}_{}", "ab_", None),
        ("BRATS_{patient}", "brats_001", None),
    ],
)
def test_a_pattern_says_which_part_of_a_name_is_the_patient(
    pattern: str, name: str, patient: str | None
) -> None:
    fit = name_pattern(pattern).fullmatch(name)
    assert (fit and fit["patient"]) == patient


@pytest.mark.parametrize(
    "text", ["", "p_{}", "{patient}{}", "{patient}_{patient}", "{patient}_{slice}", "{patient}_{"]
)
def test_a_pattern_that_does_not_say_it_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="patient_from_name: ") as error:
        LayoutParams(layout="nnunet", patient_from_name=text)
    assert error.value.code == "pattern"


def test_names_alone_do_not_tell_and_both_ways_are_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        found(three(tmp_path))
    assert error.value.code == "patient-unknown"
    assert (
        error.value.reason == "it is not known which patient 3 cases (p1_a, p1_b, p2_a) belong to"
    )
    assert "--patient-from-name '{patient}_{}'" in error.value.remedy
    assert "--patients TABLE" in error.value.remedy


def test_no_pattern_is_shown_by_which_all_cases_are_one_patient_s(tmp_path: Path) -> None:
    """`liver_0`, `liver_1`, as the Decathlon calls them."""
    with pytest.raises(UsageError) as error:
        found(nnunet(tmp_path, ["liver_0", "liver_1"], channels=["T1"]))
    assert "{}" not in error.value.remedy
    assert "--patient-from-name '{patient}' where" in error.value.remedy


def test_inspect_shows_the_cases_and_tells_it_as_a_problem(tmp_path: Path) -> None:
    root = found(three(tmp_path), strict=False)
    assert [case.patient for case in root.cases] == ["p1-a", "p1-b", "p2-a"]
    assert [problem.code for problem in root.problems] == ["patient-unknown"]


def test_the_cases_of_a_patient_are_told_by_what_else_is_in_their_names(tmp_path: Path) -> None:
    root = found(three(tmp_path), patient_from_name="{patient}_{}")
    assert [case.id for case in root.cases] == ["p1_a", "p1_b", "p2_T1"]
    assert "2 patients in 3 cases, by --patient-from-name '{patient}_{}'" in root.notes


def test_with_several_channels_both_are_in_the_name(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path, ["p1_a", "p1_b"]), patient_from_name="{patient}_{}")
    assert [case.id for case in root.cases] == ["p1_a-T1", "p1_a-T2", "p1_b-T1", "p1_b-T2"]


@pytest.mark.parametrize("pattern", ["{}a" * 9 + "{patient}b", "{patient}" + "a{}" * 9 + "b"])
def test_a_pattern_of_many_fields_does_not_take_for_ever(pattern: str) -> None:
    assert name_pattern(pattern).fullmatch("a" * 255) is None


def test_a_name_that_no_file_can_have_is_shortened(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "set", ["p1_a"], channels=["T1"])
    splits = [{"train": ["p1_a", "q" * 100_000], "val": []}]
    write(root, {"splits_final.json": msgspec.json.encode(splits)})
    (problem,) = found(root, patient_from_name="{patient}_{}").problems
    assert problem.reason.startswith(
        "in splits_final.json, but without an image and labels: 1 case"
    )
    assert len(problem.reason) < 400


def test_the_cases_that_a_pattern_does_not_fit_are_named(tmp_path: Path) -> None:
    root = found(three(tmp_path), patient_from_name="{patient}_a")
    (problem,) = root.problems
    assert problem.code == "patient-unmatched"
    assert problem.reason == "the pattern does not fit 1 case (p1_b)"
    assert [case.id for case in root.cases] == ["p1_T1", "p2_T1"]


@pytest.mark.parametrize(
    "text",
    [
        "p1_a,X\np1_b,X\np2_a,Y\n",
        "case,patient\np1_a,X\np1_b,X\np2_a,Y\nothers,Z\n",
        "\ufeffPatient;age;Case\r\nX;40;p1_a\r\n\r\nX;41;p1_b\r\nY;;p2_a\r\n",
        "p1_a.nii.gz\tX\np1_b.nii.gz\tX\np2_a.nii.gz\tY",
    ],
)
def test_a_table_says_whose_each_case_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "who.csv").write_text(text, encoding="utf-8")
    root = found(three(tmp_path), patients=str(tmp_path / "who.csv"))
    assert patients(root) == {"p1_a": "X", "p1_b": "X", "p2_a": "Y"}


def test_every_case_must_be_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("p1_a,X\n")
    (problem,) = found(three(tmp_path), patients=str(tmp_path / "who.csv")).problems
    assert problem.reason == "--patients does not give the patient of 2 cases (p1_b, p2_a)"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"p1_a,X\np1_a,Y\n", "line 2 gives a case a different patient"),
        (b"case,patient\np1_a\n", "line 2 does not name"),
        (b"\xff\xfe", "not CSV in UTF-8"),
        (b'a,"' + b"x" * 200_000, "not CSV in UTF-8"),
        (None, "the file is missing"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, data: bytes | None, says: str
) -> None:
    if data is not None:
        (tmp_path / "who.csv").write_bytes(data)
    with pytest.raises(UsageError, match=says) as error:
        read_patients(tmp_path / "who.csv")
    assert error.value.code == "patients-table"


def test_a_table_beside_is_read_only_where_its_heading_says_so(tmp_path: Path) -> None:
    folder = three(tmp_path)
    (folder / "patients.csv").write_text("p1_a,X\np1_b,X\np2_a,Y\n")
    with pytest.raises(UsageError, match="it is not known which patient"):
        found(folder)
    (folder / "patients.csv").write_text("case,patient\np1_a,X\np1_b,X\np2_a,Y\n")
    assert patients(found(folder)) == {"p1_a": "X", "p1_b": "X", "p2_a": "Y"}
    root = found(folder, patient_from_name="{patient}")
    assert patients(root)["p1_a"] == "p1-a"


def test_two_patients_never_get_one_id(tmp_path: Path) -> None:
    root = found(nnunet(tmp_path, ["a_b", "a-b", "c"]), patient_from_name="{patient}")
    assert [problem.code for problem in root.problems] == ["patient-twice"]
    assert {case.patient for case in root.cases} == {"c"}


def test_with_a_key_no_name_is_in_ids_or_messages(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    (tmp_path / "key").chmod(0o600)
    folder = nnunet(
        tmp_path / "set", ["smith_1970", "smith_1980", "miller_1", "odd"], channels=["T1"]
    )
    (folder / "labelsTr/miller_1.nii.gz").unlink()
    root = found(folder, patient_from_name="{patient}_{}", pseudonymize=str(tmp_path / "key"))
    said = "".join([*(p.text for p in root.problems), *root.notes])
    said += "".join(f"{case.id}{case.patient}{[*case.aliases.values()]}" for case in root.cases)
    assert len(root.cases) == 2
    assert len({case.patient for case in root.cases}) == 1
    assert not [word for word in ("smith", "1970", "miller", "odd") if word in said.casefold()]


def test_names_with_a_uid_are_refused_without_a_key(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, ["1.2.840.113619.2.1"], channels=["T1"])
    with pytest.raises(UsageError) as error:
        found(folder, patient_from_name="{patient}")
    assert error.value.code == "name-identifies"


def test_a_layout_that_tells_the_patients_itself_takes_no_pattern(tmp_path: Path) -> None:
    write(tmp_path, two_trees())
    params = LayoutParams(images="scans/{patient}/{slice}.dcm", patient_from_name="{patient}")
    with pytest.raises(UsageError, match=r"layout=.folder., which tells the patients itself"):
        find(tmp_path, params)


def test_the_manifest_has_what_a_table_says_not_where_it_is(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text("case,patient\na,X\n")
    (tmp_path / "three.csv").write_text("case,patient\na,Y\n")
    recorded = [
        plain(LayoutParams(patients=str(tmp_path / f"{name}.csv")))["patients"]
        for name in ("one", "two", "three")
    ]
    assert recorded[0] == recorded[1] != recorded[2]
    assert recorded[0].startswith("table ")
