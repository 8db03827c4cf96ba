"""Whole files: how they are written, what stays bit for bit, and what is refused."""

import zlib
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read
from chaosprep.privacy.deidentify import burned_in
from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.pseudonyms import Key
from tests.formats.samples import PIXELS, dataset, dicom, encapsulated, encoded
from tests.privacy.deidentify.planting import KEY, OWN, PATIENT, as_syntax, cleaned

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def parsed(data: bytes) -> Dataset:
    """A file, de-identified and read by pydicom."""
    return dcmread(BytesIO(deidentified(data, PATIENT, KEY)))


@pytest.mark.parametrize("syntax", NATIVE, ids=["explicit", "implicit"])
def test_the_toolkit_reads_the_same_slice_as_before(syntax: str) -> None:
    data = as_syntax(dataset(RescaleSlope="1.50", RescaleIntercept="-1024.0"), syntax)
    before, pixels = read(data)
    after, there = read(deidentified(data, PATIENT, KEY))
    assert np.array_equal(pixels, there)
    uid, evidence = after.sop_instance_uid, after.evidence
    assert replace(before, sop_instance_uid=uid, evidence=evidence) == after
    assert parsed(data).file_meta.TransferSyntaxUID == syntax


def test_numbers_stay_the_bytes_that_they_were() -> None:
    data = dicom().replace(b"1.25\\1.5", b"+1.3\\1.5")
    assert data.count(b"+1.3\\1.5") == 1
    assert deidentified(data, PATIENT, KEY).count(b"+1.3\\1.5") == 1


def test_big_endian_files_stay_big_endian() -> None:
    slice_ = dataset(PixelData=PIXELS.astype(">u2").tobytes())
    before = as_syntax(slice_, ExplicitVRBigEndian)
    found = parsed(before)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    assert found.Rows == PIXELS.shape[0]
    assert found.PixelData == dcmread(BytesIO(before)).PixelData


def test_deflated_files_are_written_inflated() -> None:
    data = as_syntax(dataset(), DeflatedExplicitVRLittleEndian)
    found = parsed(data)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(found.pixel_array, PIXELS)
    assert zlib.crc32(found.PixelData) == zlib.crc32(PIXELS.tobytes())


def test_fragments_and_their_offsets_stay_bit_for_bit() -> None:
    frames = [b"first one", b"second frame\xff", b"3" * 70]
    data = encapsulated(frames, RLELossless, NumberOfFrames=3)
    raw = encapsulate(frames)
    assert data.count(raw) == 1
    assert deidentified(data, PATIENT, KEY).count(raw) == 1
    assert parsed(data).file_meta.TransferSyntaxUID == RLELossless


def test_extended_offset_tables_stay() -> None:
    pixels, offsets, lengths = encapsulate_extended([b"aa", b"bbbb"])
    slice_ = dataset(PixelData=pixels, NumberOfFrames=2)
    slice_.ExtendedOffsetTable, slice_.ExtendedOffsetTableLengths = offsets, lengths
    slice_["PixelData"].is_undefined_length = True
    found = parsed(encoded(slice_, RLELossless))
    assert found.ExtendedOffsetTable == offsets
    assert found.ExtendedOffsetTableLengths == lengths


def test_the_same_file_and_key_give_the_same_bytes() -> None:
    data = dicom(StudyInstanceUID=f"{OWN}.2", StudyDate="20200102")
    first = deidentified(data, PATIENT, KEY)
    assert deidentified(data, PATIENT, Key(b"sixteen bytes and more")) == first
    assert deidentified(data, PATIENT, Key(b"another of such a length")) != first


def test_doing_it_twice_says_it_once() -> None:
    data = deidentified(dicom(), PATIENT, KEY)
    found = parsed(data)
    assert len(found.DeidentificationMethodCodeSequence) == 4
    assert found.DeidentificationMethod == dcmread(BytesIO(data)).DeidentificationMethod


def test_the_file_says_that_and_how_it_was_deidentified() -> None:
    found = cleaned(dataset())
    assert found.PatientIdentityRemoved == "YES"
    assert found.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113111"]
    assert {item.CodingSchemeDesignator for item in found.DeidentificationMethodCodeSequence} == {
        "DCM"
    }
    assert "PS3.15" in found.DeidentificationMethod


