"""One person in two patients of a stage directory, told by the headers of its images."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.division.params import SplitParams
from chaosprep.errors import ChaosprepError, ProblemsError
from chaosprep.quality.persons import Told, check_sides
from chaosprep.running.rehearsal import rehearse
from chaosprep.stages.split import SPLIT
from tests.layouts.trees import slice_at, write

IMAGES = "scans/{patient}/{slice}.dcm"


def people(root: Path, **ids: str) -> Path:
    """A folder with two slices for each patient, with these PatientIDs."""
    files = {
        f"scans/{folder}/{place}.dcm": slice_at(place, number, PatientID=id)
        for number, (folder, id) in enumerate(ids.items(), start=1)
        for place in range(2)
    }
    return write(root / "root", files)


def split(root: Path, out: Path, **more: Any) -> chaosprep.Dataset:
    return chaosprep.split(root, out, images=IMAGES, val_patient=("b",), **more)


def unsuspected(root: Path, out: Path) -> Path:
    """A stage directory whose split trusted folders, and whose manifest does not say it."""
    made = split(root, out, trust_folders=True).directory
    path = made / "datapackage.json"
    text = path.read_text()
    assert text.count('"trust_folders": true') == 1
    path.write_text(text.replace('"trust_folders": true', '"trust_folders": false'))
    return made


def test_split_refuses_or_leaves_all_folders_of_the_person_out(tmp_path: Path) -> None:
    root = people(tmp_path, a="17", b="18", c="17", d="19")
    with pytest.raises(ProblemsError) as caught:
        split(root, tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == ["person-twice"]
    made = split(root, tmp_path / "out", on_error="skip")
    assert {row.patient for row in made.slices} == {"b", "d"}
    assert [problem.code for problem in made.skipped] == ["person-twice"]
    assert chaosprep.verify(made.directory).faults == ()


def test_one_person_on_two_sides_is_leakage(tmp_path: Path) -> None:
    made = unsuspected(people(tmp_path, a="17", b="17", c="19"), tmp_path / "out")
    verdict = chaosprep.verify(made)
    assert [(fault.code, fault.id, fault.reason) for fault in verdict.faults] == [
        (
            "leakage",
            "a",
            "a in train and b in val are one person: the headers have the same PatientID",
        )
    ]
    assert [problem.code for problem in chaosprep.inspect(made).problems] == ["leakage"]


@pytest.mark.parametrize("blank", [(0,), (0, 1, 2, 3, 5, 6, 7, 8)])
def test_any_image_may_tell_who_it_is(tmp_path: Path, blank: tuple[int, ...]) -> None:
    files = {
        f"scans/{folder}/{place}.dcm": slice_at(
            place, number, PatientID="" if place in blank else id, PatientName="ANON"
        )
        for number, (folder, id) in enumerate((("a", "17"), ("b", "17"), ("c", "18")), start=1)
        for place in range(9)
    }
    made = unsuspected(write(tmp_path / "root", files), tmp_path / "out")
    assert [fault.code for fault in chaosprep.verify(made).faults] == ["leakage"]
    assert [problem.code for problem in chaosprep.inspect(made).problems] == ["leakage"]


def test_what_an_older_release_made_in_spite_of_it_is_not_already_done(tmp_path: Path) -> None:
    root = people(tmp_path, a="17", b="17", c="19")
    unsuspected(root, tmp_path / "out")
    with pytest.raises(ChaosprepError, match="are one person") as caught:
        split(root, tmp_path / "out")
    assert caught.value.code == "output-differs"
    params = SplitParams(images=IMAGES, val_patient=("b",))
    with pytest.raises(ChaosprepError, match="are one person"):
        rehearse(SPLIT, params, root, tmp_path / "out")


@pytest.mark.parametrize("shard", [None, "1/2", "2/2"])
def test_what_left_the_person_out_is_already_done(tmp_path: Path, shard: str | None) -> None:
    root, events = people(tmp_path, a="17", b="18", c="17", d="19"), list[str]()
    for _ in range(2):
        split(
            root,
            tmp_path / "out",
            on_error="skip",
            shard=shard,
            on_event=lambda event: events.append(event.kind),
        )
    assert events[-2:] == ["committed", "already-done"]


def test_one_person_on_one_side_is_a_warning(tmp_path: Path) -> None:
    made = unsuspected(people(tmp_path, a="17", b="18", c="17"), tmp_path / "out")
    verdict = chaosprep.verify(made)
    assert verdict.faults == ()
    assert [(warning.code, warning.id) for warning in verdict.warnings] == [("person-twice", "a")]


def test_what_was_accepted_is_a_warning(tmp_path: Path) -> None:
    made = split(people(tmp_path, a="17", b="17", c="19"), tmp_path / "out", trust_folders=True)
    verdict = chaosprep.verify(made.directory)
    assert verdict.faults == ()
    assert [warning.code for warning in verdict.warnings] == ["person-twice"]
    assert verdict.warnings[0].remedy == "It was accepted with --trust-folders."
    assert chaosprep.inspect(made.directory).problems == ()


@pytest.mark.parametrize(
    ("trusted", "remedy"),
    [
        (True, "It was accepted with --trust-folders."),
        (False, "Split again with each of them as one patient."),
    ],
)
def test_two_people_in_one_patient_are_a_warning(
    tmp_path: Path, trusted: bool, remedy: str
) -> None:
    told = [Told("a", "train", {"PatientID": id}) for id in ("17", "18")]
    (warning,) = check_sides(
        [*told, Told("b", "val", {"PatientID": "19"})], trusted=trusted
    ).warnings
    assert (warning.code, warning.id, warning.remedy) == ("patient-mixed", "a", remedy)


def test_some_patients_alone_tell_nothing_of_all(tmp_path: Path) -> None:
    """Of two of three the constant would look like one person's."""
    root = people(tmp_path, a="STUDY", b="STUDY", c="STUDY")
    made = split(root, tmp_path / "out")
    assert chaosprep.verify(made.directory, patients=("a", "b")).faults == ()
    assert chaosprep.verify(made.directory).faults == ()


