"""Whether patients are persons, by what their headers say."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.privacy.persons import first_told, mixed, one_person, to_ask, untold

People = dict[str, list[dict[str, str]]]


def people(**patients: dict[str, str]) -> People:
    """Each patient with one case."""
    return {name: [identity] for name, identity in patients.items()}


def told(found: People) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(person.patients, person.by) for person in one_person(found)]


def header(id: str = "", name: str = "", birth: str = "", **uids: str) -> dict[str, str]:
    texts = {"PatientID": id, "PatientName": name, "PatientBirthDate": birth, **uids}
    return {keyword: text for keyword, text in texts.items() if text}


def uids(study: int | str, frame: int | str = "", series: int | str = "") -> dict[str, str]:
    found = {"StudyInstanceUID": study, "FrameOfReferenceUID": frame, "SeriesInstanceUID": series}
    return {keyword: f"1.2.{uid}" for keyword, uid in found.items() if uid}


# Which images of a case are asked

BLANK = {"StudyInstanceUID": "1.2"}


@pytest.mark.parametrize(
    ("count", "asked"), [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (30, [0, 15, 29])]
)
def test_the_first_the_middle_and_the_last_are_asked(count: int, asked: list[int]) -> None:
    assert to_ask(range(count)) == asked


@pytest.mark.parametrize("told", [{"PatientID": "A-17"}, {"PatientName": "Doe^Jane"}])
@pytest.mark.parametrize("blank", [{}, BLANK, BLANK | {"PatientID": "ANON", "PatientName": "0"}])
def test_what_tells_somebody_goes_before_what_does_not(
    told: dict[str, str], blank: dict[str, str]
) -> None:
    assert first_told(iter([{}, blank, told, {"PatientID": "B-18"}])) == told


def test_without_a_name_what_says_anything_counts() -> None:
    assert first_told([{}, BLANK, {"StudyInstanceUID": "1.3"}]) == BLANK
    assert first_told([{}, {}]) == first_told([]) == {}


# PatientID


@pytest.mark.parametrize("again", ["TEST-0042", "test-0042 ", "\uff34EST-0042"])
def test_one_patient_id_in_two_patients_is_one_person(again: str) -> None:
    found = people(a=header("TEST-0042"), b=header(again), c=header("TEST-1"))
    assert told(found) == [(("a", "b"), ("PatientID",))]


def test_each_person_is_told_once() -> None:
    found = people(**{f"{n}{v}": header(f"id{n}") for n in (1, 2, 3) for v in "ab"}, x=header("x1"))
    assert [person.patients for person in one_person(found)] == [
        ("1a", "1b"),
        ("2a", "2b"),
        ("3a", "3b"),
    ]


@pytest.mark.parametrize(
    "id", ["", "ANONYMOUS", "anon", "0", "000", "N/A", "XXXX", "Removed", "---"]
)
@pytest.mark.parametrize("count", [2, 5])
def test_a_placeholder_proves_nothing(id: str, count: int) -> None:
    found = people(**{f"p{number}": header(id) for number in range(count)})
    assert told(found) == []
    assert untold(found) == sorted(found)


def test_what_three_and_all_share_is_a_placeholder() -> None:
    found = people(a=header("STUDY-9"), b=header("STUDY-9"), c=header("STUDY-9"))
    assert told(found) == []
    assert told(found | people(d=header("17"))) == [(("a", "b", "c"), ("PatientID",))]


def test_two_patients_are_too_few_for_a_placeholder() -> None:
    assert told(people(a=header("STUDY-9"), b=header("STUDY-9"))) == [(("a", "b"), ("PatientID",))]


def test_different_ids_are_different_persons_whatever_else_they_share() -> None:
    same = {"name": "Li^Na", "birth": "19700102", **uids(1, 2)}
    found = people(a=header("1", **same), b=header("2", **same))
    assert told(found) == []


SPELLINGS = (str, str.upper, " {} ".format, "{}^".format)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(SPELLINGS)), min_size=1, max_size=12),
    st.sampled_from(["PatientID", "PatientName"]),
    st.randoms(use_true_random=False),
)
def test_folders_of_one_person_are_found_in_any_order(
    folders: list[tuple[int, Callable[[str], str]]], keyword: str, random: Random
) -> None:
    """An oracle that knows who is who; where all three or more are one's, it is a placeholder."""
    owners: dict[int, list[str]] = {}
    found = {}
    for number, (person, spell) in enumerate(folders):
        name = f"f{number:02d}"
        owners.setdefault(person, []).append(name)
        found[name] = [{keyword: spell(f"person {person}")}]
    order = list(found)
    random.shuffle(order)
    several = sorted(tuple(names) for names in owners.values() if len(names) > 1)
    if len(owners) == 1 and len(folders) > 2:
        several = []
    assert [one.patients for one in one_person({name: found[name] for name in order})] == several


