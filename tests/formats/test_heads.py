"""A few elements of a header: what they are, and how little of a file is read for them."""

import struct
from io import BytesIO

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chaosprep.formats.dicom import heads
from chaosprep.formats.dicom.heads import read_elements
from tests.formats.samples import dataset, dicom, encoded
from tests.formats.test_transfer import deflated

LARGE = np.zeros((1024, 1024), np.uint16)


def patient_id(source: bytes | BytesIO) -> str | None:
    found = read_elements(source, ["PatientID", "StudyDate"])
    return None if found is None else str(found.PatientID)


def element(group: int, number: int, data: bytes) -> bytes:
    """An element of VR OB, explicit little endian (PS3.5 7.1.2)."""
    return struct.pack("<HH2sHI", group, number, b"OB", 0, len(data)) + data


def with_elements(elements: bytes) -> bytes:
    """A slice with elements before its PatientID."""
    data = dicom(PatientID="A-17")
    at = data.index(struct.pack("<HH", 0x10, 0x20))
    return data[:at] + elements + data[at:]


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_elements_are_read_in_every_syntax(syntax: UID) -> None:
    data = encoded(dataset(PatientID="A-17", StudyDate="20190203"), syntax)
    for source in (data, BytesIO(data)):
        found = read_elements(source, ["PatientID", "StudyDate"])
        assert found is not None
        assert (found.PatientID, found.StudyDate) == ("A-17", "20190203")
        assert "Modality" not in found


def test_of_a_file_no_more_than_the_beginning_is_read() -> None:
    file = BytesIO(dicom(LARGE, PatientID="A-17"))
    assert patient_id(file) == "A-17"
    assert file.tell() <= 132 + 2**18


def test_a_long_header_is_read_to_its_end() -> None:
    data = with_elements(element(0x0009, 0x1010, bytes(2**19)))
    assert patient_id(BytesIO(data)) == patient_id(data) == "A-17"


def test_elements_out_of_order_are_found() -> None:
    assert patient_id(with_elements(element(0xFFFC, 0xFFFC, b""))) == "A-17"


def test_a_deflated_file_is_inflated_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    body = dicom(PatientID="A-17", PixelData=None)
    body = body[144 + int.from_bytes(body[140:144], "little") :]
    assert patient_id(deflated(body)) == "A-17"
    bomb = deflated(body, element(0x0009, 0x1010, bytes(2**21)))
    assert patient_id(bomb) == "A-17"
    monkeypatch.setattr(heads, "MAX_PIXELS", 2**10)
    assert patient_id(bomb) is None


def test_elements_without_end_are_not_read() -> None:
    empty = b"".join(element(0x0009, number % 2**16, b"") for number in range(2**18))
    assert patient_id(with_elements(empty)) is None


@pytest.mark.parametrize("data", [b"", b"DICM", bytes(2**19)])
def test_what_is_no_dicom_has_none(data: bytes) -> None:
    assert patient_id(data) is None
