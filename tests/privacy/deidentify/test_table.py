"""Each attribute of table E.1-1 is treated as the table says, wherever it stands."""

import csv
import hmac
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from chaosprep.privacy.deidentify import profile
from tests.formats.samples import dataset
from tests.privacy.deidentify.planting import (
    DATE,
    KEY,
    OWN,
    PATIENT,
    cleaned,
    innermost,
    nested,
    planted,
    put,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value:UserWarning")
TABLE = Path(profile.__file__).with_name("e1_1.tsv")
# PatientName and PatientID are the pseudonym; elements of these groups have no place in an image.
APART = ("00100010", "00100020")
NO_PLACE = ("0000", "0002", "0004")


def rows() -> list[dict[str, str]]:
    """The rows of attributes that can stand in an image, each alone."""
    with TABLE.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    return [
        row
        for row in found
        if "x" not in row["tag"] and row["tag"] != "odd"
        if row["tag"] not in APART and row["tag"][:4] not in NO_PLACE
    ]


def days() -> int:
    """By how many days the dates of the patient move."""
    message = f"chaosprep.days\0{PATIENT}".encode()
    digest = hmac.digest(b"sixteen bytes and more", message, "sha256")
    return -1 - int.from_bytes(digest[:16], "big") % 3650


def moved() -> str:
    """The planted date, moved."""
    there = date(1987, 6, 13) + timedelta(days())
    return f"{there:%Y%m%d}"


def everywhere(only: set[str]) -> tuple[list[dict[str, str]], list[Dataset]]:
    """The rows of attributes of these VRs, and data sets that had all of them, de-identified."""
    chosen = [row for row in rows() if dictionary_VR(int(row["tag"], 16)) in only]
    inner, root = Dataset(), dataset()
    for row in chosen:
        tag = int(row["tag"], 16)
        vr = dictionary_VR(tag)
        for place in (inner, root):
            put(place, tag, vr, planted(vr, tag) or b"\1\0\0\0\0\0\0\0"[:2])
    return chosen, [cleaned(root), innermost(cleaned(nested(inner)))]


def value_of(place: Dataset, row: dict[str, str]) -> Any:  # noqa: ANN401
    """None where the attribute is gone."""
    element = place.get(Tag(int(row["tag"], 16)))
    return None if element is None else element.value


def test_the_table_has_the_rows_of_the_standard() -> None:
    with TABLE.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    counts = {
        action: sum(row["basic_profile"] == action for row in found)
        for action in ("X", "D", "U", "Z", "X/D", "X/Z", "X/Z/D", "Z/D", "X/Z/U*")
    }
    assert counts == {
        **{"X": 384, "D": 92, "U": 54, "Z": 42, "X/D": 22, "X/Z": 11, "X/Z/D": 8, "Z/D": 6},
        "X/Z/U*": 2,
    }
    assert len(found) == len({row["tag"] for row in found}) == 621
    assert sum(row["modified_dates"] == "C" for row in found) == 165
    assert sum(row["clean_descriptors"] == "C" for row in found) == 125


def test_keywords_of_the_table_are_those_of_the_dictionary() -> None:
    for tag, rule in profile.rules().items():
        element = Dataset()
        put(element, tag, dictionary_VR(tag), b"")
        assert element[tag].keyword == rule.keyword


def test_texts_and_numbers_go_are_emptied_or_replaced_as_the_table_says() -> None:
    texts = {"LO", "SH", "ST", "LT", "UC", "UT", "AE", "PN", "UR", "CS", "AS", "DS", "IS", "US"}
    wrong = []
    chosen, places = everywhere({*texts, "OB", "UN"})
    for row in chosen:
        action = row["basic_profile"]
        for place in places:
            value = value_of(place, row)
            if "D" in action:
                before = planted(dictionary_VR(int(row["tag"], 16)), int(row["tag"], 16))
                right = value not in (None, "", b"") and str(before) not in repr(value)
            elif "Z" in action:
                right = value is not None and not value
            else:
                right = action == "X" and value is None
            wrong += [] if right else [(row["keyword"], action, value)]
    assert not wrong
    assert len(chosen) > 300


def test_dates_move_where_the_table_lets_them_stay_modified() -> None:
    wrong = []
    chosen, places = everywhere({"DA", "DT"})
    for row in chosen:
        is_da = dictionary_VR(int(row["tag"], 16)) == "DA"
        for place in places:
            value = value_of(place, row)
            if row["modified_dates"] == "C":
                right = value == (moved() if is_da else f"{moved()}101112.5")
            else:
                right = value is None if row["basic_profile"] == "X" else value == ""
            wrong += [] if right else [(row["keyword"], value)]
    assert not wrong
    assert len(chosen) > 100
    assert moved() != DATE


def test_uids_become_others_by_the_key() -> None:
    chosen, places = everywhere({"UI"})
    for row in chosen:
        for place in places:
            value = value_of(place, row)
            assert value is not None, row["keyword"]
            assert value.startswith("2.25."), row["keyword"]
            assert value.is_valid
    assert len(chosen) > 45


def test_descriptions_that_the_option_cleans_keep_harmless_words() -> None:
    texts = {"LO", "SH", "ST", "LT", "UC", "UT"}
    chosen = [
        row
        for row in rows()
        if row["clean_descriptors"] == "C" and dictionary_VR(int(row["tag"], 16)) in texts
    ]
    slice_ = dataset()
    for row in chosen:
        tag = int(row["tag"], 16)
        put(slice_, tag, dictionary_VR(tag), b"Liver")
    found = cleaned(slice_)
    assert [
        row["keyword"] for row in chosen if value_of(found, row) not in ("Liver", ["Liver"])
    ] == []
    assert len(chosen) > 80


@pytest.mark.parametrize("depth", ["root", "nested"])
def test_sequences_go_are_emptied_or_cleaned_within_as_the_table_says(depth: str) -> None:
    chosen = [row for row in rows() if dictionary_VR(int(row["tag"], 16)) == "SQ"]
    root, inner = dataset(), Dataset()
    for row in chosen:
        item = Dataset()
        item.ReferencedSOPInstanceUID = f"{OWN}.1"
        item.PersonName = "Doe^Jane"
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "12", "DCM", "Liver"
        place = root if depth == "root" else inner
        place.add_new(int(row["tag"], 16), "SQ", Sequence([item]))
    found = cleaned(root) if depth == "root" else innermost(cleaned(nested(inner)))
    for row in chosen:
        action, value = row["basic_profile"], value_of(found, row)
        if row["clean_descriptors"] == "C" or "U" in action or "D" in action:
            assert value[0].ReferencedSOPInstanceUID.startswith("2.25."), row["keyword"]
            assert "Doe" not in str(value[0]), row["keyword"]
            is_blank = "D" in action and row["clean_descriptors"] != "C"
            assert (value[0].CodeMeaning == "REMOVED") is is_blank, row["keyword"]
        elif "Z" in action:
            assert value == [], row["keyword"]
        else:
            assert value is None, row["keyword"]


def test_curves_overlays_and_unknown_elements_go() -> None:
    slice_ = dataset()
    tags = (0x50003000, 0x50020010, 0x60003000, 0x60004000, 0x60FE0010, 0x00080F0F, 0x0029100A)
    for tag in tags:
        put(slice_, tag, "LO", b"something")
    found = cleaned(slice_)
    assert not [tag for tag in tags if tag in found]


def test_the_patient_is_the_pseudonym_in_every_place() -> None:
    inner = Dataset()
    inner.PatientName, inner.PatientID = "Doe^Jane", "4711"
    found = cleaned(nested(inner))
    for place in (found, innermost(found)):
        assert place.PatientID == PATIENT
        assert place.PatientName == PATIENT
    assert cleaned(dataset(PatientName=None)).PatientName == PATIENT
    assert KEY.patient("x") != PATIENT


def test_elements_that_no_dictionary_knows_go_whatever_their_vr() -> None:
    slice_ = dataset()
    for tag, vr in ((0x00080F0F, "UN"), (0x00180F0F, "OW"), (0x60000010, "US"), (0x00280F0F, "FD")):
        put(slice_, tag, vr, b"Jane Doe")
    assert {element.tag for element in cleaned(slice_)} == {
        element.tag for element in cleaned(dataset())
    }


def test_a_sequence_in_the_place_of_a_text_goes() -> None:
    item = Dataset()
    item.Manufacturer = "Acme"
    slice_ = dataset()
    slice_._dict[Tag(0x00081090)] = DataElement(0x00081090, "SQ", Sequence([item]))
    assert "ManufacturerModelName" not in cleaned(slice_)


def test_pixels_that_are_nested_go() -> None:
    inner = Dataset()
    inner.Rows = inner.Columns = 1
    put(inner, 0x7FE00010, "OW", b"ab")
    found = innermost(cleaned(nested(inner)))
    assert found.Rows == 1
    assert "PixelData" not in found