def test_what_no_header_tells_is_a_note(tmp_path: Path) -> None:
    files = {
        f"scans/{folder}/1.dcm": slice_at(0, number, PatientID="ANONYMOUS", PatientName="")
        for number, folder in enumerate("abc", start=1)
    }
    root = write(tmp_path / "root", files)
    made = split(root, tmp_path / "out")
    note = "in 3 of 3 patients neither PatientID nor PatientName identifies the person"
    for notes in (
        chaosprep.inspect(root, images=IMAGES).notes,
        chaosprep.inspect(made.directory).notes,
        chaosprep.verify(made.directory).notes,
    ):
        said, few = notes
        assert said.startswith(note)
        assert "fewer than 8 cases" in few


def test_inspect_tells_it_of_a_root_and_shows_every_case(tmp_path: Path) -> None:
    root = people(tmp_path, a="17", b="17", c="19")
    found = chaosprep.inspect(root, images=IMAGES)
    assert [problem.code for problem in found.problems] == ["person-twice"]
    assert found.patients == ("a", "b", "c")
    assert chaosprep.inspect(root, images=IMAGES, trust_folders=True).problems == ()


def test_pictures_tell_nobody(tmp_path: Path) -> None:
    made = split(people(tmp_path, a="17", b="17", c="19"), tmp_path / "out", trust_folders=True)
    pictures = chaosprep.convert(made, tmp_path / "pictures")
    verdict = chaosprep.verify(pictures.directory)
    assert {problem.code for problem in (*verdict.faults, *verdict.warnings)} == {"warning"}
    assert all("fewer than 8 cases" in note for note in verdict.notes)
