"""What a header says of who, which series and which volume: as it stands there, to be compared."""

from collections.abc import Callable, Sequence

from chaosprep.formats.dicom.private_values import private_b_value, private_component
from chaosprep.formats.dicom.tags import ATTRIBUTES, TAGS
from chaosprep.formats.dicom.values import (
    Elements,
    binaries,
    binary,
    double,
    number,
    text,
    unsigned,
)

# Keyword -> where else it stands: in enhanced files under another name (PS3.3 C.7.6.16).
_READ: dict[str, tuple[str, ...]] = {
    "PatientID": (),
    "PatientName": (),
    "PatientBirthDate": (),
    "OtherPatientIDs": (),
    "OtherPatientNames": (),
    "PatientBirthName": (),
    "PatientMotherBirthName": (),
    "ResponsiblePerson": (),
    "AccessionNumber": (),
    "StudyID": (),
    "StudyInstanceUID": (),
    "SeriesInstanceUID": (),
    "FrameOfReferenceUID": (),
    "SOPClassUID": (),
    "Modality": (),
    "SeriesNumber": (),
    "ImageType": ("FrameType",),
    "ComplexImageComponent": (),
    "EchoTime": ("EffectiveEchoTime",),
    "EchoNumbers": (),
    "RepetitionTime": (),
    "InversionTime": (),
    "FlipAngle": (),
    "KVP": (),
    "ConvolutionKernel": (),
    "DiffusionBValue": (),
    "DiffusionGradientOrientation": (),
    "ContrastBolusAgent": (),
    "StackID": (),
    "TemporalPositionIdentifier": ("TemporalPositionIndex",),
    "TriggerTime": ("NominalCardiacTriggerDelayTime",),
    "AcquisitionNumber": ("FrameAcquisitionNumber",),
    "AcquisitionTime": ("FrameAcquisitionDateTime",),
    "AcquisitionDateTime": (),
    "ContentTime": (),
    "FrameReferenceTime": (),
    "NominalPercentageOfCardiacPhase": (),
    "DimensionIndexValues": (),
    "SequenceName": (),
    "SpecificCharacterSet": (),
    "StudyDate": (),
    "StudyTime": (),
    "SeriesTime": (),
    "StudyDescription": (),
    "SeriesDescription": (),
    "ProtocolName": (),
    "Manufacturer": (),
    "MagneticFieldStrength": (),
}
KEYWORDS = tuple(_READ)
"""What is read, where it is there."""
_Place = tuple[str, int, str]
# Keyword -> what is read for it, the first that has a value: keyword, tag, kind of value.
_PLACES: dict[str, tuple[_Place, ...]] = {
    keyword: tuple((name, TAGS[name], ATTRIBUTES[name][1]) for name in (*elsewhere, keyword))
    for keyword, elsewhere in _READ.items()
}
# Keyword -> what reads it from a maker's own elements, where the standard one is missing.
_PRIVATE = {"DiffusionBValue": private_b_value, "ComplexImageComponent": private_component}
# Binary values that are several, or of few bits, as `struct` calls their kind.
_PACKED = {
    "DiffusionGradientOrientation": "d",
    "DimensionIndexValues": "I",
    "NominalPercentageOfCardiacPhase": "f",
}
_MOSAIC, _GRID = "MOSAIC", "VFRAME"
SIEMENS, UNITED_IMAGING = "SIEMENS MR HEADER", "Image Private Header"


def read_evidence(sources: Sequence[Elements]) -> dict[str, str]:
    """Keyword -> text, for what there is: numbers as they are written, other text as its bytes.

    Texts are Latin-1, which keeps every byte apart: they can be compared, not read.
    """
    gets = [source.get_item for source in sources]
    found = {keyword: _value(sources, gets, places) for keyword, places in _PLACES.items()}
    for keyword, read_private in _PRIVATE.items():
        found[keyword] = found[keyword] or read_private(sources)
    return {keyword: value for keyword, value in found.items() if value}


def _value(
    sources: Sequence[Elements], gets: Sequence[Callable[[int], object]], places: Sequence[_Place]
) -> str:
    for keyword, tag, kind in places:
        for get in gets:
            if get(tag) is not None:
                break
        else:
            continue  # as most are
        if keyword in _PACKED:
            found = "\\".join(binaries(sources, keyword, _PACKED[keyword]))
        elif kind == "FD":
            value = double(sources, keyword)
            found = "" if value is None else repr(value)
        elif kind in ("US", "UL"):
            found = binary(sources, keyword)
        else:
            found = text(sources, keyword, "latin-1")
        if found:
            return found
    return ""


def read_image_type(sources: Sequence[Elements]) -> str:
    """The ImageType alone, as `read_evidence` has it; empty where there is none."""
    return _value(sources, [source.get_item for source in sources], _PLACES["ImageType"])


def is_grid(dataset: Elements, image_type: str) -> bool:
    """Whether a picture is a grid of several slices, by its maker's number or by its ImageType."""
    count = count_tiles(dataset)
    if count is not None:
        return count > 1
    return not {_MOSAIC, _GRID}.isdisjoint(image_type.split("\\"))


def count_tiles(dataset: Elements) -> int | None:
    """How many slices the picture is a grid of, as its maker says; None where nobody does.

    Siemens writes NumberOfImagesInMosaic, (0019,100A), United Imaging (0065,1050).
    """
    count: float | None = None
    if text((dataset,), "SiemensCreator") == SIEMENS:
        count = unsigned(dataset, "NumberOfImagesInMosaic")
        if count is None:
            count = number((dataset,), "NumberOfImagesInMosaic")
    elif text((dataset,), "UnitedImagingCreator") == UNITED_IMAGING:
        count = number((dataset,), "NumberOfImagesInGridUIH")
    return int(count) if count and count >= 1 else None
