"""What the table leaves open: dummies, texts that stay, and groups of which nothing stays."""

_EMPTY_GROUPS = (0x0000, 0x0002, 0x0004, 0x4000, 0xFFFA, 0xFFFC)
_LENGTH_TO_END = 0x00080001

VERBATIM = frozenset(
    (
        0x00080070,  # Manufacturer
        0x00081090,  # ManufacturerModelName
        0x00180024,  # SequenceName
        0x00180085,  # ImagedNucleus
        0x00181020,  # SoftwareVersions
        0x00181160,  # FilterType
        0x00181210,  # ConvolutionKernel
        0x00181250,  # ReceiveCoilName
        0x00181251,  # TransmitCoilName
        0x00189005,  # PulseSequenceName
        0x00281054,  # RescaleType
        0x00283004,  # ModalityLUTType
        0x00541101,  # AttenuationCorrectionMethod
        0x00541103,  # ReconstructionMethod
        0x00541105,  # ScatterCorrectionMethod
    )
)
"""Texts that machines write and the table lets stay; words of the patient's are taken out."""

KEYED = frozenset(
    (
        0x00209056,  # StackID
        0x00480106,  # OpticalPathIdentifier
        0x00480207,  # ReferencedOpticalPathIdentifier
        0x00620020,  # TrackingID
        0x00700310,  # FiducialIdentifier
    )
)
"""Texts that tell parts of an object apart: each becomes another one, the same everywhere."""

NEVER_EMPTY = frozenset(
    (
        0x00620005,  # SegmentLabel
        0x00620009,  # SegmentAlgorithmName
        0x00660031,  # AlgorithmVersion
        0x00660036,  # AlgorithmName
    )
)
"""Texts of type 1 that the table does not name."""

REMOVED = "REMOVED"
_TEXT = dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), b"REMOVED ")
_DUMMIES = _TEXT | {
    "AS": b"000D",
    "DA": b"19000101",
    "DS": b"0 ",
    "DT": b"19000101000000",
    "FD": bytes(8),
    "FL": bytes(4),
    "IS": b"0 ",
    "TM": b"000000",
    "UR": b"urn:removed ",
}


def dummy(vr: str) -> bytes:
    """A value of that VR that says nothing: zeros where it is binary."""
    return _DUMMIES.get(vr, bytes(2))


def is_dropped(tag: int) -> bool:
    """Whether an element of an even group goes whatever it holds.

    These are the length of the file, which would be wrong, elements of commands, file meta
    information and directories, which have no place here, a retired group of free text, and
    signatures. Lengths of groups, curves and overlays (50xx, 60xx) are in no dictionary, and so go.
    """
    return tag == _LENGTH_TO_END or tag >> 16 in _EMPTY_GROUPS
