"""A tree of many small DICOM files, made in no time: series of a hundred slices, and some SEG."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SLICES = 100
"""Of each series."""
MATRIX = 64
BYTES_OF_A_FILE = 16_384
"""On disk, at most."""
SERIES_OF_A_SEG = 20
"""One of so many series has a SEG."""
_MR = "1.2.840.10008.5.1.4.1.1.4"
_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_SERIES, _SLICE, _PLACE = "777777", "111111", "-9999.99"
"""Stand in the template where a number of the same width comes."""


def write_tree(root: Path, files: int) -> None:
    """Write series of `SLICES` slices, as many as have so many files in all, and their SEG."""
    before, after = _template(_slice())
    mask = _encoded(_seg())
    for number in range(files // SLICES):
        folder = root / f"PA{number // 4:06d}/ST{number // 2 % 2:06d}/SE{number % 2:06d}"
        folder.mkdir(parents=True)
        head = before.replace(_SERIES.encode(), b"%06d" % number)
        for slice_ in range(SLICES):
            own = head.replace(_SLICE.encode(), b"%06d" % slice_)
            own = own.replace(_PLACE.encode(), b"%8.2f" % (slice_ * 2.5))
            (folder / f"IM{slice_:06d}.dcm").write_bytes(own + after)
        if number % SERIES_OF_A_SEG == 0:
            (folder / "SEG.dcm").write_bytes(mask.replace(_SERIES.encode(), b"%06d" % number))


def _template(slice_: Dataset) -> tuple[bytes, bytes]:
    """A slice up to its pixels, and the rest."""
    data = _encoded(slice_)
    at = data.index(b"\xe0\x7f\x10\x00")
    return data[:at], data[at:]


def _encoded(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def _dataset(class_: str, modality: str, uid: str, **more: object) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = {
        "SOPClassUID": class_,
        "SOPInstanceUID": uid,
        "Modality": modality,
        "PatientID": f"P{_SERIES}",
        "PatientName": f"Doe^{_SERIES}",
        "StudyInstanceUID": f"2.25.2{_SERIES}",
        "StudyDate": "20240102",
        "StudyTime": "101112",
        "Manufacturer": "ACME",
        "FrameOfReferenceUID": f"2.25.3{_SERIES}",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": MATRIX,
        "Columns": MATRIX,
        "PixelRepresentation": 0,
    }
    for keyword, value in (values | more).items():
        setattr(dataset, keyword, value)
    return dataset


def _slice() -> Dataset:
    dataset = _dataset(
        _MR,
        "MR",
        f"2.25.1{_SERIES}0{_SLICE}",
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND"],
        SeriesInstanceUID=f"2.25.4{_SERIES}",
        SeriesNumber=7,
        SeriesDescription="t1_vibe_dixon_tra",
        ProtocolName="t1_vibe_dixon_tra",
        StudyDescription="Abdomen",
        AcquisitionTime=_SLICE,
        AcquisitionNumber=1,
        InstanceNumber=_SLICE,
        EchoTime="2.39",
        EchoNumbers=1,
        RepetitionTime="6.69",
        FlipAngle="9",
        MagneticFieldStrength="3",
        SliceThickness="2.5",
        SpacingBetweenSlices="2.5",
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[1.25, 1.25],
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
        WindowCenter=200,
        WindowWidth=400,
        PixelData=bytes(MATRIX * MATRIX * 2),
    )
    dataset.ImagePositionPatient = ["-10", "-20", _PLACE]
    dataset["PixelData"].VR = "OW"
    return dataset


def _seg() -> Dataset:
    seg = _dataset(
        _SEG,
        "SEG",
        f"2.25.5{_SERIES}",
        SeriesInstanceUID=f"2.25.6{_SERIES}",
        SegmentationType="BINARY",
        NumberOfFrames=SLICES,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=bytes(MATRIX * MATRIX * SLICES // 8),
    )
    series = Dataset()
    series.SeriesInstanceUID = f"2.25.4{_SERIES}"
    series.ReferencedInstanceSequence = [*_references()]
    seg.ReferencedSeriesSequence = [series]
    seg.PerFrameFunctionalGroupsSequence = [*map(_frame, _references())]
    return seg


def _references() -> Iterator[Dataset]:
    for slice_ in range(SLICES):
        reference = Dataset()
        reference.ReferencedSOPClassUID = _MR
        reference.ReferencedSOPInstanceUID = f"2.25.1{_SERIES}0{slice_:06d}"
        yield reference


def _frame(reference: Dataset) -> Dataset:
    frame, derivation = Dataset(), Dataset()
    derivation.SourceImageSequence = [reference]
    frame.DerivationImageSequence = [derivation]
    return frame
