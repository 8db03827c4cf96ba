"""DICOM SEG: the frames of a segmentation laid on the images that they were drawn on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, FileError, plural
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.reading import is_dicom
from chaosprep.formats.legend import named, segment_labels
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.formats.seg_file import Frame, SegFile, open_seg
from chaosprep.formats.seg_images import NEAR, foreign, unlisted
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import check_same_size
from chaosprep.imaging.space.placing import image_grid, locate

_MOST = 3  # pairs of segments that a message names


class SegMask:
    """A DICOM SEG laid on its images; label values are the segment numbers.

    A frame belongs to the image, or the frame of one, that it refers to, else to the one in whose
    plane it lies. Where it says where it lies, its pixels must be the image's (`locate`). A frame
    that is left out of a SEG is empty (PS3.3 C.8.20.3), and so is an image that its list of
    references does not have but its series or stack; another one has no mask (`foreign`).

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values` (fractional, or a
            segment 0), `extra` (highdicom is not installed), or `mask-grid` where frames lie
            elsewhere than the images that they refer to.
    """

    def __init__(self, opening: Opening) -> None:
        import sqlite3  # highdicom keeps in a database what it reads

        from pydicom.errors import BytesLengthException, InvalidDicomError

        self.note: str | None = None
        self._images = opening.images
        self._planes = [np.zeros((h.rows, h.cols), np.uint16) for h in opening.images]
        self._faults: dict[int, FileError] = {}
        self._overlaps: dict[tuple[int, int], set[int]] = defaultdict(set)
        self._strangers = 0
        with silent():
            try:
                file = open_seg(opening.data)
                self.names = named(segment_labels(file.seg.get("SegmentSequence") or ()))
                self._lay(file)
            except (*BROKEN, BytesLengthException, InvalidDicomError, sqlite3.Error):
                reason = "the DICOM segmentation cannot be read"
                remedy = "Export it again from its source."
                raise FileError(reason, remedy, "mask-unreadable") from None
        said = {value: name for value, name in self.names.items() if opening.may_say(name)}
        if self._overlaps:
            error = _overlapping(sorted(self._overlaps), said)
            for at in set().union(*self._overlaps.values()):
                self._faults.setdefault(at, error)

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

    def _lay(self, file: SegFile) -> None:
        """Paint every frame on its image."""
        own = self._own(file)
        named_by = _by_source(own)
        elsewhere: list[float] = []
        for frame in file.frames:
            pixels = file.pixels(frame)
            if not pixels.any():
                continue
            referred = {at for source in frame.sources for at in named_by[source]}
            off = {at: _distance(frame, own[at]) for at in referred or own}
            places = [at for at in off if off[at] <= NEAR]
            if len(referred) == 1:
                places = [*referred]
                if NEAR < off[places[0]] < np.inf:
                    elsewhere.append(off[places[0]])
                    continue
            if places:
                self._put(places[0], frame, pixels)
            else:
                self._strangers += 1
        if elsewhere:
            raise _contradiction(elsewhere)

    def _own(self, file: SegFile) -> dict[int, Header]:
        """The images that the SEG was made on; the others have no mask."""
        strange = foreign(self._images, file.references, file.frames)
        empty = unlisted(self._images, file.references) - strange
        if empty:
            self.note = (
                f"the segmentation does not list {len(empty)} of {len(self._images)} images that "
                "lie in its series or stack: where no frame shows them, their masks are empty"
            )
        for at in strange:
            self._faults[at] = FileError(
                "the segmentation was not made on this image",
                "Find the segmentation of this series, or leave the slice out with --on-error "
                "skip.",
                code="mask-missing",
            )
        return {at: image for at, image in enumerate(self._images) if at not in strange}

    def _put(self, at: int, frame: Frame, pixels: NDArray[Any]) -> None:
        """Put a frame's segment, or the values of a label map, where the plane is still empty."""
        try:
            pixels = _aligned(pixels, frame, self._images[at])
        except FileError as error:
            self._faults.setdefault(at, error)
            return
        plane = self._planes[at]
        shown = pixels > 0
        values = np.full(pixels.shape, frame.segment, np.uint16) if frame.segment else pixels
        both = shown & (plane > 0) & (plane != values)
        for pair in {*zip(plane[both].tolist(), values[both].tolist(), strict=True)}:
            self._overlaps[min(pair), max(pair)].add(at)
        plane[shown] = values[shown]


def _by_source(images: Mapping[int, Header]) -> Mapping[tuple[str, int | None], list[int]]:
    """The images by what a frame may call them: a file, or a frame of it."""
    found: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for at, image in images.items():
        for number in (None, image.frame_number):
            found[image.sop_instance_uid, number].append(at)
    return found


def _distance(frame: Frame, image: Header) -> float:
    """The mm between the planes of a frame and an image; infinite where one does not tell."""
    if frame.grid is None or image.image_position_patient is None:
        return np.inf
    normal, origin = frame.grid.steps[:, 2].tolist(), frame.grid.origin.tolist()
    along = zip(normal, image.image_position_patient, origin, strict=True)
    return float(abs(sum(n * (there - here) for n, there, here in along)))


def _aligned(pixels: NDArray[Any], frame: Frame, header: Header) -> NDArray[Any]:
    """The pixels of a frame as its image has them."""
    if frame.grid is None or header.image_position_patient is None:
        check_same_size(pixels.shape, header)
        return pixels
    place = locate(image_grid(header), frame.grid)
    return place.take(pixels[:, :, None], header.rows, header.cols)


def _contradiction(distances: Sequence[float]) -> FileError:
    return FileError(
        "frames lie off the planes of the images that they refer to: "
        f"{len(distances)} of them, up to {max(distances):.3g} mm",
        "Export the segmentation again from its source: references and places must agree.",
        code="mask-grid",
    )


def _overlapping(pairs: Sequence[tuple[int, int]], names: dict[int, str]) -> FileError:
    """The error of segments that overlap, by number and label."""

    def said(number: int) -> str:
        return f"{number} ({names[number]})" if number in names else str(number)

    shown = ", ".join(f"{said(one)} and {said(other)}" for one, other in pairs[:_MOST])
    more = f" and {plural(len(pairs) - _MOST, 'more pair')}" if len(pairs) > _MOST else ""
    return FileError(
        f"segments overlap, and a label map can show but one: {shown}{more}",
        "Export a segmentation of the segments that you need, without the overlap.",
        code="mask-overlap",
    )


SEG = MaskFormat(
    name="DICOM SEG", endings=(".dcm",), knows=lambda path, data: is_dicom(data), of_series=SegMask
)
