"""Organs by name: one spelling for both sides, and what one of them never shows."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import UsageError
from chaosprep.evaluation.names import spellings
from chaosprep.facts import Label
from tests.labelled import labelled, renamed

NAMES = ("liver", "right-kidney", "left-kidney", "spleen")
MAP = {value: Label(name) for value, name in enumerate(NAMES, start=1)}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("Right Kidney", True),
        ("right_kidney", True),
        ("RIGHT  KIDNEY", True),
        ("right\u2013kidney", True),
        ("rightkidney", False),
        ("kidney right", False),
        ("right-kidneys", False),
    ],
)
def test_case_spaces_and_lines_tell_no_organs_apart(other: str, is_same: bool) -> None:
    assert (spellings(["right-kidney", other])[other] == "right-kidney") == is_same


def test_both_sides_are_called_as_the_reference_is(organs: Dataset, tmp_path: Path) -> None:
    names = {"right-kidney": "Right Kidney", "left-kidney": "LEFT_KIDNEY", "liver": "Liver"}
    told = {value: Label(names.get(name, name)) for value, name in enumerate(NAMES, start=1)}
    pred = labelled(organs, tmp_path / "pred", told, renamed(names))
    found = chaosprep.evaluate(pred.directory, organs.directory)
    assert tuple(one.organ for one in found.summaries) == NAMES
    assert {row.dice for row in found.results} == {1.0}
    again = chaosprep.evaluate(organs.directory, pred.directory, organs=["left kidney", "liver"])
    assert [one.organ for one in again.summaries] == ["Liver", "LEFT_KIDNEY"]
    assert {row.dice for row in again.results} == {1.0}


def test_two_spellings_in_one_set_are_one_organ(organs: Dataset, tmp_path: Path) -> None:
    names = {"right-kidney": "kidney", "left-kidney": "Kidney"}
    both = labelled(organs, tmp_path / "both", {}, renamed(names))
    one = labelled(organs, tmp_path / "one", {}, renamed(dict.fromkeys(names, "kidney")))
    found = chaosprep.evaluate(both.directory, one.directory)
    assert [summary.organ for summary in found.summaries] == ["liver", "kidney", "spleen"]
    assert {row.dice for row in found.results} == {1.0}


def test_organs_come_in_the_order_of_the_label_map(organs: Dataset, tmp_path: Path) -> None:
    names = ("spleen", "left-kidney", "liver", "right-kidney")
    order = {value: Label(name) for value, name in enumerate(names, start=4)}
    ref = labelled(organs, tmp_path / "ref", order)
    found = chaosprep.evaluate(organs.directory, ref.directory)
    assert tuple(one.organ for one in found.summaries) == names


def test_an_organ_that_the_reference_never_shows_is_said_and_not_measured(
    livers: Dataset, tmp_path: Path
) -> None:
    told = {255: Label("liver"), 6: Label("spleen"), 7: Label("aorta")}
    ref = labelled(livers, tmp_path / "ref", told)
    pred = labelled(livers, tmp_path / "pred", told)
    found = chaosprep.evaluate(pred.directory, ref.directory)
    assert {row.organ for row in found.results} == {"liver"}
    assert "no case of REF shows spleen, aorta: not measured" in found.notes
    assert chaosprep.evaluate(pred.directory, ref.directory, organs=["liver"]).notes == ()


def test_an_organ_of_empty_masks_is_measured_and_said(livers: Dataset, tmp_path: Path) -> None:
    told = {255: Label("liver"), 6: Label("uterus")}

    def name(row: dict[str, Any]) -> None:
        row["labels"]["6"] = "uterus"

    ref = labelled(livers, tmp_path / "ref", told, name)
    found = chaosprep.evaluate(ref.directory, ref.directory)
    assert [one.organ for one in found.summaries] == ["uterus", "liver"]
    assert found.notes == (
        "no mask of REF has a pixel of uterus: the value is 1 where PRED has none either",
    )


def test_an_organ_that_only_the_prediction_lacks_scores_nothing(
    organs: Dataset, tmp_path: Path
) -> None:
    def miss(row: dict[str, Any]) -> None:
        row["labels"] = {"4" if at == "2" else at: one for at, one in row["labels"].items()}
        row["labels"] = {"1": "liver", "2": "liver", "3": "left-kidney", "4": "left-kidney"}
        row["pixels"] = {}

    pred = labelled(organs, tmp_path / "pred", MAP, miss)
    found = chaosprep.evaluate(pred.directory, organs.directory)
    dice = {row.organ: row.dice for row in found.results}
    assert dice["spleen"] == dice["right-kidney"] == 0.0
    assert 0 < dice["liver"] < 1


def test_organs_that_one_side_does_not_know_are_still_refused(
    organs: Dataset, livers: Dataset
) -> None:
    with pytest.raises(UsageError, match="the two sides show different organs"):
        chaosprep.evaluate(organs.directory, livers.directory)


def test_cases_without_an_organ_are_counted(organs: Dataset, tmp_path: Path) -> None:
    first = organs.cases[0].id

    def forget(row: dict[str, Any]) -> None:
        if row["case"] == first:
            row["labels"] = {at: one for at, one in row["labels"].items() if one != "spleen"}
            row["labels"]["4"] = "left-kidney"
            row["pixels"].pop("spleen")

    ref = labelled(organs, tmp_path / "ref", MAP, forget)
    found = chaosprep.evaluate(organs.directory, ref.directory)
    count = len(organs)
    assert (
        f"not measured in 1 of {count} cases, because REF does not name it there: spleen"
        in found.notes
    )
    rows = [row for row in found.results if row.organ == "spleen"]
    assert len(rows) == count - 1
