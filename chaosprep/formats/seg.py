"""DICOM SEG: the frames of a segmentation laid on the images that they were drawn on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.formats.seg_file import Frame, SegFile, open_seg, read_legend, readable
from chaosprep.formats.seg_images import NEAR, foreign, unlisted
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import MAX_LABELS, check_same_size, no_label_map
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.imaging.space.placing import image_grid, locate
from chaosprep.imaging.space.planes import turned


class SegMask:
    """A DICOM SEG laid on its images; label values are the segment numbers.

    A frame belongs to the image, or the frame of one, that it refers to, else to the one in whose
    plane it lies; where some refer to these images, one that refers to others is not theirs,
    though it lies in their planes (another phase). Where it says where it lies, its pixels must be
    the image's (`locate`). A frame
    that is left out of a SEG is empty (PS3.3 C.8.20.3), and so is an image that its list of
    references does not have but its series or stack; another one has no mask (`foreign`).

    Segments may overlap; those that are not wanted are left out, and a fractional one is shown from
    the threshold on.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values` (fractional and no
            threshold, or a segment 0), `mask-names` (of several), `extra` (highdicom is not
            installed), or `mask-grid` where frames lie elsewhere than the images that they refer
            to.
    """

    def __init__(self, opening: Opening) -> None:
        self.note: str | None = None
        self._images = opening.images
        self._planes = [np.zeros((h.rows, h.cols), np.uint16) for h in opening.images]
        self._faults: dict[int, FileError] = {}
        self._strangers = 0
        with readable():
            file = open_seg(opening)
            self.names = file.segments.names
            self._painter = Overlaps(file.segments.numbers)
            self._lay(file)

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the segments that meet where it stands."""
        return self._painter.values

    def plane(self, index: int) -> NDArray[Any]:
        """The segments on an image.

        Raises:
            FileError: `mask-missing`, `mask-grid` or `size-mismatch`.
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
        is_tied = any(source in named_by for frame in file.frames for source in frame.sources)
        elsewhere: list[float] = []
        others = 0
        for frame in file.frames:
            if not file.segments.wants(frame.segment):
                continue
            labels = file.labels(frame)
            if not labels.any():
                continue
            referred = {at for source in frame.sources for at in named_by[source]}
            off = {at: _distance(frame, own[at]) for at in referred or own}
            places = [at for at in off if off[at] <= NEAR]
            if places and is_tied and frame.sources and not referred:
                others += 1
                continue
            if len(referred) == 1:
                places = [*referred]
                if NEAR < off[places[0]] < np.inf:
                    elsewhere.append(off[places[0]])
                    continue
            if places:
                self._put(places[0], frame, labels)
            else:
                self._strangers += 1
        if elsewhere:
            raise _contradiction(elsewhere)
        if others:
            said = f"{others} of its frames refer to images of another volume in the same planes"
            self.note = f"{self.note}; {said}" if self.note else said

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

    def _put(self, at: int, frame: Frame, labels: NDArray[np.uint16]) -> None:
        """Put the labels of a frame on an image."""
        try:
            labels = _aligned(labels, frame, self._images[at])
        except FileError as error:
            self._faults.setdefault(at, error)
            return
        box = _box(labels)
        plane, labels = self._planes[at][box], labels[box]
        shown = labels > 0
        met = shown & (plane > 0)
        free = shown & ~met
        plane[free] = labels[free]
        found = np.unique(labels[met])
        if found.size > MAX_LABELS:
            raise no_label_map(f"{found.size} of its segments overlap on one image")
        for label in found.tolist():
            self._painter.paint(plane, met & (labels == label), label)


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


def _aligned(pixels: NDArray[np.uint16], frame: Frame, header: Header) -> NDArray[np.uint16]:
    """The pixels of a frame as its image has them."""
    if frame.grid is None or header.image_position_patient is None:
        check_same_size(pixels.shape, header)
        return pixels
    return turned(pixels, locate(image_grid(header), frame.grid))


def _box(labels: NDArray[np.uint16]) -> tuple[slice, slice]:
    """The rows and columns of a plane that show anything; some do."""
    rows, cols = (np.flatnonzero(labels.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)


def _contradiction(distances: Sequence[float]) -> FileError:
    return FileError(
        "frames lie off the planes of the images that they refer to: "
        f"{len(distances)} of them, up to {max(distances):.3g} mm",
        "Export the segmentation again from its source: references and places must agree.",
        code="mask-grid",
    )


SEG = MaskFormat(
    name="DICOM SEG",
    endings=(".dcm",),
    knows=lambda path, data: is_dicom(data),
    of_series=SegMask,
    legend=read_legend,
)
