"""What an RTSTRUCT refers to: images, series and frames of reference; no contour is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaosprep.formats.dicom.parsing import parse
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.formats.rtstruct_file import READINGS, items_of, reading, sources_of, text_of
from chaosprep.imaging.limits import MAX_BYTES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LISTED = (  # PS3.3 C.8.8.5
    "ReferencedFrameOfReferenceSequence",
    "RTReferencedStudySequence",
    "RTReferencedSeriesSequence",
)
_IMAGES = "ContourImageSequence"


@dataclass(frozen=True)
class SetReferences:
    """What a structure set refers to.

    ``images`` are (SOPInstanceUID, frame number from 1, or None for a whole file): those that its
    contours were drawn on, or, where these do not say it, those that it lists. ``series`` and
    ``spaces`` are the UIDs of series and of frames of reference.
    """

    images: frozenset[tuple[str, int | None]]
    series: frozenset[str]
    spaces: frozenset[str]


def read_set_references(data: bytes) -> SetReferences:
    """What an RTSTRUCT refers to (PS3.3 C.8.8.5 and C.8.8.6).

    Raises:
        FileError: `mask-unreadable`, `too-large` or `dicom-truncated`.
    """
    with reading():
        stream = open_stream(inflated(data, MAX_BYTES // 4), READINGS)
        dataset, _ = parse(stream, header_only=False)
        listed = [*_below(dataset, _LISTED)]
        contours = _below(dataset, ("ROIContourSequence", "ContourSequence", _IMAGES))
        images = {source for item in contours for source in sources_of(item)}
        if not images:
            every = (item for one in listed for item in items_of(one, _IMAGES))
            images = {source for item in every for source in sources_of(item)}
        spaces = {text_of(item, "FrameOfReferenceUID") for item in _below(dataset, _LISTED[:1])}
        described = items_of(dataset, "StructureSetROISequence")
        spaces |= {text_of(item, "ReferencedFrameOfReferenceUID") for item in described}
        series = {text_of(item, "SeriesInstanceUID") for item in listed}
    return SetReferences(frozenset(images), frozenset(series - {""}), frozenset(spaces - {""}))


def _below(dataset: "Dataset", keywords: tuple[str, ...]) -> Iterator["Dataset"]:
    """The items of a sequence in sequences."""
    for item in items_of(dataset, keywords[0]):
        if len(keywords) == 1:
            yield item
        else:
            yield from _below(item, keywords[1:])
