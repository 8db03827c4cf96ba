"""One DICOM file without what identifies."""

import re
from typing import TYPE_CHECKING, NamedTuple

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import guarded
from chaosprep.formats.dicom.start import is_bare, is_dicom
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.privacy.deidentify import burned_in, profile
from chaosprep.privacy.deidentify.actions import Cleaner
from chaosprep.privacy.deidentify.codestreams import COMPRESSED, pixels_alone
from chaosprep.privacy.deidentify.elements import Element, Elements, Reader, Syntax, Writer
from chaosprep.privacy.deidentify.kinds import check_kind
from chaosprep.privacy.deidentify.texts import padded
from chaosprep.privacy.deidentify.uids import is_registered, keyed
from chaosprep.privacy.deidentify.who import who_is_in
from chaosprep.privacy.pseudonyms import Key

if TYPE_CHECKING:
    from pydicom import Dataset

_PREAMBLE = 132  # bytes, with the prefix (PS3.10 7.1)
_PREFIX = b"DICM"
_META = 0x0002
_META_VERSION, _META_CLASS, _META_INSTANCE = 0x00020001, 0x00020002, 0x00020003
_META_LENGTH, _TRANSFER_SYNTAX = 0x00020000, 0x00020010
_IMPLEMENTATION, _IMPLEMENTATION_NAME = 0x00020012, 0x00020013
_OURS = "2.25.188419725610234077421886307014550813577"
_SOP_CLASS, _SOP_INSTANCE, _IMAGE_TYPE, _MODALITY = 0x00080016, 0x00080018, 0x00080008, 0x00080060
_ROWS = 0x00280010
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_BIG = "1.2.840.10008.1.2.2"
_PLAIN = (_IMPLICIT, _EXPLICIT, _BIG)
# JPIP: the pixels are not in the file but at an address.
_ELSEWHERE = tuple(f"1.2.840.10008.1.2.4.{last}" for last in (94, 95, 204, 205))
_LITTLE_EXPLICIT = Syntax(is_implicit=False, is_little=True)
PSEUDONYM = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What any character set can write."""
METHOD = "chaosprep: PS3.15"
"""How what a file says of its de-identification begins."""
_METHOD = f"{METHOD} {profile.EDITION} Basic Profile and options"  # 64 signs at most


def deidentified(data: bytes, patient: str, key: Key, *, accept_burned_in: bool = False) -> bytes:
    """The file without what identifies; the pixels are the same, bit for bit.

    It is what PS3.15's Basic Application Level Confidentiality Profile asks for, with the options
    Clean Descriptors, Retain Longitudinal Temporal Information with Modified Dates and Retain Safe
    Private. The same file, patient and key give the same bytes, and the same UID the same other
    UID in all files of a key, so that references resolve. A deflated file is written inflated.

    Args:
        data: a DICOM file of images, a segmentation or a structure set, in any transfer syntax.
        patient: the pseudonym, which becomes PatientID and PatientName; dates move by it.
        key: what UIDs and dates come from.
        accept_burned_in: whether pixels that may show text will do.

    Raises:
        FileError: ``burned-in``, its pixels may show text; ``deidentify-kind``, it is no image,
            segmentation or structure set; ``not-dicom``, ``dicom-broken``, ``dicom-truncated``,
            ``too-large`` or ``transfer-syntax``, it cannot be read.
    """
    data = whole(data)
    meta, elements, uid, syntax = parse(data)
    check_kind(_evidence(elements, meta), _ROWS in elements)
    if not accept_burned_in:
        _check_pixels(data)
    patient = patient if PSEUDONYM.fullmatch(patient) else key.patient(patient)
    cleaner = Cleaner(patient, key, who_is_in(elements), is_little=syntax.is_little)
    there = cleaner.data_set(pixels_alone(elements, uid)) | _said(patient)
    written = Writer(syntax).data_set(there)
    return bytes(_PREAMBLE - len(_PREFIX)) + _PREFIX + _new_meta(meta, there, uid, key) + written


class Parsed(NamedTuple):
    """The file meta information and the data set of a file, and how the data set is encoded."""

    meta: Elements
    elements: Elements
    syntax: str
    encoding: Syntax


def parse(data: bytes) -> Parsed:
    """Parse what `whole` gave.

    Raises:
        FileError: as `deidentified` does.
    """
    with guarded("the file cannot be made sense of"):
        meta, at = _meta(data)
        uid, reader, syntax = _syntax(data, meta, at)
        elements, _ = reader.data_set(at, len(data), implicit=syntax.is_implicit)
    return Parsed(meta, elements, uid, syntax)


def whole(data: bytes) -> bytes:
    """The file with a preamble, and inflated."""
    if not is_dicom(data):
        if not is_bare(data):
            raise FileError(
                "not a DICOM file", "Leave it out, or convert it to DICOM.", "not-dicom"
            )
        data = bytes(_PREAMBLE - len(_PREFIX)) + _PREFIX + data
    with guarded("its deflated data cannot be read"):
        return inflated(data, MAX_PIXELS)


def _meta(data: bytes) -> tuple[Elements, int]:
    """The file meta information, and where the data set begins (PS3.10 7.1: explicit, little)."""
    at, found = _PREAMBLE, Elements()
    reader = Reader(data, is_little=True)
    while data[at : at + 2] == _META.to_bytes(2, "little"):
        implicit = reader.looks_implicit(at, False)
        tag, element, at = reader.element(at, len(data), implicit=implicit)
        found[tag] = element
    return found, at


def _syntax(data: bytes, meta: Elements, at: int) -> tuple[str, Reader, Syntax]:
    """The transfer syntax, and what reads and writes it; where the data are otherwise, as they are.

    Raises `FileError` ``transfer-syntax``.
    """
    declared = _text(meta, _TRANSFER_SYNTAX)
    if declared and declared not in (*_PLAIN, *COMPRESSED):
        reason = "it is not known what it holds besides the pixels"
        if declared in _ELSEWHERE or not is_registered(declared):
            reason = "its pixels are elsewhere" if declared in _ELSEWHERE else "it is a private one"
        remedy = "Rewrite the file uncompressed, for example with `gdcmconv --raw`."
        raise FileError(f"its transfer syntax cannot be kept: {reason}", remedy, "transfer-syntax")
    # Without meta information only the first group can tell the order of bytes.
    is_little = declared != _BIG if declared else data[at : at + 1] != b"\0"
    reader = Reader(data, is_little=is_little)
    implicit = reader.looks_implicit(at, declared in ("", _IMPLICIT))
    if declared in ("", *_PLAIN):
        plain = _EXPLICIT if is_little else _BIG
        declared = _IMPLICIT if implicit and is_little else plain
    return declared, reader, Syntax(implicit, is_little)


def _evidence(elements: Elements, meta: Elements) -> dict[str, str]:
    found = {
        "SOPClassUID": _text(elements, _SOP_CLASS) or _text(meta, _META_CLASS),
        "Modality": _text(elements, _MODALITY),
        "ImageType": _text(elements, _IMAGE_TYPE),
    }
    return {keyword: text for keyword, text in found.items() if text}


def _check_pixels(data: bytes) -> None:
    """Refuse pixels that may show text. Raises `FileError` ``burned-in``."""
    with guarded("pydicom cannot make sense of the file"):
        reason = burned_in.doubt(_parsed(data))
    if reason:
        remedy = "Look at the pictures; accept them with --accept-burned-in, or leave them out."
        raise FileError(f"its pixels may show who the patient is: {reason}", remedy, "burned-in")


def _parsed(data: bytes) -> "Dataset":
    from pydicom import dcmread

    return dcmread(open_stream(data), force=True)


def _said(patient: str) -> Elements:
    """The pseudonym, and that and how the file was de-identified (PS3.15 E.1.1)."""
    codes = [
        {
            0x00080100: Element(0x00080100, "SH", padded(code.encode(), "SH")),
            0x00080102: Element(0x00080102, "SH", b"DCM "),
            0x00080104: Element(0x00080104, "LO", padded(meaning.encode(), "LO")),
        }
        for code, meaning in profile.OPTIONS
    ]
    pseudonym = padded(patient.encode(), "LO")
    found = (
        Element(0x00100010, "PN", pseudonym),  # PatientName
        Element(0x00100020, "LO", pseudonym),  # PatientID
        Element(0x00120062, "CS", b"YES "),  # PatientIdentityRemoved
        Element(0x00120063, "LO", padded(_METHOD.encode(), "LO")),  # DeidentificationMethod
        Element(0x00120064, "SQ", items=codes),  # DeidentificationMethodCodeSequence
        Element(0x00280303, "CS", b"MODIFIED"),  # LongitudinalTemporalInformationModified
    )
    return {element.tag: element for element in found}


def _new_meta(meta: Elements, elements: Elements, syntax: str, key: Key) -> bytes:
    """File meta information of nothing but what PS3.10 7.1 asks for."""
    sop_class = _text(elements, _SOP_CLASS) or keyed(_text(meta, _META_CLASS), key)
    instance = _text(elements, _SOP_INSTANCE) or keyed(_text(meta, _META_INSTANCE), key)
    texts = {
        _META_CLASS: sop_class,
        _META_INSTANCE: instance,
        _TRANSFER_SYNTAX: syntax,
        _IMPLEMENTATION: _OURS,
    }
    found = {tag: Element(tag, "UI", padded(text.encode(), "UI")) for tag, text in texts.items()}
    found[_META_VERSION] = Element(_META_VERSION, "OB", b"\0\1")
    found[_IMPLEMENTATION_NAME] = Element(_IMPLEMENTATION_NAME, "SH", padded(b"CHAOSPREP", "SH"))
    writer = Writer(_LITTLE_EXPLICIT)
    written = writer.data_set(found)
    length = Element(_META_LENGTH, "UL", len(written).to_bytes(4, "little"))
    return writer.data_set({_META_LENGTH: length}) + written


def _text(elements: Elements, tag: int) -> str:
    element = elements.get(tag)
    return bytes(element.value).decode("latin-1").strip(" \0") if element else ""
