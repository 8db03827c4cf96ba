"""What is still in a de-identified file is told by keyword, and nothing of one that is sound."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.deidentify.left import left
from chaosprep.privacy.pseudonyms import Key
from tests.formats.samples import dataset, encoded
from tests.privacy import canaries
from tests.stages.deidentified import planted

KEY, PATIENT = Key(b"0123456789abcdef"), "P0123456789"
SAMPLES = Path(pydicom.__file__).parent / "data/test_files"
# One of each kind of what the profile does, as pydicom writes it.
VALUES: dict[str, Any] = {
    "PatientBirthDate": "19470319",
    "PatientName": canaries.NAME,
    "PatientID": canaries.NUMBER,
    "OtherPatientIDs": canaries.NUMBER,
    "AccessionNumber": canaries.NUMBER,
    "InstitutionName": canaries.ELSEWHERE,
    "StationName": canaries.ELSEWHERE,
    "OperatorsName": canaries.PHYSICIAN,
    "PatientAddress": canaries.ELSEWHERE,
    "StudyDescription": canaries.FREE,
    "SeriesDescription": f"T2 {canaries.FREE}",
    "ImageComments": canaries.FREE,
    "DeviceSerialNumber": "4711-0815",
    "StudyInstanceUID": canaries.UID,
    "SOPInstanceUID": canaries.UID,
    "StudyID": "4711-0815",
    "RetrieveAETitle": "ELSEWHERE",
    "IssuerOfPatientID": canaries.ELSEWHERE,
    "MedicalRecordLocator": canaries.NUMBER,
}


def sound(**changes: Any) -> Dataset:
    """A de-identified slice, to change."""
    return dcmread(BytesIO(deidentified(encoded(dataset(**changes)), PATIENT, KEY)))


def test_nothing_is_left_in_what_was_made(tmp_path: Path) -> None:
    assert left(deidentified(planted(0), PATIENT, KEY), PATIENT) == ()


def test_all_that_was_planted_is_told_of_the_original() -> None:
    told = left(planted(0), PATIENT)
    texts = {name for name in canaries.PLANTED if "Date" not in name}  # moved ones look the same
    assert texts | {"PatientBirthDate"} <= {*told}
    assert {"private elements", "the preamble", "PatientIdentityRemoved"} <= {*told}
    assert {"InstitutionAddress", "ReferencedSOPInstanceUID"} <= {*told}  # nested


@pytest.mark.parametrize("keyword", sorted(VALUES))
def test_one_value_is_told_by_its_keyword_alone(keyword: str) -> None:
    made = sound()
    setattr(made, keyword, VALUES[keyword])
    told = left(encoded(made), PATIENT)
    assert keyword in told
    assert {*told} <= {keyword, "MediaStorageSOPInstanceUID"}
    assert not canaries.holds("".join(told).encode(), "quixotesque")


@pytest.mark.parametrize("keyword", sorted(VALUES))
def test_a_nested_value_is_told_too(keyword: str) -> None:
    made, inside = sound(), Dataset()
    setattr(inside, keyword, VALUES[keyword])
    made.ReferencedImageSequence = [inside]
    assert keyword in left(encoded(made), PATIENT)


def test_private_elements_are_told() -> None:
    made = sound()
    block = made.private_block(0x0011, "A MAKER", create=True)
    block.add_new(0x10, "LO", canaries.ELSEWHERE)
    assert left(encoded(made), PATIENT) == ("private elements",)


def test_file_meta_information_is_told() -> None:
    made = sound()
    made.file_meta.SourceApplicationEntityTitle = "ELSEWHERE"
    assert left(encoded(made), PATIENT) == ("SourceApplicationEntityTitle",)


def test_a_preamble_is_told() -> None:
    data = encoded(sound())
    assert left(b"Quixotesque".ljust(128, b"\0") + data[128:], PATIENT) == ("the preamble",)


def test_a_date_of_another_form_is_told() -> None:
    data = encoded(sound(StudyDate="20190823"))
    made = dcmread(BytesIO(data))
    moved = str(made.StudyDate).encode()
    assert left(data.replace(moved, b"March 19"), PATIENT) == ("StudyDate",)


def test_a_file_that_does_not_say_it_is_told() -> None:
    made = sound()
    del made.PatientIdentityRemoved
    assert left(encoded(made), PATIENT) == ("PatientIdentityRemoved",)
    made.PatientIdentityRemoved = "NO"
    assert left(encoded(made), PATIENT) == ("PatientIdentityRemoved",)


def test_another_patients_file_is_told() -> None:
    assert left(encoded(sound()), "P9876543210") == ("PatientID", "PatientName")


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_syntax_is_read(syntax: pydicom.uid.UID) -> None:
    data = encoded(dataset(InstitutionName=canaries.ELSEWHERE), syntax)
    assert left(deidentified(data, PATIENT, KEY), PATIENT) == ()
    assert "InstitutionName" in left(data, PATIENT)


def test_no_dicom_is_an_error() -> None:
    with pytest.raises(FileError):
        left(b"no DICOM", PATIENT)


def test_nothing_is_left_in_files_of_many_makers() -> None:
    """Every file of pydicom's that can be de-identified; of those that have texts, some is told."""
    done = 0
    for path in sorted(SAMPLES.rglob("*.dcm")):
        data = path.read_bytes()
        try:
            made = deidentified(data, PATIENT, KEY, accept_burned_in=True)
        except ChaosprepError:
            continue
        assert left(made, PATIENT) == (), path.name
        if data[128:132] == b"DICM":
            assert left(data, PATIENT) != ()
        done += 1
    assert done > 40
