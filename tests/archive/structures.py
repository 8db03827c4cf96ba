"""What refers to the images of an archive: segmentations, structure sets; and reports beside."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from tests.archive.scanner import ENHANCED_MR, MR, PLANES, SIZE, Part, Series, uid, written
from tests.formats.samples import item
from tests.formats.test_frames import group

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
DOSE_REPORT = "1.2.840.10008.5.1.4.1.1.88.67"


def _object(series: Series, number: int, kind: str, modality: str) -> Dataset:
    """An object of the study of a series, in a series of its own."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in series.who.items():
        setattr(made, keyword, value)
    made.SOPClassUID, made.Modality = kind, modality
    made.SOPInstanceUID = uid(series.study, number, "object")
    made.StudyInstanceUID = series.study
    made.SeriesInstanceUID = uid(series.study, number)
    made.SeriesNumber = number
    return made


def _reference(series: Series, picture: object, *, enhanced: bool) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = ENHANCED_MR if enhanced else MR
    made.ReferencedSOPInstanceUID = series.sop(None if enhanced else picture)  # type: ignore[arg-type]
    return made


def segmentation(series: Series, part: Part, number: int, *, enhanced: bool) -> bytes:
    """A SEG of one structure, the liver, on all slices of one volume: all pixels of rows 2-5."""
    pictures = series.of(part)
    made = _object(series, number, SEG, "SEG")
    made.FrameOfReferenceUID = series.header()["FrameOfReferenceUID"]
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.SegmentationType = "BINARY"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit, made.PixelRepresentation = 0, 0
    made.Rows = made.Columns = SIZE
    made.NumberOfFrames = len(pictures)
    code = {"CodeValue": "10200004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Liver"}
    made.SegmentSequence = item(
        SegmentNumber=1,
        SegmentLabel="Liver",
        SegmentAlgorithmType="MANUAL",
        SegmentedPropertyCategoryCodeSequence=item(**code),
        SegmentedPropertyTypeCodeSequence=item(**code),
    )
    listed = [_reference(series, one, enhanced=enhanced) for one in pictures]
    made.ReferencedSeriesSequence = item(
        SeriesInstanceUID=series.uid, ReferencedInstanceSequence=Items(listed)
    )
    measures = item(PixelSpacing=[1.5, 1.5], SliceThickness=series.step)
    orientation = item(ImageOrientationPatient=list(PLANES["axial"]))
    shared = group(PixelMeasuresSequence=measures, PlaneOrientationSequence=orientation)
    made.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for picture in pictures:
        source = _reference(series, picture, enhanced=enhanced)
        if enhanced:
            source.ReferencedFrameNumber = picture.index + 1
        position = series.corner(picture.plane, picture.place)
        derived = item(SourceImageSequence=Items([source]))
        frames.append(
            group(
                SegmentIdentificationSequence=item(ReferencedSegmentNumber=1),
                PlanePositionSequence=item(ImagePositionPatient=position),
                DerivationImageSequence=derived,
            )
        )
    made.PerFrameFunctionalGroupsSequence = Items(frames)
    shown = np.zeros((len(pictures), SIZE, SIZE), np.uint8)
    shown[:, 2:6] = 1
    made.PixelData = np.packbits(shown, bitorder="little").tobytes()
    made["PixelData"].VR = "OB"
    return written(made)


def structure_set(series: Series, number: int) -> bytes:
    """An RTSTRUCT with one contour, a square, on each slice of a classic series."""
    made = _object(series, number, RTSTRUCT, "RTSTRUCT")
    frame = series.header()["FrameOfReferenceUID"]
    listed = Items([_reference(series, one, enhanced=False) for one in series.pictures])
    own = item(SeriesInstanceUID=series.uid, ContourImageSequence=listed)
    study = item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=series.study,
        RTReferencedSeriesSequence=own,
    )
    made.StructureSetLabel = "plan"
    made.ReferencedFrameOfReferenceSequence = item(
        FrameOfReferenceUID=frame, RTReferencedStudySequence=study
    )
    made.StructureSetROISequence = item(
        ROINumber=1,
        ReferencedFrameOfReferenceUID=frame,
        ROIName="Spleen",
        ROIGenerationAlgorithm="MANUAL",
    )
    contours = []
    for picture in series.pictures:
        corner = np.array(series.corner(picture.plane, picture.place))
        right, down = np.array(PLANES[picture.plane]).reshape(2, 3)
        ends = [(1, 1), (5, 1), (5, 5), (1, 5)]
        square = np.array([corner + 1.5 * (x * right + y * down) for x, y in ends])
        contours.append(
            group(
                ContourImageSequence=Items([_reference(series, picture, enhanced=False)]),
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=4,
                ContourData=[float(mm) for mm in square.ravel()],
            )
        )
    made.ROIContourSequence = item(ReferencedROINumber=1, ContourSequence=Items(contours))
    made.RTROIObservationsSequence = item(
        ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="ORGAN"
    )
    return written(made)


def dose_report(series: Series, number: int) -> bytes:
    """A report without pixels."""
    made = _object(series, number, DOSE_REPORT, "SR")
    made.SeriesDescription = "Dose Report"
    return written(made)
