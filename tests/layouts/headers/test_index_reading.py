"""What the index reads of one file: its headers, as pydicom has them, and no more of it."""

import os
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from chaosprep.layouts.headers import reading
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.reading import read_entry
from tests import memory
from tests.formats.samples import PIXELS, dataset, dicom, encapsulated, encoded
from tests.formats.structure_sets import rtstruct
from tests.formats.test_frames import enhanced
from tests.formats.test_roundtrip import written
from tests.formats.test_segmentations import IMAGES, seg

COLOURED = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0}


def entry_of(folder: Path, data: bytes) -> Entry:
    (folder / "file").write_bytes(data)
    return read_entry(folder, "file")


@pytest.fixture
def no_pydicom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading by pydicom, which is slow, is a failure."""

    def fail(*_: object, **__: object) -> Any:  # noqa: ANN401
        raise AssertionError("read by pydicom")

    monkeypatch.setattr(reading, "read_headers", fail)
    monkeypatch.setattr(reading, "describe_start", fail)


def test_the_head_of_a_slice_has_what_pydicom_reads(tmp_path: Path) -> None:
    data = dicom(PatientID="7", SeriesDescription="t1 tra", AcquisitionTime="101112.5")
    expected = dcmread(BytesIO(data))
    (head,) = entry_of(tmp_path, data).heads
    assert head.path == "file"
    assert head.frame is None
    assert (head.rows, head.cols) == (expected.Rows, expected.Columns)
    assert head.position == tuple(expected.ImagePositionPatient)
    assert head.orientation == tuple(expected.ImageOrientationPatient)
    assert head.pixel_spacing == tuple(expected.PixelSpacing)
    assert head.sop_instance_uid == expected.SOPInstanceUID
    assert head.instance_number == expected.InstanceNumber
    assert {key: head.evidence[key] for key in ("PatientID", "SeriesDescription")} == {
        "PatientID": expected.PatientID,
        "SeriesDescription": expected.SeriesDescription,
    }
    assert head.evidence["AcquisitionTime"] == expected.AcquisitionTime


@pytest.mark.usefixtures("no_pydicom")
@pytest.mark.parametrize(
    "syntax", [JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless, RLELossless]
)
def test_the_head_of_a_compressed_slice_is_that_of_a_plain_one_and_read_as_soon(
    tmp_path: Path, syntax: UID
) -> None:
    plain = entry_of(tmp_path, dicom())
    assert entry_of(tmp_path, encapsulated([b"\xff\xd8\xff\xd9"], syntax)).heads == plain.heads


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_the_head_is_the_same_in_every_transfer_syntax(tmp_path: Path, syntax: UID) -> None:
    made = written(PIXELS[np.newaxis], ExplicitVRLittleEndian)
    assert entry_of(tmp_path, written(PIXELS[np.newaxis], syntax)).heads == (
        entry_of(tmp_path, made).heads
    )


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_an_enhanced_file_has_a_head_for_each_frame(tmp_path: Path, syntax: UID) -> None:
    entry = entry_of(tmp_path, encoded(enhanced(), syntax))
    assert [head.frame for head in entry.heads] == [0, 1, 2]
    assert [head.position for head in entry.heads] == [(0, 0, 0), (0, 0, 5.5), (0, 0, 11)]
    assert [head.evidence["EchoTime"] for head in entry.heads] == ["2.25", "3.25", "4.25"]


@pytest.mark.parametrize("private", [2**12, 2**16, 2**19, 2**22, 2**24])
def test_a_header_of_any_length_is_read(tmp_path: Path, private: int) -> None:
    long = dataset()
    long.add_new(0x00090010, "LO", "ACME")
    long.add_new(0x00091001, "OB", bytes(private))
    long.add_new(0x00290010, "LO", "ACME")
    long.add_new(0x00291001, "OB", bytes(private))
    assert entry_of(tmp_path, encoded(long)).heads == entry_of(tmp_path, dicom()).heads


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    long = dataset()
    long.add_new(0x00290010, "LO", "ACME")
    long.add_new(0x00291001, "OB", b"")
    data = bytearray(encoded(long))
    at = data.index(b"\x29\x00\x01\x10OB") + 8
    data[at : at + 4] = (2**30).to_bytes(4, "little")
    (tmp_path / "file").write_bytes(data)
    os.truncate(tmp_path / "file", 2**31)  # no block of it is on the disk
    before, start = memory.begin(), time.process_time()
    entry = read_entry(tmp_path, "file")
    assert (entry.kind, entry.what) == ("unreadable", "too-large")
    assert time.process_time() - start < 2
    assert memory.peak() - before < 2**19


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_pixels_are_not_read(tmp_path: Path, syntax: UID) -> None:
    many = encoded(enhanced(NumberOfFrames=3, Rows=2**14, Columns=2**14), syntax)
    (tmp_path / "file").write_bytes(many)
    os.truncate(tmp_path / "file", 2**31)
    before = memory.begin()
    assert len(read_entry(tmp_path, "file").heads) == 3
    assert memory.peak() - before < 2**16


def test_a_large_file_of_another_kind_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"PK\3\4")
    os.truncate(tmp_path / "file", 2**33)
    before = memory.begin()
    assert read_entry(tmp_path, "file").kind == "foreign"
    assert memory.peak() - before < 2**14


def test_a_segmentation_tells_what_it_refers_to(tmp_path: Path) -> None:
    images = [dcmread(BytesIO(data)) for data in IMAGES.values()]
    entry = entry_of(tmp_path, seg())
    assert (entry.kind, entry.what) == ("mask", "segmentation")
    assert entry.refers is not None
    assert entry.refers.series == {images[0].SeriesInstanceUID}
    # highdicom lists the frames that it writes: one is empty, and has none
    assert entry.refers.instances <= {image.SOPInstanceUID for image in images}
    assert len(entry.refers.instances) >= 2
    assert entry.refers.frame_of_reference == images[0].FrameOfReferenceUID
    assert entry.evidence["Modality"] == "SEG"


def test_a_segmentation_of_one_slice_is_a_mask_too(tmp_path: Path) -> None:
    """As a label map it is as plain a file as any slice."""
    path = next(iter(IMAGES))
    labels = np.ones((1, *dcmread(BytesIO(IMAGES[path])).pixel_array.shape), np.uint8)
    entry = entry_of(tmp_path, seg(labels, images=[path], kind="LABELMAP"))
    assert (entry.kind, entry.what) == ("mask", "segmentation")
    assert entry.refers is not None
    assert entry.refers.instances == {dcmread(BytesIO(IMAGES[path])).SOPInstanceUID}


def test_a_structure_set_tells_what_it_refers_to(tmp_path: Path) -> None:
    def named(made: Dataset) -> None:
        made.PatientID = "7"

    entry = entry_of(tmp_path, rtstruct(edit=named))
    assert (entry.kind, entry.what) == ("mask", "RT structure set")
    assert entry.refers is not None
    assert entry.evidence["PatientID"] == "7"


def test_a_mask_whose_references_cannot_be_read_is_a_mask(tmp_path: Path) -> None:
    def damaged(made: Dataset) -> None:
        made.ReferencedSeriesSequence = []
        made.PerFrameFunctionalGroupsSequence = []

    entry = entry_of(tmp_path, seg(edit=damaged))
    assert entry.kind == "mask"


def test_a_colour_image_is_listed_as_one(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, dicom(PatientID="7", **COLOURED))
    assert (entry.kind, entry.what, entry.heads) == ("beside", "colour image", ())
    assert entry.evidence["PatientID"] == "7"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary capture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67", "PixelData": None}, "report"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
    ],
)
def test_what_is_no_slice_is_beside_with_its_evidence(
    tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    entry = entry_of(tmp_path, dicom(PatientID="7", **changes))
    assert (entry.kind, entry.what, entry.heads) == ("beside", what, ())
    assert entry.evidence["PatientID"] == "7"


def test_the_directory_of_a_disc_is_known_under_any_name(tmp_path: Path) -> None:
    disc = Dataset()
    disc.file_meta = FileMetaDataset()
    disc.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    disc.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    disc.FileSetID, disc.DirectoryRecordSequence = "DISC", [Dataset()]
    entry = entry_of(tmp_path, encoded(disc))
    assert (entry.kind, entry.what) == ("beside", "DICOMDIR")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (dicom()[:400], "dicom-truncated"),
        (dicom(PixelData=None), "no-pixels"),
        (dicom(BitsAllocated=24), "dicom-broken"),
        (encoded(enhanced(NumberOfFrames=2**20)), "too-large"),
    ],
)
def test_a_damaged_file_is_named_by_its_error(tmp_path: Path, data: bytes, code: str) -> None:
    entry = entry_of(tmp_path, data)
    assert (entry.kind, entry.what, entry.heads) == ("unreadable", code, ())


def test_a_number_beyond_all_is_none(tmp_path: Path) -> None:
    (head,) = entry_of(tmp_path, dicom(InstanceNumber="7")).heads
    assert head.instance_number == 7
    data = dicom(InstanceNumber="777777777777").replace(b"777777777777", b"1e300       ")
    (head,) = entry_of(tmp_path, data).heads
    assert head.instance_number is None
