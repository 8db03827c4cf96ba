"""convert --normalize nyul: of whom landmarks are learned, and where else they come from."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event
from tests.running.toys import snapshot
from tests.stages.normalized import (
    TRAINING,
    Normal,
    landmarks_by_hand,
    learned,
    told,
    two_sequences,
)
from tests.stages.scanners import change, files


def test_the_landmarks_are_those_of_the_training_side(
    scanners: Dataset, normalized: Normal
) -> None:
    found = learned(normalized["nyul"])
    assert list(found) == ["t1-in"]
    assert np.allclose(found["t1-in"], landmarks_by_hand(scanners, TRAINING), rtol=1e-12)


def test_each_sequence_has_landmarks_of_its_own(tmp_path: Path) -> None:
    pairs = two_sequences(tmp_path)
    found = learned(chaosprep.convert(pairs, tmp_path / "out", normalize="nyul"))
    assert sorted(found) == ["t1-in", "t2-spir"]
    for sequence, scale in found.items():
        cases = [f"MR001_{sequence}", f"MR002_{sequence}"]
        assert np.allclose(scale, landmarks_by_hand(pairs, cases), rtol=1e-12)


def leaks(place: Path, changed: int) -> tuple[bytes, bytes]:
    """What is learned as JSON, before and after the pixels of a patient are other ones."""
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3, 4)]
    root = write_chaos(place / "root", people)
    found = []
    for name in ("before", "after"):
        sides: dict[str, Any] = {"val_patient": ["MR003"], "test_patient": ["MR004"]}
        pairs = chaosprep.split(root, place / f"pairs {name}", **sides)
        made = chaosprep.convert(pairs, place / name, normalize="nyul")
        found.append(msgspec.json.encode(learned(made)))
        for path in files(root, changed):
            change(path, lambda values: 3000 - 2 * values + np.arange(values.size).reshape(32, 32))
    return found[0], found[1]


@pytest.mark.parametrize("patient", [3, 4], ids=["val", "test"])
def test_what_nobody_trains_on_changes_no_landmark(tmp_path: Path, patient: int) -> None:
    before, after = leaks(tmp_path, patient)
    assert before == after


def test_what_is_trained_on_changes_the_landmarks(tmp_path: Path) -> None:
    before, after = leaks(tmp_path, 2)
    assert before != after


def test_the_same_command_again_learns_nothing_and_other_workers_give_the_same(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    events: list[Event] = []
    place = normalized["nyul"].directory
    chaosprep.convert(scanners, place, normalize="nyul", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    made = chaosprep.convert(scanners, tmp_path / "two", normalize="nyul", jobs=2)
    assert snapshot(made.directory) == snapshot(place)


def test_shards_make_what_one_run_makes(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    for part in (1, 2):
        chaosprep.convert(scanners, tmp_path / f"{part}", normalize="nyul", shard=f"{part}/2")
    chaosprep.merge([tmp_path / "1", tmp_path / "2"], tmp_path / "whole")
    assert snapshot(tmp_path / "whole") == snapshot(normalized["nyul"].directory)


def test_of_some_patients_it_is_learned_of_those_that_train(
    scanners: Dataset, tmp_path: Path
) -> None:
    some = ["MR001", "MR002", "MR005"]
    made = chaosprep.convert(scanners, tmp_path / "out", normalize="nyul", patient=some)
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(scanners, TRAINING[:2]))


@pytest.mark.parametrize("how", ["directory", "file", "later stage", "given again"])
def test_landmarks_are_taken_from_elsewhere(
    scanners: Dataset, normalized: Normal, tmp_path: Path, how: str
) -> None:
    trained = normalized["nyul"]
    place = trained.directory
    if how == "file":
        place = tmp_path / "landmarks.json"
        place.write_text(json.dumps({"landmarks": learned(trained)}))
    if how == "later stage":
        place = chaosprep.augment(trained, tmp_path / "augmented", copies=1).directory
    if how == "given again":
        asked: dict[str, Any] = {"normalize": "nyul", "landmarks": place, "patient": ["MR005"]}
        place = chaosprep.convert(scanners, tmp_path / "first", **asked).directory
    new = chaosprep.convert(
        scanners, tmp_path / "new", normalize="nyul", landmarks=str(place), patient=["MR006"]
    )
    assert new.descriptor.tool.learned is msgspec.UNSET
    assert np.array_equal(told(new, "MR006_t1-in"), told(trained, "MR006_t1-in"))
    assert str(tmp_path) not in (new.directory / "datapackage.json").read_text()


def test_a_sequence_without_landmarks_is_a_problem_that_names_those_there_are(
    normalized: Normal, tmp_path: Path
) -> None:
    pairs = two_sequences(tmp_path)
    how: dict[str, Any] = {"normalize": "nyul", "landmarks": normalized["nyul"].directory}
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", **how)
    assert {one.id for one in caught.value.problems} == {f"MR00{n}_t2-spir" for n in (1, 2, 3)}
    (reason,) = {one.reason for one in caught.value.problems}
    assert reason == "there are no landmarks for the sequence t2-spir (for: t1-in)"
    made = chaosprep.convert(pairs, tmp_path / "out", on_error="skip", **how)
    assert {row.sequence for row in made.slices} == {"t1-in"}


def test_without_a_case_to_learn_from_it_is_a_problem_of_each(tmp_path: Path) -> None:
    pairs = two_sequences(tmp_path)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", normalize="nyul", patient=["MR003"])
    assert {one.code for one in caught.value.problems} == {"landmarks-unknown"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no", "it is not JSON"),
        ("{}", "landmarks"),
        ('{"landmarks": {"t1-in": [1, 100]}}', "2 landmarks, 11 were expected"),
        ('{"landmarks": {"t1-in": [1,2,3,4,5,6,7,8,9,10,11]}}', "from 1 to 100"),
        ('{"landmarks": {"t1-in": [1,9,3,4,5,6,7,8,9,10,100]}}', "descend"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_file_without_landmarks_is_refused(
    scanners: Dataset, tmp_path: Path, text: str, reason: str
) -> None:
    place = tmp_path / "landmarks.json"
    place.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        chaosprep.convert(scanners, tmp_path / "out", normalize="nyul", landmarks=str(place))
    assert caught.value.code == "landmarks"
    assert str(place) in str(caught.value)


@pytest.mark.parametrize("which", ["missing", "zscore"])
def test_a_place_without_landmarks_is_refused(
    scanners: Dataset, normalized: Normal, tmp_path: Path, which: str
) -> None:
    place = tmp_path / "nowhere" if which == "missing" else normalized["zscore"].directory
    with pytest.raises(UsageError, match="landmarks: /") as caught:
        chaosprep.convert(scanners, tmp_path / "out", normalize="nyul", landmarks=str(place))
    assert caught.value.code == "landmarks"


def test_of_folds_it_is_said_for_which_it_is_learned(tmp_path: Path) -> None:
    folds = two_sequences(tmp_path, val_patient=(), folds=3, sequence=("t1-in",))
    events: list[Event] = []
    chaosprep.convert(folds, tmp_path / "out", normalize="nyul", on_event=events.append)
    chaosprep.convert(folds, tmp_path / "z", normalize="zscore", on_event=events.append)
    nyul, zscore = [event.notes for event in events if event.kind == "planned"]
    assert "split again with --fold" in nyul[0]
    assert zscore == ()


def test_of_one_fold_at_a_time_landmarks_are_learned_without_it(tmp_path: Path) -> None:
    one = two_sequences(tmp_path, val_patient=(), folds=3, fold=1, sequence=("t1-in",))
    made = chaosprep.convert(one, tmp_path / "out", normalize="nyul")
    (held,) = {row.case for row in one.slices if row.split == "val"}
    cases = [case for case in one.case_ids if case != held]
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(one, cases))


def test_an_unreadable_slice_is_told_once_and_its_case_is_not_learned_from(
    tmp_path: Path,
) -> None:
    pairs = two_sequences(tmp_path, sequence=("t1-in",))
    broken = pairs.directory / pairs.case("MR002_t1-in").slices[1].image
    broken.write_bytes(b"no DICOM")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", normalize="nyul")
    assert [one.id for one in caught.value.problems] == ["MR002_t1-in_s001"]
    made = chaosprep.convert(pairs, tmp_path / "out", normalize="nyul", on_error="skip")
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(pairs, ["MR001_t1-in"]))
    assert [one.id for one in made.skipped] == ["MR002_t1-in_s001"]


def test_a_dask_cluster_learns_the_same(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    made = chaosprep.convert(scanners, tmp_path / "out", normalize="nyul", dask="local", jobs=2)
    assert snapshot(made.directory) == snapshot(normalized["nyul"].directory)
