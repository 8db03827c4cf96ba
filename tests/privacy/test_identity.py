"""What identifies in a header, and whether a name gives it away."""

from io import BytesIO

import pytest
from pydicom.uid import ExplicitVRBigEndian

from chaosprep.privacy.identity import exposes, has_uid, patient_key, read_identity
from tests.formats.samples import dataset, dicom, encoded


def test_values_that_identify_are_read_and_no_others() -> None:
    found = read_identity(dicom(PatientID="A-17", StudyDate="20190203"))
    assert found["PatientID"] == "A-17"
    assert found["PatientName"] == "Doe^Jane"
    assert found["StudyDate"] == "20190203"
    assert "Modality" not in found


def test_a_file_gives_what_its_bytes_give() -> None:
    data = encoded(dataset(PatientID="A-17"), ExplicitVRBigEndian)
    assert read_identity(BytesIO(data)) == read_identity(data)


@pytest.mark.parametrize("data", [b"", b"not DICOM", dicom()[:140], dicom()[:200]])
def test_what_cannot_be_read_tells_nothing(data: bytes) -> None:
    assert read_identity(data) == {} or "PatientID" not in read_identity(data)


def test_names_in_other_spellings_are_one_patients() -> None:
    keys = {
        patient_key({"PatientName": name}, "PatientName")
        for name in ("Doe^Jane", "DOE^JANE", "doe^jane^^", " Doe ^Jane", "Doe^Jane=X^Y")
    }
    assert keys == {"doe^jane"}


def test_ids_differ_by_any_sign() -> None:
    assert patient_key({"PatientID": "a1"}, "PatientID") == "a1"
    assert patient_key({"PatientID": "A1"}, "PatientID") == "A1"
    assert patient_key({}, "PatientID") == ""


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("Doe_Jane", "PatientName", "Doe^Jane"),
        ("jane", "PatientName", "Doe^Jane"),
        ("scan-0012345678", "PatientID", "12345678"),
        ("MÜLLER", "PatientName", "Müller^A"),
        ("20190203", "StudyDate", "20190203"),
        ("MR.1.2.840.113619.2.1", "SOPInstanceUID", "1.2.840.113619.2.1"),
    ],
)
def test_a_name_that_is_or_holds_a_value_is_told(name: str, keyword: str, value: str) -> None:
    assert exposes(name, {keyword: value})


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("7", "PatientID", "7"),
        ("IM-0001", "StudyID", "0001"),
        ("liver-014", "PatientID", "A-17"),
        ("001", "PatientName", ""),
    ],
)
def test_short_and_other_values_are_not(name: str, keyword: str, value: str) -> None:
    assert not exposes(name, {keyword: value})


def test_a_uid_is_known_by_its_form() -> None:
    assert has_uid("IM.1.2.840.113619.2.55")
    assert not has_uid("i0000,0000b")
    assert not has_uid("2019.02.03")
