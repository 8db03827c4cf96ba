"""A data set that grows, split again and again with `--like`: ids, sides and folds stay."""

import random
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.division.sides import Sides
from chaosprep.errors import UsageError
from tests.division.test_growth import bound, ideals, params, sizes, worst
from tests.layouts.headers.series import series
from tests.layouts.trees import two_trees, write

HISTORIES, STEPS = 12, 3
FOLDER: dict[str, Any] = {
    "images": "scans/{patient}/{slice}.dcm",
    "trust_folders": True,
    "layout": "folder",
}
WISHES: list[dict[str, Any]] = [
    {"val": 0.2},
    {"val": 0.3, "test": 0.2, "seed": 4},
    {"folds": 3},
    {"folds": 2, "test": 0.25, "fold": 1},
    {"folds": 2, "repeats": 2},
    {"val": 0.5, "test_patient": ["P001"]},
]


def people(folder: Path, names: set[str]) -> Path:
    """A slice of each; as headers tell it, no two are one person."""
    numbers = {name: 2 + sum(map(ord, name)) % 200 for name in sorted(names)}
    return write(folder, two_trees(FOLDER["images"], None, numbers, slices=1))


def sides(dataset: Dataset) -> Sides:
    return {row.patient: (row.split, row.fold) for row in dataset.slices}


def placed(dataset: Dataset) -> dict[str, tuple[object, ...]]:
    """Folder of a patient -> id, side and folds."""
    return {
        row.source.split("/")[1]: (row.patient, row.split, row.fold, row.folds)
        for row in dataset.slices
    }


@pytest.mark.parametrize("number", range(HISTORIES))
def test_nobody_changes_id_side_or_fold(number: int, tmp_path: Path) -> None:
    draw, wish = random.Random(number), WISHES[number % len(WISHES)]
    there, before = {"1", *(f"case {n}" for n in range(7, 12))}, None
    for step in range(STEPS):
        root = people(tmp_path / f"root{step}", there)
        like: dict[str, Any] = {} if before is None else {"like": str(before.directory)}
        now = chaosprep.split(root, tmp_path / f"split{step}", **FOLDER, **wish, **like)
        if before is not None:
            known = {name: place for name, place in placed(before).items() if name in there}
            assert known.items() <= placed(now).items()
            if "test_patient" not in wish and "repeats" not in wish:
                fixed = {one: side for one, side in sides(before).items() if one in sides(now)}
                ideal, new = ideals(len(there), params(**wish)), len(there) - len(fixed)
                excess = worst(sizes(sides(now)), ideal) - bound(sizes(fixed), ideal, new)
                assert excess < 1
        before = now
        there -= {*draw.sample(sorted(there - {"1"}), draw.randrange(3))}
        there |= {f"{draw.choice(('', 'Mü ', 'b-'))}{draw.randrange(999)}" for _ in range(4)}


def test_pseudonyms_are_known_again_by_the_key_beside_the_earlier_split(tmp_path: Path) -> None:
    def scans(count: int) -> Path:
        root = tmp_path / f"root{count}"
        for n in range(count):
            who = {
                "PatientID": f"A-{n}",
                "PatientName": f"Doe^J{n}",
                "StudyInstanceUID": f"1.7.{n}",
            }
            write(root, series(f"x{n}", 1, who))
        return root

    first = chaosprep.split(scans(6), tmp_path / "a/first", layout="headers")
    second = chaosprep.split(
        scans(9), tmp_path / "b/second", layout="headers", like=str(first.directory)
    )
    assert sides(first).items() <= sides(second).items()
    assert len(sides(second)) == 9


def test_an_interrupted_or_finished_run_is_the_same_again(tmp_path: Path) -> None:
    first = chaosprep.split(people(tmp_path / "1", {*"abcdef"}), tmp_path / "first", **FOLDER)
    more = people(tmp_path / "2", {*"abcdefghi"})
    wish: dict[str, Any] = {**FOLDER, "like": str(first.directory)}
    second = chaosprep.split(more, tmp_path / "second", **wish)
    manifest = (second.directory / "datapackage.json").read_bytes()
    assert str(tmp_path).encode() not in manifest
    events: list[str] = []
    chaosprep.split(more, second.directory, **wish, on_event=lambda one: events.append(one.kind))
    assert events == ["already-done"]
    parts = [
        chaosprep.split(more, tmp_path / f"part{n}", **wish, shard=f"{n}/2", jobs=n).directory
        for n in (1, 2)
    ]
    merged = chaosprep.merge(parts, tmp_path / "merged")
    assert sides(merged) == sides(second)
    alone = chaosprep.split(more, tmp_path / "alone", **wish, patient=["i", "a"])
    assert sides(alone)["a"] == sides(second)["a"]


def test_where_other_parts_were_asked_for_before_that_is_said(tmp_path: Path) -> None:
    root = people(tmp_path / "1", {*"abcdefghij"})
    first = chaosprep.split(root, tmp_path / "first", **FOLDER, val=0.3, seed=1).directory
    notes: list[str] = []

    def told(wish: dict[str, Any], name: str) -> list[str]:
        notes.clear()
        made: dict[str, Any] = {**FOLDER, **wish, "like": str(first)}
        chaosprep.split(root, tmp_path / name, **made, on_event=lambda one: notes.extend(one.notes))
        return [note for note in notes if note.startswith("the earlier split was made")]

    assert told({"val": 0.3, "seed": 1}, "same") == []
    assert told({"test": 0.1}, "other") == [
        "the earlier split was made with --val 0.3 --test 0.0 --seed 1, new patients are placed by "
        "--val 0.2 --test 0.1 --seed 0"
    ]


def test_a_fold_whose_patients_are_all_gone_is_filled_again(tmp_path: Path) -> None:
    first = chaosprep.split(
        people(tmp_path / "1", {*"abcdef"}), tmp_path / "first", **FOLDER, folds=3
    )
    last = {one for one, (_, fold) in sides(first).items() if fold == 2}
    root = people(tmp_path / "2", {*"abcdef"} - last | {"x", "y"})
    second = chaosprep.split(root, tmp_path / "second", **FOLDER, like=str(first.directory))
    assert (sides(second)["x"], sides(second)["y"]) == (("train", 2), ("train", 2))


def test_what_contradicts_the_earlier_split_is_refused_by_name(tmp_path: Path) -> None:
    root = people(tmp_path / "1", {*"abcdef"})
    folded = chaosprep.split(root, tmp_path / "folded", **FOLDER, folds=3).directory
    refused: list[tuple[dict[str, Any], str]] = [
        ({"folds": 2}, "like-conflict"),
        ({"val": 0.5}, "like-conflict"),
        ({"fold": 3}, "fold-unknown"),
    ]
    for wish, code in refused:
        with pytest.raises(UsageError) as caught:
            chaosprep.split(root, tmp_path / "out", **FOLDER, **wish, like=str(folded))
        assert caught.value.code == code