# PatientName with PatientBirthDate


@pytest.mark.parametrize("id", ["", "ANONYMOUS"])
@pytest.mark.parametrize(
    ("names", "births", "by"),
    [
        (("Doe^Jane", "DOE^JANE^^"), ("19700102", "19700102"), "PatientName and PatientBirthDate"),
        (("Müller^A", "Mu\u0308ller^a"), ("", ""), "PatientName"),
        (("Doe^Jane", "Doe Jane"), ("19700102", ""), "PatientName"),
        (
            ("=山田^太郎", "山田^太郎"),
            ("1970.01.02", "19700102"),
            "PatientName and PatientBirthDate",
        ),
        (("Doe^Jane", "Doe^Jane"), ("19000101", "19700102"), "PatientName"),
    ],
)
def test_without_ids_names_and_birth_dates_tell(
    id: str, names: tuple[str, str], births: tuple[str, str], by: str
) -> None:
    a, b = (header(id, name, birth) for name, birth in zip(names, births, strict=True))
    assert told(people(a=a, b=b, c=header(id, "Roe^Rick"))) == [(("a", "b"), (by,))]


def test_one_name_with_two_birth_dates_is_two_persons() -> None:
    found = people(
        a=header("", "Smith^John", "19500101"),
        b=header("", "Smith^John", "19600101"),
        c=header("", "Smith^John", "19500101"),
        d=header("", "Roe^Rick", "19500101"),
    )
    assert told(found) == [(("a", "c"), ("PatientName and PatientBirthDate",))]


def test_a_name_tells_where_one_of_two_has_an_id() -> None:
    found = people(a=header("17", "Doe^Jane"), b=header("", "Doe^Jane"), c=header("", "Roe^Rick"))
    assert told(found) == [(("a", "b"), ("PatientName",))]


# UIDs


@pytest.mark.parametrize(
    ("a", "b", "by"),
    [
        (uids(1, 2, 3), uids(1, 4, 5), "StudyInstanceUID"),
        (uids(1, 2, 3), uids(4, 2, 5), "FrameOfReferenceUID"),
        (uids(1, 2, 3), uids(1, 2, 4), "StudyInstanceUID"),
        (uids(1), uids(1), "StudyInstanceUID"),
    ],
)
def test_without_names_uids_tell(a: dict[str, str], b: dict[str, str], by: str) -> None:
    other = header("ANON", "ANON", **uids(7, 8, 9))
    assert told(people(a=header(**a), b=header("0", **b), c=other)) == [(("a", "b"), (by,))]


def test_a_study_of_all_with_different_series_is_one_persons() -> None:
    found = people(**{name: header(**uids(1, 2, name)) for name in "345"})
    assert told(found) == [(("3", "4", "5"), ("StudyInstanceUID",))]


@pytest.mark.parametrize("count", [2, 4])
def test_one_series_uid_in_all_is_a_constant_and_so_are_the_others(count: int) -> None:
    found = people(**{f"p{number}": header(**uids(1, 2, 3)) for number in range(count)})
    assert told(found) == []


def test_well_known_frames_of_reference_are_nobodys() -> None:
    frame = "1.2.840.10008.1.4.1.1"  # Talairach
    found = people(**{name: header(FrameOfReferenceUID=frame, **uids(name)) for name in "12"})
    assert told(found) == []


def test_signs_of_several_kinds_make_one_person() -> None:
    found = people(
        a=header("17", "Doe^Jane"),
        b=header("17"),
        c=header("", "Doe^Jane", **uids(1)),
        d=header(**uids(1)),
        e=header("18", "Roe^Rick"),
    )
    assert told(found) == [(("a", "b", "c", "d"), ("PatientID", "PatientName", "StudyInstanceUID"))]


# Several persons in one patient


def test_a_second_visit_of_a_patient_is_the_same_person() -> None:
    visits = [header("17", **uids(1, 2, 3)), header("17", **uids(4, 5, 6))]
    found = {"a": visits, "b": [header("18")]}
    assert mixed(found) == []
    assert told(found) == []


@pytest.mark.parametrize("other", ["", "ANONYMOUS", " A-17"])
def test_a_placeholder_beside_an_id_mixes_nobody(other: str) -> None:
    assert mixed({"a": [header("a-17"), header(other)], "b": [header("18")]}) == []


def test_two_ids_in_one_patient_are_two_persons() -> None:
    assert mixed({"a": [header("17"), header("18")], "b": [header("19")]}) == ["a"]
