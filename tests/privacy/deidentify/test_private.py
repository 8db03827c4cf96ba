"""Private elements: what is safe stays as it is, and nothing that is planted stays with it."""

import struct
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chaosprep.privacy.deidentify import private
from tests.formats.mosaics import csa

with warnings.catch_warnings(action="ignore"):  # it calls itself experimental
    from nibabel.nicom import csareader

READ: Callable[[bytes], dict[str, Any]] = csareader.read
CANARY = b"CANARY^HELGA"
SAFE = [
    ("SIEMENS MR HEADER", 0x0019, 0x0A, struct.pack("<H", 36)),
    ("SIEMENS MR HEADER", 0x0019, 0x0C, b"1000"),
    ("SIEMENS MR HEADER", 0x0019, 0x0D, b"DIRECTIONAL "),
    ("SIEMENS MR HEADER", 0x0019, 0x0E, struct.pack("<3d", 0.6, -0.8, 0.0)),
    ("SIEMENS MR HEADER", 0x0019, 0x27, struct.pack("<6d", 1, 0, 0, 999.5, 0, 1)),
    ("SIEMENS MR HEADER", 0x0019, 0x29, struct.pack("<3d", 0.0, 1002.5, 57.5)),
    ("GEMS_PARM_01", 0x0043, 0x39, b"1000000800\\8\\0\\0 "),
    ("GEMS_PARM_01", 0x0043, 0x2F, struct.pack("<h", 2)),
    ("GEMS_PARM_01", 0x0043, 0x27, b"0.984:1 "),
    ("GEMS_ACQU_01", 0x0019, 0xBB, b"-0.57735"),
    ("Philips Imaging DD 001", 0x2001, 0x03, struct.pack("<f", 1000.0)),
    ("Philips Imaging DD 001", 0x2001, 0x04, b"I "),
    ("Philips MR Imaging DD 001", 0x2005, 0x0E, struct.pack("<f", 0.00173)),
    ("Philips PET Private Group", 0x7053, 0x00, b"0.000273"),
    ("Image Private Header", 0x0065, 0x09, struct.pack("<d", 929.75)),
    ("Image Private Header", 0x0065, 0x50, b"20"),
    ("ELSCINT1", 0x01F1, 0x26, b"1.5 "),
]


@pytest.mark.parametrize(("creator", "group", "element", "value"), SAFE)
def test_what_tells_volumes_apart_stays_byte_for_byte(
    creator: str, group: int, element: int, value: bytes
) -> None:
    assert private.is_safe(creator, group, element)
    assert private.cleaned(creator, group, element, value) == value


@pytest.mark.parametrize(("creator", "group", "element", "value"), SAFE)
@pytest.mark.parametrize(
    "planted",
    [CANARY, CANARY * 2, b"19650312", b"19650312\\1", b"4711081", b"1\\" + CANARY, b"HELG"],
    ids=lambda planted: planted.decode(),
)
def test_a_text_or_a_long_number_in_a_safe_place_goes(
    creator: str, group: int, element: int, value: bytes, planted: bytes
) -> None:
    assert private.cleaned(creator, group, element, planted) is None


@pytest.mark.parametrize(("creator", "group", "element", "value"), SAFE)
def test_what_is_longer_than_all_its_numbers_goes_unread(
    creator: str, group: int, element: int, value: bytes
) -> None:
    assert private.cleaned(creator, group, element, b"\\" * 2**24) is None


def test_binary_numbers_are_read_in_the_order_of_the_file() -> None:
    value = struct.pack(">d", 929.75)
    place = "Image Private Header", 0x0065, 0x09
    assert private.cleaned(*place, value, big_endian=True) == value
    assert private.cleaned(*place, value) is None


def test_the_number_of_an_element_is_anothers_under_another_creator() -> None:
    assert not private.is_safe("SOMEBODY ELSE", 0x0019, 0x0C)
    assert not private.is_safe("SIEMENS MR HEADER", 0x0021, 0x0C)
    assert private.cleaned("SOMEBODY ELSE", 0x0019, 0x0C, b"1000") is None


def test_the_standards_texts_uids_and_data_of_a_makers_own_are_not_safe() -> None:
    for creator, group, element in (
        ("GEMS_ACQU_01", 0x0019, 0x9E),
        ("NQHeader", 0x0099, 0x02),
        ("NQHeader", 0x0099, 0x05),
        ("HOLOGIC, Inc.", 0x7E01, 0x12),
        ("SIEMENS MEDCOM HEADER", 0x0029, 0x20),
        ("GEMS_IDEN_01", 0x0009, 0x02),
    ):
        assert not private.is_safe(creator, group, element)


def test_a_csa_header_is_made_anew_of_its_safe_numbers() -> None:
    tags: dict[str, list[object]] = {
        "EchoLinePosition": ["32"],
        "NumberOfImagesInMosaic": ["      36"],
        "SliceNormalVector": ["0.10000000", "0.00000000", "-0.99498744"],
        "B_value": ["800"],
        "MosaicRefAcqTimes": ["0.00000000", "1157.50000000"],
        "PatientName": [CANARY.decode()],
        "MrPhoenixProtocol": ["### ASCCONV BEGIN ###\ntPatientName = HELGA"],
        "ReferencedImageUID": ["1.3.12.2.1107.5.2.32"],
    }
    found = private.cleaned("SIEMENS CSA HEADER", 0x0029, 0x10, csa(tags))
    assert found is not None
    read = READ(found)["tags"]
    assert read["NumberOfImagesInMosaic"]["items"] == [36]
    assert read["B_value"]["items"] == [800]
    np.testing.assert_array_equal(read["SliceNormalVector"]["items"], [0.1, 0.0, -0.99498744])
    np.testing.assert_array_equal(read["MosaicRefAcqTimes"]["items"], [0.0, 1157.5])
    assert set(read) <= {
        *("NumberOfImagesInMosaic", "B_value", "SliceNormalVector", "MosaicRefAcqTimes"),
    }
    for planted in (b"HELGA", b"junk", b"ASCCONV", b"1.3.12"):
        assert planted not in found


@pytest.mark.parametrize("planted", ["HELGA", "19650312", "1.3.12.2.1107"])
def test_a_tag_of_a_csa_header_that_is_no_small_number_goes(planted: str) -> None:
    found = private.cleaned(
        "SIEMENS CSA HEADER", 0x0029, 0x20, csa({"B_value": [planted], "RealDwellTime": [2900]})
    )
    assert found is not None
    assert planted.encode() not in found
    assert READ(found)["tags"]["RealDwellTime"]["items"] == [2900]


@pytest.mark.parametrize(
    "header",
    [b"", b"SV10", CANARY * 20, csa({"PatientName": ["HELGA"]}), csa({"B_value": [5]})[:-8]],
    ids=["nothing", "begun", "another kind", "nothing safe", "cut"],
)
def test_of_a_csa_header_without_what_is_safe_nothing_stays(header: bytes) -> None:
    assert private.cleaned("SIEMENS CSA HEADER", 0x0029, 0x10, header) is None
