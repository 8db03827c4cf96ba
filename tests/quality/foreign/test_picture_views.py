"""`inspect` of a folder of pictures: its stacks, its masks, and what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep.errors import NothingFoundError
from tests.quality.foreign.test_empties import stack, write
from tests.quality.foreign.test_listed import Set, pixels, save


def test_pictures_of_a_table_are_cases_of_their_patients(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "csv")
    folder.write()
    found = chaosprep.inspect(folder.root)
    told = [(one.id, one.patient, one.pool, one.slices, one.masks) for one in found.cases]
    assert told == [
        ("train/a", "a", "train", 2, 2),
        ("train/b", "b", "train", 2, 2),
        ("val/c", "c", "val", 2, 2),
    ]
    assert (found.problems, found.patients) == ((), ("a", "b", "c"))
    assert [(one.value, one.name, one.cases) for one in found.labels] == [(1, "liver", 3)]
    images = [pixels(folder.root / row["image"]) for row in folder.rows[:2]]
    masks = [pixels(folder.root / row["mask"]) for row in folder.rows[:2]]
    first = found.cases[0]
    assert first.values == (float(np.min(images)), float(np.max(images)))
    assert first.levels == {1: np.count_nonzero(masks)}
    assert first.matrices == ("96x96",)
    assert first.bits_stored == (8,)


def test_stacks_are_cases_and_others_are_those_of_their_folder(tmp_path: Path) -> None:
    write(tmp_path, stack("A", ".##") | stack("B", "##") | {"xa": True, "xb": True})
    found = chaosprep.inspect(tmp_path)
    assert [(one.id, one.slices) for one in found.cases] == [
        ("train", 2),
        ("train/A", 3),
        ("train/B", 2),
    ]
    assert any("show nothing: 1 of 7" in note for note in found.notes)


def test_what_verify_calls_a_fault_of_a_pair_is_a_problem(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    save(folder.mask(), np.ones((96, 96), np.uint8))
    folder.write()
    (problem,) = chaosprep.inspect(folder.root).problems
    assert (problem.code, problem.id) == ("mask-full", "train/a1")
    assert chaosprep.verify(folder.root).faults == (problem,)


def test_options_of_series_still_ask_for_series(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    folder.write()
    with pytest.raises(NothingFoundError):
        chaosprep.inspect(folder.root, layout="headers")
