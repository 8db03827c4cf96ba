"""Nothing that was planted is found in any byte, whatever attribute it stood in."""

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.deidentify.vocabulary import VERBATIM
from tests.formats.samples import dataset
from tests.privacy.deidentify.planting import (
    DATE,
    KEY,
    MARK,
    OWN,
    PATIENT,
    as_syntax,
    dictionary,
    innermost,
    nested,
    planted,
    put,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value:UserWarning")
NAME = b"QZNAME^QZFIRST"
PIXELS = 0x7FE00010
MR, SEG, RTSTRUCT = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("4", "66.4", "481.3"))
KINDS = {
    "explicit": (ExplicitVRLittleEndian, MR),
    "implicit": (ImplicitVRLittleEndian, MR),
    "big-endian": (ExplicitVRBigEndian, MR),
    "SEG": (ExplicitVRLittleEndian, SEG),
    "RTSTRUCT": (ImplicitVRLittleEndian, RTSTRUCT),
}


def plant(place: Dataset) -> int:
    """Plant something in all attributes that the place does not have yet; tell in how many."""
    count = 0
    for tag, vr in dictionary():
        value = planted(vr, tag)
        if tag in VERBATIM or vr == "CS":  # texts of machines stay, words of the patient's do not
            value = NAME[:6]
        if value is not None and tag not in place and tag != PIXELS:
            put(place, tag, vr, NAME if tag == 0x00100010 else value)
            count += 1
    return count


def plant_private(slice_: Dataset) -> int:
    """Plant something in a private sequence that stays (UIH's grids), and in a block that goes."""
    inside = Dataset()
    count = plant(inside)
    slice_.private_block(0x65, "Image Private Header", create=True).add_new(
        0x51, "SQ", Sequence([inside])
    )
    block = slice_.private_block(0x65, "QZ MAKER", create=True)
    for number, vr in enumerate(("LO", "PN", "DA", "UI", "UN", "DT")):
        put(slice_, block.get_tag(number), vr, planted(vr, number + 1) or b"")
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_no_planted_text_date_or_uid_is_left_in_any_attribute(kind: str) -> None:
    syntax, sop_class = KINDS[kind]
    inner = Dataset()
    slice_ = nested(inner)
    slice_.SOPClassUID = sop_class
    slice_.PatientName = NAME.decode()
    private = plant_private(slice_)
    count = plant(inner) + plant(slice_)
    assert private > 2000
    assert count > 5000
    slice_.file_meta.SourceApplicationEntityTitle = "QZSOURCE"
    slice_.file_meta.SendingApplicationEntityTitle = "QZSENDER"
    slice_.file_meta.ReceivingApplicationEntityTitle = "QZRECEIVER"
    slice_.file_meta.PrivateInformationCreatorUID = UID(f"{OWN}.1")
    slice_.file_meta.PrivateInformation = b"QZPRIVATE."
    slice_.file_meta.ImplementationVersionName = "QZPACS"
    data = as_syntax(slice_, syntax)
    data = b"QZPREAMBLE" + data[10:]
    assert data.count(MARK.encode()) > 4000
    found = deidentified(data, PATIENT, KEY)
    for planted_one in (MARK, OWN, DATE, "qz"):
        assert planted_one.encode() not in found
    there = dcmread(BytesIO(found))
    assert there.SOPClassUID == sop_class
    assert len(innermost(there)) > 1000
    sequence = there.get_item(0x00651051)
    assert isinstance(sequence, RawDataElement)
    assert sequence.length > 10_000


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "GB18030", "ISO_IR 144"])
def test_names_in_other_alphabets_are_left_in_no_encoding(charset: str) -> None:
    name = {
        "GB18030": "王^小东",
        "ISO_IR 144": "\u0416\u0434\u0430\u043d^\u0418\u0432\u0430\u043d",
    }.get(charset, "Äneas^Rüdiger")
    slice_ = dataset(SpecificCharacterSet=charset, PatientName=name)
    for keyword in ("SeriesDescription", "ImageComments", "Manufacturer", "SoftwareVersions"):
        setattr(slice_, keyword, f"{name.split('^')[1]} T2")
    found = deidentified(as_syntax(slice_, ExplicitVRLittleEndian), PATIENT, KEY)
    for part in name.split("^"):
        for encoding in ("utf-8", "latin-1", "gb18030", "iso8859_5", "utf-16-le"):
            try:
                assert part.encode(encoding) not in found, (part, encoding)
            except UnicodeEncodeError:
                continue


def test_a_name_in_a_text_of_a_machine_is_taken_out_and_the_rest_stays() -> None:
    slice_ = dataset(PatientName="Quzzle^Ann", Manufacturer="Acme Quzzle", StationName="Q7")
    found = dcmread(BytesIO(deidentified(as_syntax(slice_, ExplicitVRLittleEndian), PATIENT, KEY)))
    assert found.Manufacturer == "Acme"


@pytest.mark.parametrize("name", ["Lee^Kim", "Ng^Bo", "O'Neil^Ann", "de la Cruz^Ana"])
def test_short_names_go_from_texts_and_no_term_does(name: str) -> None:
    words = name.replace("^", " ")
    slice_ = dataset(PatientName=name, SoftwareVersions=f"VB17 {words}", ScanOptions=["PER", "FS"])
    slice_.BodyPartExamined = words.upper().replace("'", " ")
    found = dcmread(BytesIO(deidentified(as_syntax(slice_, ExplicitVRLittleEndian), PATIENT, KEY)))
    assert found.SoftwareVersions == "VB17"
    assert found.BodyPartExamined in ("", "O")
    assert found.ScanOptions == ["PER", "FS"]


def test_a_term_stays_although_somebody_is_called_so() -> None:
    slice_ = dataset(PatientName="Per^No", ScanOptions=["PER", "FS"], QualityControlImage="NO")
    found = dcmread(BytesIO(deidentified(as_syntax(slice_, ExplicitVRLittleEndian), PATIENT, KEY)))
    assert (found.ScanOptions, found.QualityControlImage) == (["PER", "FS"], "NO")
