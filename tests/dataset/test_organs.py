"""Organs have the numbers of their dataset's label map, whatever its masks show."""

from pathlib import Path

from chaosprep import Dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.organs import (
    can_show,
    listed,
    meanings,
    number_organs,
    organ_labels,
    partial_notes,
)
from chaosprep.facts import Code, Label
from tests.labelled import labelled, renamed

FIFTEEN = {value: Label(f"organ-{value:02}") for value in range(1, 16)}


def test_an_organ_that_no_mask_shows_keeps_its_number(livers: Dataset, tmp_path: Path) -> None:
    edit = renamed({"liver": "organ-06"})
    dataset = labelled(livers, tmp_path / "d", FIFTEEN, edit)
    expected = {f"organ-{number:02}": number for number in range(1, 16)}
    assert organ_labels(dataset) == expected


def test_numbers_follow_each_other_where_the_maps_values_do_not(livers: Dataset) -> None:
    told = {300: Label("aorta"), 7: Label("spleen"), 20: Label("liver")}
    values = organ_values(told, [])
    assert number_organs(livers, values) == {"spleen": 1, "liver": 2, "aorta": 3}


def test_several_values_of_one_organ_are_one_number() -> None:
    told = {value: Label("liver") for value in range(55, 71)} | {110: Label("right-kidney")}
    assert organ_values(told, []) == {"liver": 55, "right-kidney": 110}


def test_what_only_rows_name_follows_the_map() -> None:
    told = {9: Label("spleen"), 12: Label("liver")}
    rows = [{1: "label-1", 9: "spleen"}, {4: "label-4"}]
    assert list(organ_values(told, rows)) == ["spleen", "liver", "label-1", "label-4"]


def test_the_maps_value_of_an_organ_goes_before_that_of_a_row() -> None:
    assert organ_values({4: Label("spleen")}, [{2: "spleen"}]) == {"spleen": 4}


def test_without_a_map_the_rows_tell() -> None:
    rows = [{2: "right-kidney"}, {63: "liver", 1: "x"}, {55: "liver"}]
    assert organ_values({}, rows) == {"x": 1, "right-kidney": 2, "liver": 55}


def test_a_value_means_what_the_map_says_and_else_what_the_rows_say() -> None:
    found = meanings({2: Label("liver")}, [{2: "other", 1: "label-1"}])
    assert found == {1: Label("label-1"), 2: Label("liver")}
    assert list(found) == [1, 2]


def test_masks_show_what_their_rows_name_and_any_unnamed_value() -> None:
    assert can_show({"liver"}, ["liver", "spleen", "label-7"]) == ("liver", "label-7")


def test_organs_that_some_masks_cannot_show_are_told_with_how_many() -> None:
    named = [{"liver", "spleen"}, {"liver"}, {"liver"}]
    assert partial_notes(named, ["liver", "spleen", "aorta", "label-7"]) == (
        "masks of 2 of 3 cases do not name spleen: it counts as background there",
        "masks of 3 of 3 cases do not name aorta: it counts as background there",
    )
    assert partial_notes(named[1:], ["liver"]) == partial_notes([], ["liver"]) == ()


def test_a_label_map_is_listed_by_organ_with_its_ranges() -> None:
    liver = Code("SCT", "10200004", "Liver")
    told = {value: Label("liver", liver) for value in (*range(55, 71), 80)}
    told |= {7: Label("a"), 8: Label("b")}
    assert listed(told) == [("7", "a", ""), ("8", "b", ""), ("55-70, 80", "liver", "SCT 10200004")]
