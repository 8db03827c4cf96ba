"""verify: what rows call a mask value, against the label map and each other."""

from pathlib import Path
from typing import Any

import chaosprep
from chaosprep import Dataset
from chaosprep.facts import Label
from chaosprep.quality.labels import label_findings
from tests.labelled import labelled

MAP = {1: Label("liver"), 2: Label("spleen"), 9: Label("aorta")}


def test_names_as_in_the_map_are_no_finding() -> None:
    found = label_findings("split", MAP, {(1, "liver"): 7, (2, "spleen"): 3})
    assert (found.faults, found.warnings) == ([], [])


def test_another_name_than_the_maps_is_a_fault_with_the_number_of_rows() -> None:
    found = label_findings("split", MAP, {(1, "liver"): 7, (2, "kidney"): 12, (1, "spleen"): 1})
    assert [(one.code, one.reason) for one in found.faults] == [
        ("label-differs", "1 row calls the mask value 1 spleen, the label map liver"),
        ("label-differs", "12 rows call the mask value 2 kidney, the label map spleen"),
    ]
    assert found.warnings == []


def test_values_that_the_map_does_not_name_are_one_warning() -> None:
    named = {(1, "liver"): 7, (5, "label-5"): 4, (300, "label-300"): 2}
    (warning,) = label_findings("split", MAP, named).warnings
    assert warning.code == "label-unnamed"
    assert warning.reason == "the label map does not name mask values of 6 rows: 5, 300"


def test_spellings_of_one_name_are_one_warning() -> None:
    named = {(1, "Right Kidney"): 1, (2, "right-kidney"): 1, (3, "right_kidney"): 1, (4, "x"): 1}
    (warning,) = label_findings("split", {}, named).warnings
    assert warning.code == "label-spelling"
    reason = "one name is spelled in 3 ways: Right Kidney, right-kidney, right_kidney"
    assert warning.reason == reason


def test_verify_counts_the_rows_that_contradict_the_map(pristine: Path, tmp_path: Path) -> None:
    dataset = chaosprep.open(pristine)

    def rename_first(row: dict[str, Any]) -> None:
        if row["case"] == dataset.cases[0].id:
            row["labels"] = {"255": "spleen"}
            row["pixels"] = {"spleen": row["pixels"]["liver"]}

    made = labelled(dataset, tmp_path / "d", {255: Label("liver")}, rename_first)
    count = len(dataset.cases[0].slices)
    (fault,) = chaosprep.verify(made.directory).faults
    assert (fault.code, fault.id) == ("label-differs", "augment")
    assert fault.reason == f"{count} rows call the mask value 255 spleen, the label map liver"


def test_a_map_with_organs_that_no_row_names_is_clean(livers: Dataset, tmp_path: Path) -> None:
    told = {255: Label("liver"), 7: Label("spleen")}
    verdict = chaosprep.verify(labelled(livers, tmp_path / "d", told).directory)
    assert (verdict.faults, verdict.warnings) == ((), ())
