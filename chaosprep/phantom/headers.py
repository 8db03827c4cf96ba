"""DICOM headers of the phantom: CHAOS's fields and oddities, without person, clock or device."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

EMPTY_CT = (
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "StudyTime",
    "AcquisitionTime",
    "ContentTime",
    "AccessionNumber",
    "InstitutionName",
    "InstitutionAddress",
    "ReferringPhysicianName",
    "StationName",
    "StudyDescription",
    "SeriesDescription",
    "InstitutionalDepartmentName",
    "OperatorsName",
    "ManufacturerModelName",
    "OtherPatientIDs",
    "PatientAge",
    "PatientWeight",
    "BodyPartExamined",
    "AcquisitionNumber",
    "Laterality",
    "PositionReferenceIndicator",
    "ImageComments",
)
"""Elements that a CHAOS CT file carries without a value."""

T1_FIELDS: dict[str, object] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
    "ScanningSequence": "GR",
    "MagneticFieldStrength": 1.5,
    "SliceThickness": 5.0,
    "SpacingBetweenSlices": 5.5,
    "ProtocolName": "T1DUAL",
    "SeriesNumber": 801,
}
FIELDS: dict[str, dict[str, object]] = {
    "t1-in": {**T1_FIELDS, "EchoTime": 4.6, "EchoNumbers": 2},
    "t1-out": {**T1_FIELDS, "EchoTime": 2.3, "EchoNumbers": 1},
    "t2-spir": {
        "ImageType": ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
        "ScanningSequence": "SE",
        "MagneticFieldStrength": 1.5,
        "SliceThickness": 7.0,
        "SpacingBetweenSlices": 7.7,
        "ProtocolName": "T2SPIR",
        "SeriesNumber": 501,
        "EchoTime": 70.0,
        "EchoNumbers": 1,
    },
    "ct": {
        **dict.fromkeys(EMPTY_CT),
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "HELIX"],
        "SliceThickness": 3.2,
        "KVP": 120,
        "ProtocolName": "T2SPIR",
        "SeriesNumber": 4,
        "WindowCenter": [50, 50],
        "WindowWidth": [400, 400],
        "RescaleIntercept": -1000,
        "RescaleSlope": 1,
    },
}
"""Sequence -> what a scanner's protocol puts into every file of it."""


def uid(*parts: object) -> str:
    """Return a UID under 2.25 (ISO/IEC 9834-8) that depends on nothing but `parts`."""
    name = "/".join(str(part) for part in ("chaosprep-phantom", *parts))
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}"


def decimal(value: float) -> str:
    """Write a number as a DS has it, in 16 characters at most."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(value)


def series_header(
    sequence: str, patient: int, orientation: tuple[float, ...], *, implicit: bool, seed: int
) -> Dataset:
    """Return what the files of one sequence share, file meta included; the grid is not in it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import (
        UID,
        CTImageStorage,
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        MRImageStorage,
    )

    modality = "CT" if sequence == "ct" else "MR"
    who = (seed, modality, patient)
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 100"
    header.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    header.file_meta = meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "CHAOSPREP"
    header.Modality = modality
    header.PatientName = f"CHAOS^{modality}_SET_{patient}"
    blank = dict.fromkeys(("Manufacturer", "PatientID", "PatientBirthDate", "PatientSex"))
    for keyword, value in {**blank, "StudyDate": None, **FIELDS[sequence]}.items():
        setattr(header, keyword, value)
    header.PatientPosition = "FFS" if modality == "CT" else "HFS"
    header.StudyInstanceUID = uid(*who, "study")
    # In- and out-phase are two echoes of one series.
    header.SeriesInstanceUID = uid(*who, "series", sequence.partition("-")[0])
    header.FrameOfReferenceUID = uid(*who, "frame")
    header.StudyID = str(patient)
    header.ImageOrientationPatient = [decimal(value) for value in orientation]
    return header


def set_position(header: Dataset, position: list[float], location: float, instance: int) -> None:
    """Say where one slice lies: ImagePositionPatient and SliceLocation in mm, and its number."""
    # Adding 0.0 turns -0.0 into 0.0.
    header.ImagePositionPatient = [decimal(round(value, 6) + 0.0) for value in position]
    header.SliceLocation = decimal(round(location, 6))
    header.InstanceNumber = instance


def set_pixels(header: Dataset, pixels: NDArray[np.uint16], spacing: float) -> None:
    """Set one slice's pixels (rows, cols), what describes them, and the pixel spacing in mm.

    MR gets a window of each slice's own, as CHAOS has it: nobody should trust it.
    """
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.Rows, header.Columns = pixels.shape
    header.PixelSpacing = [decimal(spacing)] * 2
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.PixelRepresentation = 0
    header.SmallestImagePixelValue = int(pixels.min())
    header.LargestImagePixelValue = int(pixels.max())
    if header.Modality == "MR":
        header.WindowCenter = f"{0.54 * pixels.max():.2f}"
        header.WindowWidth = f"{0.94 * pixels.max():.2f}"
    header.PixelData = pixels.astype("<u2").tobytes()