def test_file_meta_information_has_nothing_but_what_it_must() -> None:
    slice_ = dataset()
    slice_.file_meta.SourceApplicationEntityTitle = "STATION7"
    slice_.file_meta.PrivateInformationCreatorUID = UID(f"{OWN}.3")
    slice_.file_meta.PrivateInformation = b"Doe^Jane"
    found = cleaned(slice_)
    assert {element.keyword for element in found.file_meta} == {
        *("FileMetaInformationGroupLength", "FileMetaInformationVersion", "TransferSyntaxUID"),
        *("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "ImplementationClassUID"),
        "ImplementationVersionName",
    }
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID
    assert found.file_meta.MediaStorageSOPClassUID == found.SOPClassUID


def test_a_preamble_is_zeroed_and_what_follows_the_pixels_goes() -> None:
    slice_ = dataset()
    slice_.add_new(0xFFFCFFFC, "OB", b"Doe^Jane")
    found = deidentified(b"II*\0Jane" + encoded(slice_)[8:], PATIENT, KEY)
    assert found[:132] == bytes(128) + b"DICM"
    assert b"Jane" not in found


def test_files_without_preamble_or_meta_information_become_whole_ones() -> None:
    stream = BytesIO()
    slice_ = dataset()
    del slice_.file_meta
    slice_.save_as(stream, implicit_vr=True, little_endian=True, enforce_file_format=False)
    found = parsed(stream.getvalue())
    assert found.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert np.array_equal(found.pixel_array, PIXELS)


def test_references_resolve_among_the_files_of_a_key() -> None:
    image = dataset(SOPInstanceUID=f"{OWN}.5", FrameOfReferenceUID=f"{OWN}.6")
    other = dataset(SOPInstanceUID=f"{OWN}.7", FrameOfReferenceUID=f"{OWN}.6")
    source, series = Dataset(), Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = image.SOPClassUID, f"{OWN}.5"
    series.SeriesInstanceUID, series.ReferencedInstanceSequence = f"{OWN}.8", Sequence([source])
    other.ReferencedSeriesSequence = Sequence([series])
    other.SourceImageSequence = Sequence([source])
    image, found = cleaned(image), cleaned(other)
    for item in (
        found.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0],
        found.SourceImageSequence[0],
    ):
        assert item.ReferencedSOPInstanceUID == image.SOPInstanceUID
        assert item.ReferencedSOPClassUID == image.SOPClassUID
    assert image.FrameOfReferenceUID == found.FrameOfReferenceUID


def test_sequences_that_are_written_as_unknown_are_cleaned_within() -> None:
    name = b"\x10\0\x10\0" + (8).to_bytes(4, "little") + b"Doe^Jane"
    item = b"\xfe\xff\0\xe0" + len(name).to_bytes(4, "little") + name
    for length, end in ((len(item), b""), (2**32 - 1, b"\xfe\xff\xdd\xe0\0\0\0\0")):
        unknown = b"\x08\0\x15\x11UN\0\0" + length.to_bytes(4, "little") + item + end
        data = dicom()
        at = data.index(b"\x10\0\x10\0PN")
        found = parsed(data[:at] + unknown + data[at:])
        assert found.ReferencedSeriesSequence[0].PatientName == PATIENT


def test_texts_of_another_alphabet_stay_in_it() -> None:
    found = cleaned(dataset(SpecificCharacterSet="ISO_IR 192", SeriesDescription="T2 Doe Jürgen"))
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert found.SeriesDescription == "T2"


def test_codes_of_public_schemes_stay_and_others_become_keyed() -> None:
    public, own = Dataset(), Dataset()
    public.CodeValue, public.CodingSchemeDesignator = "10200004", "SCT"
    public.CodeMeaning = "Liver"
    own.CodeValue, own.CodingSchemeDesignator = "W7-SMITH", "99WARD7"
    own.CodeMeaning = "Smith's lesion"
    found = cleaned(dataset(AnatomicRegionSequence=Sequence([public, own])))
    first, second = found.AnatomicRegionSequence
    assert (first.CodeValue, first.CodingSchemeDesignator) == ("10200004", "SCT")
    assert first.CodeMeaning == "Liver"
    assert second.CodingSchemeDesignator == "99CHAOSPREP"
    assert second.CodeValue not in ("", "W7-SMITH")
    assert "Smith" not in second.CodeMeaning


