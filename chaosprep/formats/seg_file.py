"""What a DICOM SEG says of itself: its images, its series, and where each frame lies."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, FileError
from chaosprep.facts import Legend
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.reading import parse_stack
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.formats.legend import segment_labels
from chaosprep.formats.mask_file import Opening
from chaosprep.formats.seg_segments import Segments, unfit, wanted_segments
from chaosprep.imaging.limits import MAX_BYTES, check_bytes, check_size
from chaosprep.imaging.space.lattice import Lattice, plane_lattice

if TYPE_CHECKING:
    from highdicom.seg import Segmentation
    from pydicom.dataset import Dataset

SOP_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.66.4",  # PS3.4 B.5: binary or fractional
    "1.2.840.10008.5.1.4.1.1.66.7",  # a label map: its values are the segment numbers
)
_HEAD = 2**24  # a quarter of the bytes that the header of a deflated file may have


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame: its segment (0 for a label map), what it was made from, where it lies.

    ``sources`` are (SOPInstanceUID, frame number from 1, or None for all frames of the file);
    ``step`` is the mm from its plane to the next, where the SEG says it.
    """

    index: int
    segment: int
    sources: frozenset[tuple[str, int | None]]
    grid: Lattice | None
    step: float | None


@dataclass(frozen=True)
class References:
    """The UIDs of the images and the series that a SEG lists, and of its frame of reference."""

    images: frozenset[str]
    series: frozenset[str]
    space: str


@dataclass(frozen=True, eq=False)
class SegFile:
    """An opened SEG: its frames, what it refers to, and itself, to decode frames one by one.

    ``decoded`` are the frames, (frames, rows, cols), where they are compressed; ``segments`` are
    those that are wanted.
    """

    seg: "Segmentation"
    decoded: NDArray[Any] | None
    frames: Sequence[Frame]
    references: References
    segments: Segments

    def labels(self, frame: Frame) -> NDArray[np.uint16]:
        """The labels of a frame, (rows, cols), 0 where no wanted segment is shown.

        Raises `FileError`: what `Segments.labels` does.
        """
        stored: NDArray[Any]
        if self.decoded is None:
            high = 2 ** int(self.seg.BitsStored) - 1  # highdicom leaves the bits above
            stored = self.seg.get_stored_frame(frame.index, as_index=True) & high
        else:
            stored = self.decoded[frame.index]
        return self.segments.labels(stored, frame.segment)


@contextmanager
def readable() -> Iterator[None]:
    """Turn what the DICOM libraries raise into one error, and keep them from telling headers.

    Raises:
        FileError: `mask-unreadable`.
    """
    import sqlite3  # highdicom keeps in a database what it reads

    from pydicom.errors import BytesLengthException, InvalidDicomError

    with silent():
        try:
            yield
        except (*BROKEN, BytesLengthException, InvalidDicomError, sqlite3.Error) as error:
            if missing := _missing(error):
                raise unfit(f"it has no {missing}") from None
            raise unfit("the DICOM segmentation cannot be read") from None


def _missing(error: Exception) -> str:
    """The keyword of the element that the DICOM libraries miss; empty for any other error."""
    from pydicom.datadict import keyword_for_tag, tag_for_keyword

    if isinstance(error, AttributeError):  # pydicom's, or highdicom's own
        words = (error.name, *re.findall(r"required attribute '(\w+)'", str(error)))
        return next((word for word in words if word and tag_for_keyword(word)), "")
    is_tag = isinstance(error, KeyError) and error.args and isinstance(error.args[0], int)
    return keyword_for_tag(error.args[0]) if is_tag else ""


def read_legend(data: bytes) -> Legend:
    """What the segments of a SEG stand for, by its header alone: number -> name and code.

    Raises:
        FileError: `mask-kind` or `mask-unreadable`.
    """
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    last = Tag("SegmentSequence")
    with readable():
        stream = open_stream(inflated(data, _HEAD, head_only=True))
        header = read_partial(stream, stop_when=lambda tag, vr, length: tag > last)
        _check_class(header)
        return segment_labels(header.SegmentSequence)


