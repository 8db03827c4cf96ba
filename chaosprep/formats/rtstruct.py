"""RTSTRUCT: the contours of a structure set as labels of the images that they were drawn on."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.kinds import sop_class
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.formats.rtstruct_file import (
    Contour,
    Roi,
    contradictory,
    open_structures,
    reading,
    structure_labels,
)
from chaosprep.formats.rtstruct_findings import Findings, Kind
from chaosprep.formats.rtstruct_planes import Planes
from chaosprep.imaging.header import Header
from chaosprep.imaging.limits import check_bytes
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.imaging.polygons import Polygon, cross, effort, fill
from chaosprep.structures import folded

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"  # PS3.4 B.5
_XOR = "CLOSEDPLANAR_XOR"
_CLOSED = ("CLOSED_PLANAR", _XOR)  # PS3.3 C.8.8.6.3
_OPEN = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")
_EFFORT, _OF_POINT = 2**25, 2**8  # of filling all contours, and more for each of their points

Drawn = dict[Roi, list[Contour]]


class StructureMask:
    """An RTSTRUCT laid on its images.

    The contours of a structure in the plane of an image are one polygon there (`fill`): what lies
    in two of them is out, be it a hole or a part that they share. They are as exact as the file has
    them. Where structures lie on one voxel, its value stands for all of them (`overlaps`). The
    structures that `takes` turns away are not looked at.

    Raises:
        FileError: `mask-unreadable`, `mask-names` (two structures of one name), `too-large`,
            `mask-overlap`, or `mask-grid` where contours do not lie in the planes of images.
    """

    def __init__(self, opening: Opening) -> None:
        check_bytes(sum(image.rows * image.cols for image in opening.images), 2)
        self._images = opening.images
        self._findings = Findings(opening.may_say)
        self._strangers = 0
        with reading():
            rois, labels = open_structures(opening.data, opening.takes)
            every = {roi: roi.contours() for roi in rois}
        drawn = self._closed(every)
        self._planes = [np.zeros((h.rows, h.cols), np.uint16) for h in opening.images]
        self._overlaps = Overlaps(labels)
        self._lay(self._without_twins(drawn), complete=len(opening.images) >= opening.count)
        self.names = _names(rois, drawn)
        if error := self._findings.error():
            raise error
        self.note = self._findings.remark()

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels of all structures that lie where it stands."""
        return self._overlaps.values

    def plane(self, index: int) -> NDArray[Any]:
        """The labels on an image, (rows, cols) uint16."""
        return self._planes[index]

    def surplus(self) -> FileError | None:
        """The error of contours beyond all images."""
        return surplus(self._strangers, "contours") if self._strangers else None

    def _closed(self, every: Drawn) -> Drawn:
        """The contours that enclose something; a structure without any is absent."""
        found: Drawn = {}
        for roi, contours in every.items():
            kinds = Counter(contour.kind for contour in contours)
            if kinds.keys() - {*_CLOSED, *_OPEN}:
                raise contradictory("a contour is of a kind that DICOM does not know")
            closed = [contour for contour in contours if contour.kind in _CLOSED]
            enclosing = [contour for contour in closed if len(contour.points) > 2]
            for kind, count in (
                (Kind.OPEN, len(contours) - len(closed)),
                (Kind.FEW, len(closed) - len(enclosing)),
            ):
                if count:
                    self._findings.add(kind, roi, of=len(contours), count=count)
            if enclosing:
                found[roi] = enclosing
        return found

    def _without_twins(self, drawn: Drawn) -> Drawn:
        """The structures without those that repeat another of the same name."""
        of_name = defaultdict[str | int, list[Roi]](list)
        for roi in drawn:
            of_name[folded(roi.name) or roi.label].append(roi)
        for twins in of_name.values():
            if len({_all_points(drawn[roi]) for roi in twins}) > 1:
                raise FileError(
                    "several structures have one name, but not the same contours: "
                    + ", ".join(map(self._findings.said, twins)),
                    "Give each a name of its own, or leave them out with --roi.",
                    code="mask-names",
                )
        first = {twins[0] for twins in of_name.values()}
        return {roi: contours for roi, contours in drawn.items() if roi in first}

    def _lay(self, drawn: Drawn, *, complete: bool) -> None:
        """Paint every structure on the images that its contours lie on."""
        if not drawn:
            return
        planes = Planes(self._images)
        ties = _Ties(self._images)
        placed = {
            roi: self._placed(roi, contours, planes, ties, complete)
            for roi, contours in drawn.items()
        }
        polygons = [
            (polygon, self._planes[at].shape)
            for found in placed.values()
            for at, every in found.items()
            for polygon in every
        ]
        allowed = _EFFORT + _OF_POINT * sum(len(polygon) for polygon, _ in polygons)
        if sum(effort(polygon, shape) for polygon, shape in polygons) > allowed:
            raise FileError(
                "its contours have few points for all that they run across and enclose",
                "Check the file; contours of a structure go around it.",
                code="too-large",
            )
        outside = [self._paint(roi, found, drawn[roi]) for roi, found in placed.items()]
        if polygons and all(outside):
            for roi in placed:
                self._findings.add(Kind.ELSEWHERE, roi)

    def _placed(
        self, roi: Roi, contours: list[Contour], planes: Planes, ties: "_Ties", complete: bool
    ) -> dict[int, list[Polygon]]:
        """The polygons of a structure by image."""
        found = defaultdict[int, dict[bytes, Polygon]](dict)
        between: list[tuple[float, tuple[int, ...]]] = []
        add, of = self._findings.add, len(contours)
        if kind := ties.oddity(roi, contours):
            add(kind, roi)
        is_tied = ties.tie(contours)
        for contour in contours:
            place = planes.place(contour.points)
            if place.at is not None and is_tied and contour.sources and not ties.tie([contour]):
                add(Kind.ANOTHER, roi, of=of)
            elif place.at is not None:
                if not ties.agree(contour, place.at):
                    add(Kind.CONTRADICTION, roi, of=of)
                key = _turned(contour.points).tobytes()
                if key in found[place.at]:
                    add(Kind.REPEATED, roi, of=of)
                found[place.at][key] = planes.pixels(contour.points, place.at)
            elif place.tilted:
                add(Kind.TILTED, roi, of=of, mm=place.off)
            elif place.between:
                between.append((place.off, place.between))
            else:
                self._strangers += 1
        for off, beside in between:
            lost = complete and not found.keys() & {*beside}
            add(Kind.OFF if lost else Kind.BETWEEN, roi, of=of, mm=off)
        if skipped := planes.skipped({*found}):
            add(Kind.SKIPPED, roi, of=skipped + len(found), count=skipped)
        return {at: [*polygons.values()] for at, polygons in found.items()}

    def _paint(
        self, roi: Roi, polygons: Mapping[int, list[Polygon]], contours: list[Contour]
    ) -> bool:
        """Paint a structure; tell whether all of its contours lie outside the pictures."""
        outside, crossed, shown = 0, 0, False
        every = sum(map(len, polygons.values()))
        may_cross = any(contour.kind == _XOR for contour in contours)
        for at, here in polygons.items():
            plane = self._planes[at]
            shape = (self._images[at].rows, self._images[at].cols)
            outside += sum(_is_outside(polygon, shape) for polygon in here)
            crossed += len(here) > 1 and not may_cross and cross(here, shape)
            patch = fill(here, shape)
            self._overlaps.paint(plane[patch.rows, patch.cols], patch.shown, roi.label)
            shown = shown or bool(patch.shown.any())
        if outside:
            self._findings.add(Kind.OUTSIDE, roi, of=every, count=outside)
        elif every and not (shown or crossed):
            self._findings.add(Kind.SMALL, roi)
        if crossed:
            self._findings.add(Kind.CROSSING, roi, of=len(polygons), count=crossed)
        return outside == every