@pytest.mark.parametrize(
    ("scheme", "code", "stays"),
    [
        *(("DCM", "113100", True), ("DCM", "MR", True), ("SRT", "T-62000", True)),
        *(("UCUM", "mm2/s", True), ("RADLEX", "RID58", True)),
        *(("DCM", "DULCINEA", False), ("SCT", "SMITH-12", False), ("LN", "ANN", False)),
    ],
)
def test_a_word_is_no_code_of_a_public_scheme(scheme: str, code: str, stays: bool) -> None:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = code, scheme, "Liver"
    found = cleaned(dataset(AnatomicRegionSequence=Sequence([one]))).AnatomicRegionSequence[0]
    assert (found.CodeValue == code) == stays


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.1.1.88.33",  # comprehensive SR
        "1.2.840.10008.5.1.4.1.1.104.1",  # encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.66",  # raw data
        "1.2.840.10008.5.1.4.1.1.11.1",  # presentation state
        "1.2.840.10008.5.1.4.1.1.481.5",  # RT plan
        "1.3.12.2.1107.5.9.1",  # a maker's own
    ],
)
def test_kinds_of_free_content_are_refused(uid: str) -> None:
    with pytest.raises(FileError) as caught:
        cleaned(dataset(SOPClassUID=uid))
    assert caught.value.code == "deidentify-kind"
    assert uid not in caught.value.text


def test_pixels_that_may_show_text_are_refused_unless_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(burned_in, "doubt", lambda dataset: "it is a screenshot")
    with pytest.raises(FileError, match="screenshot") as caught:
        cleaned(dataset())
    assert caught.value.code == "burned-in"
    assert cleaned(dataset(), accept_burned_in=True).PatientID == PATIENT


# A private one, JPIP, MPEG-4, JPEG XL.
@pytest.mark.parametrize(
    "uid", ["1.2.3.4", *(f"1.2.840.10008.1.2.4.{last}" for last in (94, 102, 110))]
)
def test_syntaxes_of_which_nobody_knows_what_they_hold_are_refused(uid: str) -> None:
    data = dicom()
    syntax = ExplicitVRLittleEndian.encode() + b"\0"
    at = data.index(syntax)
    head = data[: at - 2] + (len(uid) + len(uid) % 2).to_bytes(2, "little")
    data = head + uid.encode() + b"\0" * (len(uid) % 2) + data[at + len(syntax) :]
    with pytest.raises(FileError) as caught:
        deidentified(data, PATIENT, KEY)
    assert caught.value.code == "transfer-syntax"


def test_an_element_without_vr_amid_others_is_cleaned_as_any() -> None:
    data = dicom()
    at = data.index(b"\x10\0\x10\0PN")
    bare = b"\x08\0\x81\0" + (8).to_bytes(4, "little") + b"Ward St7"  # InstitutionAddress
    found = deidentified(data[:at] + bare + data[at:], PATIENT, KEY)
    assert b"Ward" not in found
    assert np.array_equal(dcmread(BytesIO(found)).pixel_array, PIXELS)


def test_a_sequence_of_known_length_may_end_by_a_delimiter_too() -> None:
    item, end = b"\xfe\xff\0\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
    data = dicom()
    at = data.index(b"\x10\0\x10\0PN")
    sequence = b"\x08\0\x15\x11SQ\0\0\x10\0\0\0" + item + end
    found = parsed(data[:at] + sequence + data[at:])
    assert len(found.ReferencedSeriesSequence) == 1


def test_the_number_of_a_patient_does_not_stay_as_another_number() -> None:
    found = cleaned(dataset(PatientID="471147", SeriesNumber="471147", AcquisitionNumber="4711"))
    assert found.SeriesNumber is None
    assert found.AcquisitionNumber == 4711


def test_the_uid_of_file_meta_information_becomes_another_where_it_stands_alone() -> None:
    slice_ = dataset()
    slice_.file_meta.MediaStorageSOPInstanceUID = UID(f"{OWN}.9")
    del slice_.SOPInstanceUID
    stream = BytesIO()
    slice_.save_as(stream, enforce_file_format=True)
    found = deidentified(stream.getvalue(), PATIENT, KEY)
    assert OWN.encode() not in found
    assert dcmread(BytesIO(found)).file_meta.MediaStorageSOPInstanceUID.startswith("2.25.")


def test_lengths_of_groups_and_of_the_file_go_as_they_would_be_wrong() -> None:
    data = dicom()
    for place, group in ((b"\x08\0\x16\0UI", 8), (b"\x10\0\x10\0PN", 16), (b"\x28\0\x02\0US", 40)):
        at = data.index(place)
        data = data[:at] + bytes((group, 0, 0, 0)) + b"UL\4\0\x20\0\0\0" + data[at:]
    at = data.index(b"\x08\0\x16\0UI")
    found = parsed(data[:at] + b"\x08\0\1\0UL\4\0\x20\0\0\0" + data[at:])
    assert "LengthToEnd" not in found
    assert not [element.tag for element in found if not element.tag.element]
