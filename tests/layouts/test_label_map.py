"""The label map of a dataset: one name, one value, in every case; who says what."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

from chaosprep.errors import UsageError
from chaosprep.facts import Code, Label
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.series.reading import read_series
from chaosprep.terms import code_of
from tests.formats.structure_sets import Structure, rtstruct
from tests.layouts.trees import COLS, ROWS, png_of, slice_at, two_trees, write

IMAGES = "scans/{patient}/{slice}.dcm"
SIZE = f"{COLS} {ROWS} 2"


def segments(names: Mapping[int, str]) -> bytes:
    """A .seg.nrrd of two slices, all 0, that names its segments."""
    lines = ["NRRD0004", "type: uint8", "dimension: 3", f"sizes: {SIZE}", "encoding: raw"]
    lines += ["space: left-posterior-superior", "space origin: (-10,-20,0)"]
    lines += ["space directions: (1.5,0,0) (0,1.5,0) (0,0,5.5)", "kinds: domain domain domain"]
    for at, (value, name) in enumerate(names.items()):
        lines += [f"Segment{at}_Name:={name}", f"Segment{at}_LabelValue:={value}"]
        lines += [f"Segment{at}_Layer:=0", f"Segment{at}_ID:=s{at}"]
    return "\n".join([*lines, "", ""]).encode() + bytes(COLS * ROWS * 2)


def tree(root: Path, patients: Mapping[str, Mapping[int, str]]) -> Path:
    """Patients with two slices each, and the names of their segments."""
    files: dict[str, bytes] = {}
    for number, (name, names) in enumerate(patients.items(), 1):
        for place in range(2):
            files[f"scans/{name}/{place}.dcm"] = slice_at(place, number)
        files[f"seg/{name}.seg.nrrd"] = segments(names)
    return write(root, files)


def found(root: Path, masks: str = "seg/{patient}.seg.nrrd", **fields: Any) -> Root:
    fields = {"images": IMAGES, "masks": masks} | fields
    return find(root, make_params(LayoutParams, fields))


def names(root: Root) -> dict[int, str]:
    return {value: label.name for value, label in root.label_map.items()}


def test_numbers_stay_where_all_mean_the_same_by_them(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {3: "liver", 5: "spleen"}, "12": {3: "liver", 8: "colon"}}))
    assert names(root) == {3: "liver", 5: "spleen", 8: "colon"}


def test_a_name_has_one_number_where_masks_number_it_otherwise(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "liver", 2: "spleen"}, "12": {1: "spleen", 9: "aorta"}}))
    assert names(root) == {1: "liver", 2: "spleen", 9: "aorta"}


def test_the_order_of_patients_does_not_matter(tmp_path: Path) -> None:
    one, two = {1: "liver", 2: "spleen"}, {1: "spleen", 2: "aorta"}
    first = found(tree(tmp_path / "a", {"7": one, "12": two}))
    second = found(tree(tmp_path / "b", {"7": two, "12": one}))
    assert names(first) == names(second)


def test_spellings_of_one_name_are_one_structure(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "Left Kidney"}, "12": {1: "left_kidney"}}))
    assert len(root.label_map) == 1


def test_a_known_name_gets_its_code_and_another_none(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "Liver", 2: "my thing"}}))
    assert root.label_map[1] == Label("Liver", Code("SCT", "10200004", "Liver"))
    assert root.label_map[2] == Label("my thing")


def test_codes_that_contradict_each_other_leave_a_name_its_own(tmp_path: Path) -> None:
    codes = ["99X", "1", "Of the liver"], ["99X", "2", "Of the kidney"]
    root = people(tmp_path, "Quux", "Corge")
    for number, code in enumerate(codes, 1):
        legend = {"6": {"name": "tumor", "code": code}}
        write(root, {f"labels/{number}/labels.json": json.dumps(legend).encode()})
    assert found(root, PICTURES).label_map == {6: Label("tumor", code_of("tumor"))}


def test_each_case_knows_what_its_own_masks_can_show(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "liver", 2: "spleen"}, "12": {1: "liver"}}))
    assert {case.patient: case.shows for case in root.cases} == {"P007": (1, 2), "P012": (1,)}


def test_a_table_says_the_numbers_of_masks_that_name_themselves(tmp_path: Path) -> None:
    root = found(
        tree(tmp_path, {"7": {1: "spleen"}, "12": {1: "liver"}}), labels="1=liver,2=spleen"
    )
    assert names(root) == {1: "liver", 2: "spleen"}


def test_only_structures_that_are_asked_for_are_in_it(tmp_path: Path) -> None:
    patients = {"7": {1: "kidney_left", 2: "couch"}, "12": {1: "kidney_right", 2: "BODY"}}
    root = found(tree(tmp_path, patients), roi=["kidney*"])
    assert names(root) == {1: "kidney_left", 2: "kidney_right"}


def test_a_structure_that_no_mask_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no mask has a structure that is called heart"):
        found(tree(tmp_path, {"7": {1: "liver"}}), roi=["heart"])


def test_a_mask_that_names_nothing_among_those_that_do_is_a_problem(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "liver"}, "12": {}}))
    assert [(one.code, one.id) for one in root.problems] == [("labels-unknown", "P012_series")]
    assert [case.patient for case in root.cases if case.refused] == ["P012"]
    told = found(tmp_path, labels="1=liver")
    assert told.problems == ()


@pytest.mark.parametrize("data", [b"", b"hello"])
def test_a_mask_that_is_none_is_told_when_it_is_opened(tmp_path: Path, data: bytes) -> None:
    """Whether it names anything cannot be told, and --labels would not help."""
    files = two_trees(IMAGES, masks=None)
    root = write(tmp_path, files | {"seg/7.dcm": rtstruct(Structure("liver")), "seg/12.dcm": data})
    assert found(root, "seg/{patient}.dcm").problems == ()


def test_a_misspelt_name_of_one_case_is_said_at_its_slices(tmp_path: Path) -> None:
    patients = {"7": {1: "gallbladder"}, "8": {1: "gallbladder"}, "12": {1: "galbladder"}}
    root = found(tree(tmp_path, patients))
    notes = {case.patient: case.notes for case in root.cases}
    assert notes["P007"] == notes["P008"] == ()
    assert "only this case has galbladder" in notes["P012"][0]


def test_a_name_that_identifies_the_patient_is_in_no_map(tmp_path: Path) -> None:
    files = {f"scans/9/{place}.dcm": slice_at(place, PatientName="Quux^Jane") for place in range(2)}
    root = write(tmp_path, files | {"seg/9.seg.nrrd": segments({1: "Quux liver", 2: "spleen"})})
    assert names(found(root)) == {2: "spleen"}


def people(root: Path, *names: str, **legends: str) -> Path:
    """Pictures of patients by their names, and what a legend beside the pictures of some says."""
    files: dict[str, bytes] = {}
    for number, name in enumerate(names, 1):
        for place in range(2):
            image = slice_at(place, number, PatientName=f"{name}^Jane")
            files |= {f"scans/{number}/{place}.dcm": image}
            files |= {f"labels/{number}/{place}.png": png_of(np.full((ROWS, COLS), 6, np.uint8))}
        if name in legends:
            legend = json.dumps({"labels": {"6": legends[name]}})
            files[f"labels/{number}/dataset.json"] = legend.encode()
    return write(root, files)


def test_a_name_in_a_legend_that_identifies_a_patient_is_in_no_map(tmp_path: Path) -> None:
    same = {"Quux": "Quux liver", "Corge": "quux_liver"}
    root = found(people(tmp_path, "Quux", "Corge", **same), PICTURES)
    assert root.label_map == {}
    assert [case.notes for case in root.cases] == [(ANY,), ()]
    series = [read_series(case) for case in root.cases]
    assert [one.names for one in series] == [{}, {}]


def test_a_table_in_which_a_name_identifies_a_patient_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would identify the patient") as caught:
        found(people(tmp_path, "Quux", "Corge"), PICTURES, labels="6=Quux liver")
    assert "Quux" not in str(caught.value)


def test_a_structure_that_is_known_by_its_name_is_no_patient(tmp_path: Path) -> None:
    root = found(people(tmp_path, "Colon", "Corge", Colon="colon", Corge="colon"), PICTURES)
    assert names(root) == {6: "colon"}
    assert [read_series(case).names for case in root.cases] == [{6: "colon"}] * 2


def test_a_legend_that_is_not_understood_is_said_where_it_is_needed(tmp_path: Path) -> None:
    root = people(tmp_path, "Quux", "Corge")
    write(root, {"labels/dataset.json": b'{"labels": {"1": "Liver", "2": "liver"}}'})
    (one, two) = found(root, PICTURES).cases
    assert one.notes == two.notes
    assert "--labels with its path" in one.notes[0]
    assert [case.notes for case in found(root, PICTURES, labels="6=liver").cases] == [(), ()]


def test_a_structure_of_a_legend_alone_is_left_to_extract_labels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="extract-labels organ='left lung'"):
        found(people(tmp_path, "Quux", Quux="left lung"), PICTURES, roi=["left lung"])


def pictures(root: Path, legend: Mapping[str, Any] | None = None) -> Path:
    files = two_trees()
    labels = np.array([[0, 6, 13, 13]] * ROWS, np.uint8)
    files |= {path: png_of(labels) for path in files if path.startswith("labels/")}
    if legend is not None:
        files["labels/dataset.json"] = json.dumps({"labels": legend}).encode()
    return write(root, files)


PICTURES = "labels/{patient}/{slice}.png"


def test_a_table_names_values_that_nobody_named(tmp_path: Path) -> None:
    root = found(pictures(tmp_path), PICTURES, labels="6=liver,13=duodenum,20=aorta")
    assert names(root) == {6: "liver", 13: "duodenum", 20: "aorta"}


def test_a_table_never_calls_a_value_what_its_legend_calls_otherwise(tmp_path: Path) -> None:
    root = pictures(tmp_path, {"6": "liver", "13": "duodenum"})
    with pytest.raises(UsageError, match="13 is liver there, but duodenum in the legend"):
        found(root, PICTURES, labels="13=liver")
    assert names(found(root, PICTURES, labels="13=Duodenum")) == {6: "liver", 13: "Duodenum"}


def test_the_name_of_a_known_table_says_that_masks_have_its_levels(tmp_path: Path) -> None:
    root = found(pictures(tmp_path), PICTURES, labels="chaos-2019-02")
    assert {case.levels for case in root.cases} == {"chaos-2019-02"}
    assert root.label_map == {}


def test_a_file_of_labels_is_recorded_by_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('6 = "liver"\n13 = "duodenum"\n')
    fields = {"images": IMAGES, "masks": PICTURES, "labels": str(file)}
    recorded = make_params(LayoutParams, fields).recorded()
    assert recorded.labels == "6=liver,13=duodenum"


def test_a_misspelt_name_of_the_table_is_refused(tmp_path: Path) -> None:
    root = tree(tmp_path, {"7": {1: "liver", 2: "spleen"}, "12": {1: "liver"}})
    assert names(found(root, labels="4=Liver,9=aorta")) == {2: "spleen", 4: "Liver", 9: "aorta"}
    with pytest.raises(UsageError) as caught:
        found(root, labels="4=lvier")
    assert caught.value.reason == "--labels: no mask has a structure that is called lvier"
    assert caught.value.remedy == "They have liver: spell it that way."


def test_a_case_of_which_roi_takes_nothing_says_so(tmp_path: Path) -> None:
    root = found(tree(tmp_path, {"7": {1: "liver"}, "12": {2: "spleen"}}), roi=["liver"])
    notes = {case.patient: case.notes for case in root.cases}
    assert notes == {"P007": (), "P012": ("its masks have no structure that --roi takes",)}
