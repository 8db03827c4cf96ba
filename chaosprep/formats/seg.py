"""DICOM SEG: the frames of a segmentation laid on the images that they were drawn on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, FileError
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.reading import is_dicom
from chaosprep.formats.legend import named, segment_labels
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import check_same_size
from chaosprep.imaging.limits import check_bytes, check_size
from chaosprep.imaging.space.lattice import Lattice, plane_lattice
from chaosprep.imaging.space.placing import image_grid, locate

if TYPE_CHECKING:
    from highdicom.seg import Segmentation
    from pydicom.dataset import Dataset

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"  # PS3.4 B.5: binary or fractional
_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"  # its values are the segment numbers
_NEAR = 0.05  # mm between the planes of a frame and its image


@dataclass(frozen=True, eq=False)
class _Frame:
    """A frame: its segment (0 for a label map), the images it was made from, where it lies."""

    index: int
    segment: int
    images: frozenset[str]
    grid: Lattice | None


class SegMask:
    """A DICOM SEG laid on its images; label values are the segment numbers.

    A frame belongs to the image whose SOPInstanceUID it refers to, else to the one in whose plane
    it lies. Where it says where it lies, its pixels must be the image's (`locate`). A frame that is
    left out of a SEG is empty (PS3.3 C.8.20.3); an image that the SEG's list of references does not
    have, where there is such a list, was never looked at, and has no mask.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values` (fractional), `extra`
            (highdicom is not installed) or `mask-frames`.
    """

    note = None

    def __init__(self, opening: Opening) -> None:
        self._images = opening.images
        if any(header.frames > 1 for header in opening.images):
            raise FileError(
                "a DICOM SEG of a multi-frame image is not read",
                "Give the mask as a NIfTI volume.",
                code="mask-frames",
            )
        self._planes = [np.zeros((h.rows, h.cols), np.uint16) for h in opening.images]
        self._faults: dict[int, FileError] = {}
        self._strangers = 0
        with silent():
            try:
                seg = _open(opening.data)
                self.names = named(segment_labels(seg.get("SegmentSequence") or ()))
                self._lay(seg)
            except BROKEN:
                reason = "the DICOM segmentation cannot be read"
                remedy = "Export it again from its source."
                raise FileError(reason, remedy, "mask-unreadable") from None

    def plane(self, index: int) -> NDArray[Any]:
        """The segments on an image.

        Raises:
            FileError: `mask-missing`, `mask-overlap`, `mask-grid` or `size-mismatch`.
        """
        if index in self._faults:
            raise self._faults[index]
        return self._planes[index]

    def surplus(self) -> FileError | None:
        """The error of frames, not empty, that are of no image."""
        return surplus(self._strangers, "frames") if self._strangers else None

    def _lay(self, seg: "Segmentation") -> None:
        """Paint every frame on its image."""
        referenced = _references(seg)
        uids = [header.sop_instance_uid for header in self._images]
        for index, uid in enumerate(uids):
            if referenced and uid not in referenced:
                self._faults[index] = FileError(
                    "the segmentation was not made on this image",
                    "Find the segmentation of this series, or leave the slice out with --on-error "
                    "skip.",
                    code="mask-missing",
                )
        seen = [at for at in range(len(uids)) if at not in self._faults]
        owners = {uids[at]: at for at in seen if uids[at]}
        for frame in _frames(seg):
            pixels = seg.get_stored_frame(frame.index, as_index=True)
            at = _owner(frame, owners, {at: self._images[at] for at in seen})
            if at is None:
                self._strangers += bool(pixels.any())
                continue
            try:
                _paint(self._planes[at], _aligned(pixels, frame, self._images[at]), frame.segment)
            except FileError as error:
                self._faults.setdefault(at, error)


def _open(data: bytes) -> "Segmentation":
    """Read a SEG; its frames are decoded one by one, when they are asked for."""
    from pydicom import dcmread

    header = dcmread(BytesIO(data), stop_before_pixels=True)
    if header.get("SOPClassUID") not in (_SEGMENTATION, _LABEL_MAP):
        raise FileError(
            "it is DICOM, but not a segmentation",
            "Give masks as PNG, npy, NIfTI or DICOM SEG.",
            code="mask-kind",
        )
    if header.get("SegmentationType") not in ("BINARY", "LABELMAP"):
        raise FileError(
            "the segmentation is fractional: its values are no labels",
            "Export it as a binary segmentation, with the threshold that you trust.",
            code="mask-values",
        )
    check_size(header.Rows, header.Columns)
    check_bytes(header.Rows * header.Columns * int(header.NumberOfFrames), 1)
    try:
        from highdicom.seg import segread
    except ImportError as error:
        raise FileError(
            "DICOM SEG is read with highdicom, which is not installed",
            "Install it: pip install 'chaosprep[seg]'.",
            code="extra",
        ) from error
    return segread(BytesIO(data))  # its lazy reader would print what goes wrong


def _references(seg: "Segmentation") -> frozenset[str]:
    """The SOPInstanceUIDs of all images that the SEG lists (PS3.3 C.12.4), frame or no frame."""
    return frozenset(
        str(instance.ReferencedSOPInstanceUID)
        for series in seg.get("ReferencedSeriesSequence") or ()
        for instance in series.get("ReferencedInstanceSequence") or ()
    )


def _frames(seg: "Segmentation") -> Iterator[_Frame]:
    shared = (seg.get("SharedFunctionalGroupsSequence") or [None])[0]
    is_map = seg.SegmentationType == "LABELMAP"
    for index, own in enumerate(seg.PerFrameFunctionalGroupsSequence):
        group = _group(own, shared, "SegmentIdentificationSequence")
        segment = 0 if is_map or group is None else int(group.ReferencedSegmentNumber)
        derivation = _group(own, shared, "DerivationImageSequence")
        sources = () if derivation is None else derivation.get("SourceImageSequence") or ()
        uids = frozenset(str(item.ReferencedSOPInstanceUID) for item in sources)
        yield _Frame(index, segment, uids, _grid(seg, own, shared))


def _group(own: "Dataset", shared: "Dataset | None", keyword: str) -> "Dataset | None":
    """A functional group of a frame: its own, else the one that all frames share."""
    for groups in (own, shared):
        if groups is not None and groups.get(keyword):
            item: Dataset = groups[keyword].value[0]
            return item
    return None


def _grid(seg: "Segmentation", own: "Dataset", shared: "Dataset | None") -> Lattice | None:
    position = _group(own, shared, "PlanePositionSequence")
    orientation = _group(own, shared, "PlaneOrientationSequence")
    measures = _group(own, shared, "PixelMeasuresSequence")
    if position is None or orientation is None or measures is None:
        return None
    origin, cosines = position.ImagePositionPatient, orientation.ImageOrientationPatient
    texts = (origin, cosines, measures.PixelSpacing)
    return plane_lattice((seg.Rows, seg.Columns), *(list(map(float, text)) for text in texts))


def _owner(frame: _Frame, owners: Mapping[str, int], images: Mapping[int, Header]) -> int | None:
    """The image that a frame belongs to: by its reference, else by its plane."""
    referred = [owners[uid] for uid in frame.images if uid in owners]
    if len(referred) == 1:
        return referred[0]
    if frame.grid is None:
        return None
    normal = frame.grid.steps[:, 2]
    for image, header in images.items():
        place = header.image_position_patient
        if place is not None and abs(normal @ (np.array(place) - frame.grid.origin)) <= _NEAR:
            return image
    return None


def _aligned(pixels: NDArray[Any], frame: _Frame, header: Header) -> NDArray[Any]:
    """The pixels of a frame as its image has them."""
    if frame.grid is None or header.image_position_patient is None:
        check_same_size(pixels.shape, header)
        return pixels
    place = locate(image_grid(header), frame.grid)
    return place.take(pixels[:, :, None], header.rows, header.cols)


def _paint(plane: NDArray[np.uint16], pixels: NDArray[Any], segment: int) -> None:
    """Put a frame's segment, or the values of a label map, where the plane is still empty."""
    shown = pixels > 0
    values = pixels if segment == 0 else np.uint16(segment)
    if (shown & (plane > 0) & (plane != values)).any():
        raise FileError(
            "two segments of the segmentation overlap here: a label map can show but one",
            "Export the organs as segmentations of their own, or without the overlap.",
            code="mask-overlap",
        )
    plane[shown] = pixels[shown] if segment == 0 else segment


SEG = MaskFormat(
    name="DICOM SEG", endings=(".dcm",), knows=lambda path, data: is_dicom(data), of_series=SegMask
)