def read_references(data: bytes) -> tuple[References, list[Frame]]:
    """What a SEG refers to, and its frames, by its header alone.

    Raises:
        FileError: `mask-kind`, `mask-unreadable` or `too-large`.
    """
    from pydicom import dcmread

    with readable():
        header = dcmread(open_stream(inflated(data, MAX_BYTES // 4)), stop_before_pixels=True)
        _check_class(header)
        frames = [*_frames(header)]
        return _references(header, frames), frames


def _check_class(header: "Dataset") -> None:
    if header.get("SOPClassUID") not in SOP_CLASSES:
        raise FileError(
            "it is DICOM, but neither a segmentation nor a structure set",
            "Give masks as PNG, npy, NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT.",
            code="mask-kind",
        )


def open_seg(opening: Opening) -> SegFile:
    """Read a SEG, but for the pixels of its frames.

    Raises:
        FileError: `mask-kind`, what `wanted_segments` raises, `mask-unreadable` (frames and
            segments do not fit), `too-large`, `too-slow`, `transfer-syntax` or `extra`.
    """
    from pydicom import dcmread

    data = inflated(opening.data, MAX_BYTES // 4)
    header = dcmread(open_stream(data), stop_before_pixels=True)
    _check_class(header)
    if "TotalPixelMatrixRows" in header:
        raise FileError(
            "it is a segmentation of a whole slide, in tiles, and not of a stack of images",
            "Give the segmentation of a series of MR or CT.",
            code="mask-kind",
        )
    if header.get("SegmentationType") not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise unfit("its SegmentationType is not BINARY, FRACTIONAL or LABELMAP")
    segments = wanted_segments(header, opening)
    check_size(header.Rows, header.Columns)
    pixel = _bytes_of_pixel(header)
    check_bytes(header.Rows * header.Columns * int(header.NumberOfFrames), pixel)
    try:
        from highdicom.seg import Segmentation
    except ImportError as error:
        raise FileError(
            "DICOM SEG is read with highdicom, which is not installed",
            "Install it: pip install 'chaosprep[seg]'.",
            code="extra",
        ) from error
    try:
        # highdicom would print what goes wrong
        dataset, decoded = parse_stack(data, int(MAX_BYTES / pixel), coloured=segments.is_map)
    except FileError as error:
        if error.code in ("too-large", "too-slow", "transfer-syntax"):
            raise
        raise unfit(error.reason) from None
    frames = [*_frames(dataset)]
    if len(frames) != int(header.NumberOfFrames):
        raise unfit("it describes more or fewer frames than it holds")
    _check_segments(dataset, frames)
    listed = _references(dataset, frames)
    # It cannot read the numbers of several frames, and is not asked whose a frame is.
    for group in (*dataset.PerFrameFunctionalGroupsSequence, *_shared(dataset)):
        group.pop("DerivationImageSequence", None)
    return SegFile(
        Segmentation.from_dataset(dataset, copy=False),
        decoded,
        frames,
        listed,
        segments,
    )


def _bytes_of_pixel(header: "Dataset") -> float:
    """The bytes that a pixel takes: of one bit, as it is stored, where it is not compressed."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    native = (ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    is_packed = header.BitsAllocated == 1 and header.file_meta.TransferSyntaxUID in native
    return 1 / 8 if is_packed else 1


def _check_segments(seg: "Dataset", frames: list[Frame]) -> None:
    described = [int(segment.SegmentNumber) for segment in seg.SegmentSequence]
    is_map = seg.SegmentationType == "LABELMAP"
    shown = set() if is_map else {frame.segment for frame in frames}
    if len(set(described)) < len(described) or not shown <= {*described} - {0}:
        raise unfit(
            "its frames and its list of segments do not match: a number is missing, 0 or there "
            "twice"
        )


def _references(seg: "Dataset", frames: list[Frame]) -> References:
    """What a SEG lists (PS3.3 C.12.4), frame or no frame, and what its frames refer to."""
    listed = seg.get("ReferencedSeriesSequence") or ()
    images = {
        str(instance.ReferencedSOPInstanceUID)
        for series in listed
        for instance in series.get("ReferencedInstanceSequence") or ()
    }
    images |= {uid for frame in frames for uid, _ in frame.sources}
    series = {str(item.get("SeriesInstanceUID") or "") for item in listed} - {""}
    return References(
        frozenset(images), frozenset(series), str(seg.get("FrameOfReferenceUID") or "")
    )


def _shared(seg: "Dataset") -> "list[Dataset]":
    """The one item of the functional groups that frames share, where there is one."""
    return [*(seg.get("SharedFunctionalGroupsSequence") or ())][:1]


def _frames(seg: "Dataset") -> Iterator[Frame]:
    """The frames of a SEG, in its order."""
    shared = next(iter(_shared(seg)), None)
    is_map = seg.SegmentationType == "LABELMAP"
    for index, own in enumerate(seg.PerFrameFunctionalGroupsSequence):
        group = None if is_map else _group(own, shared, "SegmentIdentificationSequence")
        segment = 0 if group is None else int(group.ReferencedSegmentNumber)
        derivation = _group(own, shared, "DerivationImageSequence")
        items = () if derivation is None else derivation.get("SourceImageSequence") or ()
        sources = frozenset(source for item in items for source in _sources(item))
        measures = _group(own, shared, "PixelMeasuresSequence")
        between = None if measures is None else measures.get("SpacingBetweenSlices")
        step = float(between) if between else None
        yield Frame(index, segment, sources, _grid(seg, own, shared), step)


def _sources(item: "Dataset") -> list[tuple[str, int | None]]:
    """The images, or frames of one, of an item of a Source Image Sequence."""
    uid, numbers = str(item.ReferencedSOPInstanceUID), item.get("ReferencedFrameNumber")
    if not numbers:
        return [(uid, None)]
    return [(uid, int(n)) for n in ([numbers] if isinstance(numbers, int) else numbers)]


def _group(own: "Dataset", shared: "Dataset | None", keyword: str) -> "Dataset | None":
    """A functional group of a frame: its own, else the one that all frames share."""
    for groups in (own, shared):
        if groups is not None and groups.get(keyword):
            item: Dataset = groups[keyword].value[0]
            return item
    return None


def _grid(seg: "Dataset", own: "Dataset", shared: "Dataset | None") -> Lattice | None:
    position = _group(own, shared, "PlanePositionSequence")
    orientation = _group(own, shared, "PlaneOrientationSequence")
    measures = _group(own, shared, "PixelMeasuresSequence")
    if position is None or orientation is None or measures is None:
        return None
    origin, cosines = position.ImagePositionPatient, orientation.ImageOrientationPatient
    texts = (origin, cosines, measures.PixelSpacing)
    return plane_lattice((seg.Rows, seg.Columns), *(list(map(float, text)) for text in texts))
