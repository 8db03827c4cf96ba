"""What a DICOM file holds where it is no slice: by SOP class, Modality and ImageType."""

from collections.abc import Mapping

from chaosprep.formats.image_file import Beside

_STORAGE = "1.2.840.10008.5.1.4.1.1."  # PS3.4 B.5 and PS3.6 A: the UIDs of storage begin so
_NAMED = {
    "7": Beside("secondary capture", alone=True),  # with 7.1 to 7.4, of several frames
    "9": Beside("waveform"),
    "11": Beside("presentation state"),
    "30": Beside("parametric map", alone=True),
    "66": Beside("raw data"),
    "66.1": Beside("registration"),
    "66.2": Beside("set of fiducials"),
    "66.3": Beside("registration"),
    "66.4": Beside("segmentation"),
    "66.5": Beside("segmentation of surfaces"),
    "66.6": Beside("set of tracts"),
    "66.7": Beside("segmentation"),
    "67": Beside("mapping of values"),
    "68": Beside("surface scan"),
    "88": Beside("report"),
    "88.59": Beside("selection of key objects"),
    "104": Beside("document"),
    "4.2": Beside("spectroscopy"),
    "481.2": Beside("RT dose", alone=True),
    "481.3": Beside("RT structure set"),
    "481.4": Beside("RT treatment record"),
    "481.5": Beside("RT plan"),
    "481.8": Beside("RT plan"),
}
"""The end of a SOP class's UID, or its beginning up to a point -> what it is."""
# CR, CT, MR, nuclear medicine, ultrasound, X-ray, PET: without pixels one of these is damaged.
_PICTURES = frozenset(("1", "2", "3", "4", "5", "6", "12", "13", "14", "20", "128", "130"))
_NO_PICTURE = Beside("object without a picture")  # a protocol, a maker's own files, a DICOMDIR

# PS3.3 C.7.3.1.1.1: for files whose SOP class says nothing.
_BY_MODALITY = {
    "SEG": _NAMED["66.4"],
    "RTSTRUCT": _NAMED["481.3"],
    "RTDOSE": _NAMED["481.2"],
    "RTPLAN": _NAMED["481.5"],
    "RTRECORD": _NAMED["481.4"],
    "PR": _NAMED["11"],
    "SR": _NAMED["88"],
    "KO": _NAMED["88.59"],
    "REG": _NAMED["66.1"],
    "FID": _NAMED["66.2"],
    "RWV": _NAMED["67"],
    "DOC": _NAMED["104"],
}
_BY_TYPE = {
    "LOCALIZER": Beside("localizer", alone=True),
    "SCREEN SAVE": Beside("screen save", alone=True),
    "DOSE_INFO": Beside("dose report", alone=True),
}
"""A value of ImageType -> what it is, whatever its SOP class."""


def what_else(evidence: Mapping[str, str], sized: bool = True) -> Beside | None:
    """What a file is by its evidence (`read_evidence`); None for an image that may be a slice.

    ``sized`` is whether the header says how large the picture is.
    """
    _, _, end = evidence.get("SOPClassUID", "").partition(_STORAGE)
    first = end.partition(".")[0]
    for kind in (end, first):
        if kind in _NAMED:
            return _NAMED[kind]
    if found := _BY_MODALITY.get(evidence.get("Modality", "")):
        return found
    parts = evidence.get("ImageType", "").split("\\")
    if found := next((_BY_TYPE[part] for part in parts if part in _BY_TYPE), None):
        return found
    known = evidence.get("SOPClassUID") and first not in _PICTURES
    return _NO_PICTURE if known and not sized else None


def is_picture(evidence: Mapping[str, str], sized: bool) -> bool:
    """Whether a file is an image by its SOP class, whatever its Modality; secondary captures are.

    Where the SOP class says nothing, Modality and ImageType do. What cannot be read, and so has no
    evidence, is none.
    """
    _, _, end = evidence.get("SOPClassUID", "").partition(_STORAGE)
    if end.partition(".")[0] in _PICTURES | {"7"}:
        return sized
    return bool(evidence) and sized and what_else(evidence, sized) is None
