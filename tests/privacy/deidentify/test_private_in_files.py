"""Private elements of whole files: grids of slices stay so, and what is planted is gone."""

from io import BytesIO
from itertools import product

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
)

from chaosprep.formats.dicom.reading import read_frames, read_headers
from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.pseudonyms import Key
from tests.formats.mosaics import Stack, csa, siemens, united_imaging
from tests.formats.samples import dataset, encoded, item

KEY = Key(b"k" * 32)
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
CANARIES = ("CANARY^HELGA", "4711081598765", "1.2.276.0.7230010.3.1.4.8323329")
STACK = Stack(7)
BLOCKS = [
    ("SIEMENS MR HEADER", 0x0019, 0x0C),
    ("SIEMENS MR HEADER", 0x0051, 0x0F),
    ("SIEMENS CSA HEADER", 0x0029, 0x10),
    ("SIEMENS CSA HEADER", 0x0029, 0x09),
    ("SIEMENS MEDCOM HEADER2", 0x0029, 0x60),
    ("GEMS_PARM_01", 0x0043, 0x39),
    ("GEMS_IDEN_01", 0x0009, 0x02),
    ("GEMS_ACQU_01", 0x0019, 0xBB),
    ("Philips Imaging DD 001", 0x2001, 0x04),
    ("Philips Imaging DD 001", 0x2001, 0x63),
    ("Philips MR Imaging DD 001", 0x2005, 0x0E),
    ("Image Private Header", 0x0065, 0x50),
    ("Image Private Header", 0x0065, 0x2D),
    ("SOMEBODY ELSE", 0x0099, 0x01),
]


def passed_on(made: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    return deidentified(encoded(made, syntax), "P0123456789", KEY)


def planted_in(place: Dataset, creator: str, group: int, element: int, vr: str, text: str) -> None:
    block = place.private_block(group, creator, create=True)
    block.add_new(element, vr, text.encode() if vr in ("OB", "UN") else text)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
@pytest.mark.parametrize("of", [siemens, united_imaging])
def test_a_grid_of_slices_stays_one(of: type, syntax: UID) -> None:
    data = encoded(of(STACK), syntax)
    made = deidentified(data, "P0123456789", KEY)
    headers, pixels = read_frames(made)
    np.testing.assert_array_equal(pixels, read_frames(data)[1])
    assert len(headers) == STACK.count
    places = [one.image_position_patient for one in headers]
    np.testing.assert_allclose(np.array(places), np.array(STACK.positions), atol=1e-5)
    assert places == [one.image_position_patient for one in read_headers(data)]


def test_the_b_value_of_a_csa_header_stays() -> None:
    assert read_headers(passed_on(siemens(STACK)))[0].evidence["DiffusionBValue"] == "800"


@pytest.mark.parametrize(("creator", "group", "element"), BLOCKS)
def test_what_is_planted_in_a_makers_block_is_in_no_byte(
    creator: str, group: int, element: int
) -> None:
    vrs = {"UI": CANARIES[2:], **dict.fromkeys(("LO", "OB", "UN", "LT", "PN"), CANARIES)}
    for depth, vr in product((0, 2), vrs):
        for text in vrs[vr]:
            made = place = dataset()
            for _ in range(depth):
                place.SourceImageSequence = item(ReferencedSOPClassUID=MRImageStorage)
                place = place.SourceImageSequence[0]
            planted_in(place, creator, group, element, vr, text)
            assert text.encode() not in passed_on(made)


def test_what_is_planted_in_a_private_sequence_is_in_no_byte() -> None:
    for creator, element in (("Image Private Header", 0x51), ("SOMEBODY ELSE", 0x51)):
        for syntax in SYNTAXES:
            made, inside = dataset(), Dataset()
            inside.PatientName, inside.PatientID, inside.SOPInstanceUID = CANARIES
            inside.ImagePositionPatient = [1, 2, 3]
            planted_in(inside, creator, 0x0065, 0x2D, "LO", CANARIES[0])
            block = made.private_block(0x0065, creator, create=True)
            block.add_new(element, "SQ", Sequence([inside]))
            found = passed_on(made, syntax)
            assert [text for text in CANARIES if text.encode() in found] == []


def test_a_csa_header_is_passed_on_without_its_texts() -> None:
    header = csa({"B_value": ["50"], "PatientName": [CANARIES[0]], "UID": [CANARIES[2]]})
    made = passed_on(siemens(STACK, header=header, count=1))
    assert [text for text in CANARIES if text.encode() in made] == []
    assert b"B_value" in made


def test_a_creator_stays_with_something_safe_alone() -> None:
    made = dataset()
    planted_in(made, "SIEMENS MR HEADER", 0x0019, 0x0C, "IS", "1000")
    planted_in(made, "SIEMENS MR HEADER", 0x0051, 0x0F, "LO", "t:HEA;HEP")
    planted_in(made, CANARIES[0], 0x0053, 0x01, "LO", "1")
    found = dcmread(BytesIO(passed_on(made)))
    private = {int(one.tag): one.value for one in found if one.tag.is_private}
    assert private == {0x00190010: "SIEMENS MR HEADER", 0x0019100C: 1000}
