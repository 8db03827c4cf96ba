"""What patients have that sides are to have alike, read from masks, headers and tables."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.division.official import official_sides
from chaosprep.division.traits.gather import with_traits
from chaosprep.errors import UsageError
from chaosprep.layouts.root import Root
from chaosprep.running.mapping import on_workers
from chaosprep.stages.split import open_root
from chaosprep.workbench import ALONE, Workbench
from tests.division.tables import params
from tests.layouts.trees import COLS, ROWS, STEP, png_of, slice_at, write

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}/{slice}.png"
PATIENTS = 10
PLACES: dict[str, Any] = {"images": IMAGES, "masks": MASKS, "labels": "1=liver,2=tumour"}
SPACING = (1.25, 1.5)  # mm: rows, cols


def headers(number: int) -> dict[str, Any]:
    """Odd patients lie in another maker's scanner; one is 95, of one nothing tells an age."""
    born = {1: "19100612", 2: ""}.get(number, f"{1990 - 5 * number}0615")
    return {
        "Manufacturer": "SIEMENS" if number % 2 else "Philips ",
        "MagneticFieldStrength": "2.89362" if number % 2 else "1.5",
        "PatientSex": "F" if number < 6 else "M",
        "PatientBirthDate": born,
        "StudyDate": "20050614",
        "PixelSpacing": list(SPACING),
        "SliceThickness": "5.5",
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten patients of three slices; 1 to n % 4 + 1 columns of liver, tumours in four of them."""
    files = {}
    for number in range(1, PATIENTS + 1):
        for place in range(3):
            name = {"patient": f"{number}", "slice": f"{place}"}
            files[IMAGES.format(**name)] = slice_at(place, number, **headers(number))
            mask = np.zeros((ROWS, COLS), np.uint8)
            mask[:, : number % 4] = 1
            if number in (2, 3, 6, 7) and place == 1:
                mask[0, 0] = 2
            files[MASKS.format(**name)] = png_of(mask)
    return write(tmp_path_factory.mktemp("trees") / "root", files)


def told(root: Path, *wishes: str, bench: Workbench = ALONE, **fields: Any) -> dict[str, Any]:
    """Patient number -> what is told of it."""
    opened = open_root(root, params(**{"stratify": wishes, **PLACES, **fields}), bench)
    return {str(int(patient[1:])): dict(found) for patient, found in opened.traits.items()}


def split(root: Path, output: Path, *wishes: str, **fields: Any) -> Dataset:
    return chaosprep.split(root, output, stratify=wishes, **PLACES, **fields)


def test_a_label_is_what_any_mask_shows(tree: Path) -> None:
    found = told(tree, "label:Tumour")
    assert {one for one in found if found[one]["label:Tumour"] == "yes"} == {"2", "3", "6", "7"}
    assert len(found) == PATIENTS


def test_a_volume_is_pixels_times_the_size_of_a_voxel(tree: Path) -> None:
    found = told(tree, "volume:liver")
    for number in range(1, PATIENTS + 1):
        pixels = 3 * ROWS * (number % 4) - (number in (2, 3, 6, 7))
        expected = pixels * SPACING[0] * SPACING[1] * STEP / 1000
        assert found[str(number)]["volume:liver"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("wish", "name", "odd", "even"),
    [
        ("Manufacturer", "Manufacturer", "SIEMENS", "PHILIPS"),
        ("magneticfieldstrength", "MagneticFieldStrength", "3", "1.5"),
        ("SliceThickness", "SliceThickness", 5.5, 5.5),
        ("Modality", "Modality", "MR", "MR"),
    ],
)
def test_a_header_is_taken_by_its_keyword(
    tree: Path, wish: str, name: str, odd: str | float, even: str | float
) -> None:
    found = told(tree, wish)
    assert {number: one[name] for number, one in found.items()} == {
        str(number): odd if number % 2 else even for number in range(1, PATIENTS + 1)
    }


def test_an_age_is_years_from_birth_to_study_and_90_at_most(tree: Path) -> None:
    found = told(tree, "age")
    assert found["1"]["age"] == 90
    assert found["2"]["age"] is None
    assert found["3"]["age"] == 29  # a day before the birthday
    assert found["10"]["age"] == 64


@pytest.mark.parametrize(
    ("said", "years"), [("045Y", 45), ("006M", 0.5), ("104Y", 90), ("030M", 2), ("", None)]
)
def test_an_age_is_what_the_header_says(tmp_path: Path, said: str, years: float | None) -> None:
    values = {**headers(2), "PatientAge": said}
    files = {IMAGES.format(patient="2", slice=str(at)): slice_at(at, 2, **values) for at in (0, 1)}
    files |= {
        IMAGES.format(patient="3", slice=str(at)): slice_at(at, 3, **headers(3)) for at in (0, 1)
    }
    found = told(write(tmp_path, files), "age", masks=None, labels=None)
    assert found["2"]["age"] == years


def test_a_sequence_is_all_that_a_patient_has(tmp_path: Path) -> None:
    places = [("1", "t1"), ("1", "t2"), ("2", "t2")]
    files = {
        f"{one}/{kind}/{at}.dcm": slice_at(at, int(one)) for one, kind in places for at in (0, 1)
    }
    images = "{patient}/{sequence}/{slice}.dcm"
    found = told(write(tmp_path, files), "sequence", images=images, masks=None, labels=None)
    assert found == {"1": {"sequence": "t1+t2"}, "2": {"sequence": "t2"}}


def test_a_table_is_read_by_the_names_of_patients(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "clinic.csv"
    table.write_text("patient;Stage;weight\n1;I;60,5\n2;ii;71\n3;i;80\n4;II;90\n99;I;1\n5;;\n")
    found = told(tree, f"{table}:stage", f"{table}:weight")
    assert [found[n]["table:stage"] for n in "12345"] == ["I", "II", "I", "II", None]
    assert [found[n]["table:weight"] for n in "12345"] == [60.5, 71, 80, 90, None]


def test_few_numbers_of_a_table_are_codes(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "clinic.csv"
    rows = "\n".join(f"P{number:03},{int(number == 4)}" for number in range(1, PATIENTS + 1))
    table.write_text(f"id,tumour\n{rows}\n")
    assert told(tree, f"{table}:tumour")["4"] == {"table:tumour": "1"}


@pytest.mark.parametrize(
    ("wish", "code", "said"),
    [
        ("label:livre", "stratify-unknown", "Did you mean liver"),
        ("Manufacterer", "stratify-unknown", "Did you mean Manufacturer"),
        ("KVP", "stratify-unknown", "it is not known for any patient"),
        ("", "stratify-unknown", "There are: label:NAME"),
        ("PatientName", "stratify-identifies", "may identify a patient"),
        ("patientbirthdate", "stratify-identifies", "may identify a patient"),
        ("StudyInstanceUID", "stratify-identifies", "may identify a patient"),
        ("SeriesDescription", "stratify-identifies", "may identify a patient"),
        ("missing.csv:site", "stratify-table", "the file is missing"),
    ],
)
def test_what_cannot_be_balanced_is_refused(tree: Path, wish: str, code: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        told(tree, wish)
    assert error.value.code == code
    assert said in error.value.text


@pytest.mark.parametrize(
    ("table", "column", "code", "said"),
    [
        ("patient,site\nX,1\n", "site", "stratify-table", "none of the 1 name in it is a patient"),
        ("patient,site\n1,a\n", "sight", "stratify-table", "Did you mean site"),
        (
            "patient,Patient Name\n1,a\n",
            "Patient Name",
            "stratify-identifies",
            "may identify a patient",
        ),
        ("patient,site\n1,a\n", "patient", "stratify-table", "names the patients"),
        ("", "site", "stratify-table", "no such column"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tree: Path, tmp_path: Path, table: str, column: str, code: str, said: str
) -> None:
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(UsageError) as error:
        told(tree, f"{tmp_path / 't.csv'}:{column}")
    assert error.value.code == code
    assert said in error.value.text


def test_a_structure_is_asked_for_once_however_it_is_spelled(tree: Path) -> None:
    with pytest.raises(UsageError, match="asked for twice"):
        told(tree, "label:liver", "label:Liver")


def test_a_value_that_tells_the_patient_is_not_taken(tmp_path: Path) -> None:
    values = {**headers(2), "PatientName": "Mustermann^Max", "ManufacturerModelName": "Mustermann"}
    files = {IMAGES.format(patient="2", slice=str(at)): slice_at(at, 2, **values) for at in (0, 1)}
    with pytest.raises(UsageError, match="it is not known"):
        told(write(tmp_path, files), "ManufacturerModelName", masks=None, labels=None)


def test_sides_have_the_same_of_all_wishes(tree: Path, tmp_path: Path) -> None:
    made = split(tree, tmp_path / "out", "label:tumour", "Manufacturer", val=0.4)
    sides = {row.patient: row.split for row in made.slices}
    val = {int(one[1:]) for one in sides if sides[one] == "val"}
    assert len(val) == 4
    assert len(val & {2, 3, 6, 7}) in (1, 2)
    assert len([one for one in val if one % 2]) == 2


def test_the_manifest_has_the_shares_and_no_path(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "private.csv"
    table.write_text("patient,site\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(1, 11)))
    made = split(tree, tmp_path / "out", f"{table}:site", "age", folds=2)
    tool = json.loads(made.manifest.read_text())["chaosprep"]
    kinds = {share["kind"] for share in tool["division"]}
    assert {"table:site=a", "table:site=b", "age=unknown"} <= kinds
    assert {share["part"] for share in tool["division"]} == {"fold 0", "fold 1"}
    assert "private" not in made.manifest.read_text()
    assert tool["parameters"]["stratify"][0].endswith(":site")


def test_it_does_not_matter_how_many_work(tree: Path) -> None:
    wishes = ("label:tumour", "volume:liver", "age", "Manufacturer")
    several = Workbench(jobs=2, work=on_workers)
    assert told(tree, *wishes) == told(tree, *wishes, bench=several)


def test_only_the_wanted_patients_are_read(tree: Path) -> None:
    assert {*told(tree, "Manufacturer", patient=["P001", "P002"])} == {"1", "2"}


def test_a_data_set_of_sides_of_its_own_is_not_balanced(tree: Path) -> None:
    opened = open_root(tree, params(**PLACES))
    cases = [msgspec.structs.replace(case, split="val") for case in opened.cases]
    with pytest.raises(UsageError, match="stratify: the data set has sides"):
        official_sides(cases, params(stratify=["sequence"]))


def test_without_a_wish_nothing_is_read(tree: Path) -> None:
    opened: Root = open_root(tree, params(**PLACES))
    assert with_traits(opened, params(), ALONE) is opened
