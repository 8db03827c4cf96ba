"""Repeated folds that are balanced: each time, and beside an earlier split."""

from collections import Counter
from pathlib import Path
from typing import Any

import chaosprep
from chaosprep import Dataset
from tests.layouts.trees import two_trees, write

FOLDER: dict[str, Any] = {
    "images": "scans/{patient}/{slice}.dcm",
    "trust_folders": True,
    "layout": "folder",
}


def people(root: Path, count: int) -> Path:
    """A slice of each; every third has another kind."""
    names = [f"case {n}" for n in range(count)]
    lines = [f"{name},{'ab'[n % 3 == 0]}" for n, name in enumerate(names)]
    numbers = {name: n + 2 for n, name in enumerate(names)}
    write(root, two_trees(FOLDER["images"], None, numbers, slices=1))
    root.with_suffix(".csv").write_text("\n".join(["patient,kind", *lines]))
    return root


def times(dataset: Dataset) -> list[Counter[tuple[int, bool]]]:
    """For each time, how many of each kind every fold has."""
    own = {row.patient: row.folds or () for row in dataset.slices}
    return [
        Counter(
            (folds[time], int(patient.rpartition("-")[2]) % 3 == 0)
            for patient, folds in own.items()
        )
        for time in range(3)
    ]


def test_every_time_is_balanced_and_goes_on_so(tmp_path: Path) -> None:
    wish: dict[str, Any] = {**FOLDER, "folds": 3, "repeats": 3}
    root = people(tmp_path / "few", 18)
    first = chaosprep.split(
        root, tmp_path / "first", **wish, stratify=[f"{root.with_suffix('.csv')}:kind"]
    )
    for counts in times(first):
        assert sorted(counts.values()) == [2, 2, 2, 4, 4, 4]
    assert len({tuple(sorted(counts)) for counts in times(first)}) == 3
    more = people(tmp_path / "more", 27)
    second = chaosprep.split(
        more,
        tmp_path / "second",
        **wish,
        like=str(first.directory),
        stratify=[f"{more.with_suffix('.csv')}:kind"],
    )
    known = {row.patient: row.folds for row in first.slices}
    assert known.items() <= {row.patient: row.folds for row in second.slices}.items()
    for counts in times(second):
        assert sorted(counts.values()) == [3, 3, 3, 6, 6, 6]
