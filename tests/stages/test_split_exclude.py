"""split --exclude: patients without a case left are on no side; a slice goes when it is read."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, ProblemsError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event


def table(folder: Path, *names: str) -> str:
    path = folder / "exclude.csv"
    path.write_text("id,reason\n" + "".join(f"{name},moved\n" for name in names))
    return str(path)


def divided(root: Path, place: Path, *names: str, **fields: Any) -> Dataset:
    return chaosprep.split(root, place / "out", exclude=table(place, *names), **fields)


def sides(dataset: Dataset) -> dict[str, str]:
    return {case.patient: case.split for case in dataset.cases}


def test_the_others_are_divided_as_if_an_excluded_patient_were_not_there(
    phantom: Path, tmp_path: Path
) -> None:
    found = divided(phantom, tmp_path, "MR002", val=0.34)
    patients = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 3, 5)]
    alone = chaosprep.split(write_chaos(tmp_path / "r", patients), tmp_path / "alone", val=0.34)
    assert sides(found) == sides(alone)
    (gone,) = found.descriptor.tool.left_out
    assert (gone.option, gone.reason, gone.cases) == ("exclude", "moved", ("MR002_t1-in",))


def test_a_patient_with_a_case_left_stays(two_phases: Path, tmp_path: Path) -> None:
    found = divided(two_phases, tmp_path, "MR001_t1-in", "MR002", sequence=["t1-in", "t1-out"])
    assert found.case_ids == (
        "MR001_t1-out",
        *(f"MR00{n}_{s}" for n in (3, 4) for s in ("t1-in", "t1-out")),
    )


def test_a_case_that_is_not_taken_is_no_stranger(two_phases: Path, tmp_path: Path) -> None:
    found = divided(two_phases, tmp_path, "MR001_t1-out", "MR002_t1-in")
    (gone,) = found.descriptor.tool.left_out
    assert gone.cases == ("MR002_t1-in",)


def test_a_slice_goes_and_the_others_keep_their_ids(phantom: Path, tmp_path: Path) -> None:
    whole = chaosprep.split(phantom, tmp_path / "whole")
    found = divided(phantom, tmp_path, "MR001_t1-in_s002")
    lines = (whole.directory / "slices.jsonl").read_bytes().splitlines()
    kept = [line for line in lines if json.loads(line)["id"] != "MR001_t1-in_s002"]
    assert (found.directory / "slices.jsonl").read_bytes().splitlines() == kept
    (gone,) = found.descriptor.tool.left_out
    assert (gone.cases, gone.slices) == ((), 1)


def test_a_slice_that_a_case_does_not_have_is_a_problem(phantom: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        divided(phantom, tmp_path, "MR001_t1-in_s099")
    assert [one.code for one in caught.value.problems] == ["exclude-unknown"]


def test_what_is_wrong_with_an_excluded_case_is_wrong_no_more(tmp_path: Path) -> None:
    patients = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(tmp_path / "r", patients)
    (ground,) = root.glob("**/2/T1DUAL/Ground")
    for mask in ground.iterdir():
        mask.unlink()
    with pytest.raises(ProblemsError):
        chaosprep.split(root, tmp_path / "a", val=0)
    assert divided(root, tmp_path, "MR002", val=0).patients == ("MR001", "MR003")
    ground.rmdir()
    with pytest.raises(ProblemsError):
        chaosprep.split(root, tmp_path / "a", val=0)
    found = divided(root, tmp_path, "MR002_t1-in", val=0, overwrite=True)
    assert found.patients == ("MR001", "MR003")
    assert [one.cases for one in found.descriptor.tool.left_out] == [("MR002_t1-in",)]


@pytest.mark.parametrize(("name", "code"), [("MR777", "exclude-unknown"), ("", "exclude-unknown")])
def test_a_table_of_strangers_is_refused(
    phantom: Path, tmp_path: Path, name: str, code: str
) -> None:
    with pytest.raises(ChaosprepError) as caught:
        divided(phantom, tmp_path, name or "MR778")
    assert caught.value.code == code


def test_nothing_left_is_an_error(phantom: Path, tmp_path: Path) -> None:
    names = ["MR001", "MR002", "MR003", "MR005"]
    with pytest.raises(NothingFoundError) as caught:
        divided(phantom, tmp_path, *names)
    assert caught.value.code == "empty"
    with pytest.raises(NothingFoundError) as caught:
        divided(phantom, tmp_path, "MR002", patient=["MR002"])
    assert caught.value.code == "empty"
    with pytest.raises(ChaosprepError) as unknown:
        divided(phantom, tmp_path, "MR002", patient=["MR009"])
    assert unknown.value.code == "patient"


def test_pseudonyms_are_excluded_by_the_ids_of_the_manifest(phantom: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    first = chaosprep.split(phantom, tmp_path / "first", pseudonymize=str(key))
    gone = first.case_ids[0]
    found = divided(phantom, tmp_path, gone, pseudonymize=str(key))
    assert {*found.case_ids} == {*first.case_ids[1:]}


def test_who_names_originals_where_ids_are_pseudonyms_is_told_so(
    phantom: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(secrets.token_bytes(32))
    with pytest.raises(ChaosprepError, match="ids are pseudonyms here") as caught:
        divided(phantom, tmp_path, "MR002", pseudonymize=str(key))
    assert caught.value.code == "exclude-unknown"


def test_a_run_that_was_killed_goes_on_without_what_is_excluded(
    phantom: Path, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    def stop(event: Event) -> None:
        if event.kind == "done" and event.finished == 2:
            raise KilledError

    names = ["MR002", "MR001_t1-in_s001"]
    with pytest.raises(KilledError):
        divided(phantom, tmp_path, *names, on_event=stop)
    done: list[str] = []
    found = divided(phantom, tmp_path, *names, on_event=lambda e: done.append(e.kind))
    assert done.count("done") == 1
    whole = chaosprep.split(phantom, tmp_path / "w", exclude=table(tmp_path, *names))
    for name in ("slices.jsonl", "datapackage.json"):
        assert (found.directory / name).read_bytes() == (whole.directory / name).read_bytes()


def test_prepare_excludes_in_split_and_filters_what_convert_reads(
    phantom: Path, tmp_path: Path
) -> None:
    made = chaosprep.prepare(
        phantom,
        tmp_path / "out",
        exclude=table(tmp_path, "MR002"),
        where="slice != 2",
        min_area="liver=1",
    )
    told = {one.stage: [left.option for left in one.left_out] for one in made.history}
    assert told["split"] == ["exclude"]
    assert set(told["convert"]) == {"min-area", "where"}
    assert told["extract-liver"] == told["augment"] == []
    assert all(row.slice != 2 and row.patient != "MR002" for row in made.slices)