class _Ties:
    """What ties contours to images besides their places: frames of reference, and references."""

    def __init__(self, images: Sequence[Header]) -> None:
        self._spaces = {image.evidence.get("FrameOfReferenceUID", "") for image in images} - {""}
        self._known = defaultdict[tuple[str, int | None], set[int]](set)
        for at, image in enumerate(images):
            for number in (None, image.frame_number):
                self._known[image.sop_instance_uid, number].add(at)

    def agree(self, contour: Contour, at: int) -> bool:
        """Whether what a contour refers to allows for an image."""
        own = self._own([contour])
        return not own or at in own

    def tie(self, contours: Sequence[Contour]) -> bool:
        """Whether any contour refers to one of the images."""
        return bool(self._own(contours))

    def oddity(self, roi: Roi, contours: Sequence[Contour]) -> Kind | None:
        """What is odd about where a structure belongs."""
        is_known = bool(roi.space and self._spaces)
        if is_known and roi.space not in self._spaces:
            return Kind.FRAME
        refers = any(contour.sources for contour in contours)
        if refers and not self._own(contours):
            return Kind.OTHERS if is_known else Kind.STRANGE
        return None if refers or is_known else Kind.UNTIED

    def _own(self, contours: Sequence[Contour]) -> set[int]:
        sources = {source for contour in contours for source in contour.sources}
        return set().union(*(self._known[source] for source in sources & self._known.keys()))


def _names(rois: Sequence[Roi], drawn: Drawn) -> dict[int, str]:
    """Label -> name, once each: that of the first structure that has contours, or of the first."""
    found: dict[str, Roi] = {}
    for roi in sorted(rois, key=lambda roi: roi not in drawn):
        if roi.name:
            found.setdefault(folded(roi.name), roi)
    return dict(sorted((roi.label, roi.name) for roi in found.values()))


def _all_points(contours: Sequence[Contour]) -> tuple[bytes, ...]:
    return tuple(sorted(contour.points.tobytes() for contour in contours))


def _turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A closed contour from its lowest point on, in the direction of its lower neighbour."""
    if (points[0] == points[-1]).all():
        points = points[:-1]
    found = np.roll(points, -int(np.lexsort(points.T)[0]), axis=0)
    if found[1].tolist() > found[-1].tolist():
        found = np.roll(found[::-1], 1, axis=0)
    return found


def _is_outside(polygon: Polygon, shape: tuple[int, ...]) -> bool:
    """Whether a polygon lies beside all pixels of a plane, of which each reaches half a step."""
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    return bool((high < -0.5).any() or (low > np.array(shape) - 0.5).any())


RTSTRUCT = MaskFormat(
    name="RTSTRUCT",
    endings=(".dcm",),
    knows=lambda path, data: sop_class(data) == SOP_CLASS,
    of_series=StructureMask,
    legend=structure_labels,
)
