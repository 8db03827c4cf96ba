"""The masks of a case, one or one for each structure, in the values of its dataset.

Where several structures lie on one pixel, its value stands for all of them (`imaging.overlaps`).
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, about
from chaosprep.formats.legend import named
from chaosprep.formats.masks import Stack, cut_mask, once, read_plane
from chaosprep.formats.tabled import labels_by_value
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import check_same_size
from chaosprep.imaging.levels import level_histogram
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.series.gathering import Shot
from chaosprep.series.labelling import check_one_frame, labels_shown
from chaosprep.series.renumbering import (
    Planes,
    Renumbering,
    names_in_dataset,
    smallest,
    values_by_name,
    values_of,
)
from chaosprep.series.several import cut_several
from chaosprep.series.source import Files, SourceCase
from chaosprep.structures import folded

_SHOWN = 8  # values in a message
_NAMELESS: Mapping[int, str] = {}


def cut_structures(
    case: SourceCase,
    files: Files,
    images: Mapping[str, Header],
    count: int,
    may_say: Callable[[str], bool],
) -> Stack:
    """Cut the masks of a whole series, those of the rule `volume`.

    Args:
        case: the case.
        files: its files.
        images: the images in anatomical order, as far as they can be read.
        count: how many there should be.
        may_say: whether a text of a file holds nothing that identifies the patient.

    Returns:
        The planes in the values of the dataset, all of one type: of the images that every file has
        one for. Nothing where a file of ``files`` cannot be read; what is wrong in the same way
        with several is one error.
    """
    if not (images and case.masks) or any(mask not in files.data for mask in case.wanted):
        return Stack()
    if case.organs:
        return _painted(case, files, images, count, may_say)
    mask, *more = case.wanted
    place, data, limit = Path(case.root), files.data[mask], case.threshold
    stack = (
        cut_several(case, files, images, count, may_say)
        if more
        else cut_mask(place, mask, data, images, count, may_say, case.takes, threshold=limit)
    )
    by_table = case.table is not None and not stack.names
    own = {**named(case.legend), **named(case.labels if by_table else {}), **stack.names}
    stack.names = names_in_dataset(case, own)
    if not (case.labels or case.roi):
        return stack
    try:
        if case.table is not None and by_table:
            stack.labels = {i: labels_by_value(p, case.table) for i, p in stack.labels.items()}
        made = Renumbering(case, own, values_of(stack.labels.values()), stack.overlaps)
    except FileError as error:
        return Stack(errors=[*stack.errors, (mask, error)])
    stack.labels, stack.overlaps = made.planes(stack.labels), made.overlaps
    return stack


class SliceMasks:
    """The masks of single slices, in the values of the dataset.

    ``names`` are what the values stand for, as far as a file says it.
    """

    def __init__(self, case: SourceCase, files: Files) -> None:
        self._case = case
        self._files = files
        self._painting = _Painting(case) if case.organs else None
        own = named(case.legend)
        self.names = self._painting.names if self._painting else names_in_dataset(case, own)

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels that it stands for, in what was read."""
        return self._painting.overlaps if self._painting else {}

    def read(
        self, shot: Shot, masks: Collection[str], laid: NDArray[Any] | None = None
    ) -> NDArray[Any] | None:
        """The labels of a slice, (rows, cols), from its files; None for a picture kept as it is.

        ``laid`` are those that are known already, as they were laid on the image by place.

        Raises:
            FileError: with the file, what `labels_shown` raises, `mask-frames`, or
                `labels-differ`; of files of one structure, `mask-values` and `mask-overlap` too.
        """
        if self._painting:
            check_one_frame(shot)
            return self._painted(self._painting, shot, masks)
        (mask,) = masks
        with about(mask):
            return self._single(mask, shot, laid)

    def _painted(self, painting: "_Painting", shot: Shot, masks: Collection[str]) -> NDArray[Any]:
        header = shot.header
        planes = {shot.name: np.zeros((header.rows, header.cols), np.uint16)}
        for mask in masks:
            if mask in self._case.wanted:
                with about(mask):
                    labels = read_plane(mask, self._files.data[mask])
                    check_same_size(labels.shape, header)
                    painting.add(mask, {shot.name: labels}, planes)
        return smallest(planes)[shot.name]

    def _single(self, mask: str, shot: Shot, laid: NDArray[Any] | None) -> NDArray[Any] | None:
        data = self._files.data[mask]
        labels = labels_shown(self._case.table, shot, mask, data, laid)
        by_name = self._case.labels and not (self._case.table or self._case.levels)
        if not (by_name or self._case.roi):
            return labels
        try:
            plane = read_plane(mask, data) if labels is None else labels
        except FileError:
            return None  # whoever takes the picture says why
        own = named(self._case.legend)
        made = Renumbering(self._case, own, level_histogram(plane), {}).planes({mask: plane})
        return labels if made[mask] is plane else made[mask]


def _painted(
    case: SourceCase,
    files: Files,
    images: Mapping[str, Header],
    count: int,
    may_say: Callable[[str], bool],
) -> Stack:
    """Cut files of one structure each, and paint them on each other."""
    painting = _Painting(case)
    planes: Planes = {
        image: np.zeros((header.rows, header.cols), np.uint16) for image, header in images.items()
    }
    failed: list[tuple[str, FileError]] = []
    notes: dict[str | None, None] = {}
    for mask in case.wanted:
        place, data, limit = Path(case.root), files.data[mask], case.threshold
        cut = cut_mask(place, mask, data, images, count, may_say, threshold=limit)
        failed += [(mask, error) for _, error in cut.errors]
        notes[cut.note] = None
        planes = {image: plane for image, plane in planes.items() if image in cut.labels}
        try:
            painting.add(mask, cut.labels, planes, cut.names)
        except FileError as error:
            failed.append((mask, error))
            planes = {}
    note = "; ".join(filter(None, notes)) or None
    errors = [*once(failed, "files")]
    return Stack(smallest(planes), errors, note, painting.names, painting.overlaps)


class _Painting:
    """Paints the structures of files that show one each, in the dataset's values.

    Where the dataset has no label map, the structures of the case are numbered by their names.
    """

    def __init__(self, case: SourceCase) -> None:
        self._organs = case.organs
        self._numbers, self.names = values_by_name(case), names_in_dataset(case, {})
        if not case.labels:
            spelled = {folded(name): name for name in case.organs.values()}
            self._numbers = {name: at for at, name in enumerate(sorted(spelled), start=1)}
            self.names = {at: spelled[name] for name, at in self._numbers.items()}
        self._overlaps = Overlaps(self.names)

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        return self._overlaps.values

    def add(
        self,
        mask: str,
        shown: Mapping[str, NDArray[Any]],
        planes: Planes,
        names: Mapping[int, str] = _NAMELESS,
    ) -> None:
        """Paint what one file shows, (rows, cols) for each image, on the planes of uint16.

        ``names`` are what the file calls its labels.

        Raises:
            FileError: `mask-values`, it shows several structures; `labels-differ`, its own is not
                in the dataset's label map; `mask-overlap`.
        """
        values = sorted({*values_of(shown.values()), *names})
        if len(values) > 1:
            more = ", ..." if len(values) > _SHOWN else ""
            raise FileError(
                f"the file of one structure holds {', '.join(map(str, values[:_SHOWN]))}{more}",
                "Save each structure to a file of its own, with 0 and one other value; for one "
                "label map of all, leave {organ} out of the pattern.",
                code="mask-values",
            )
        label = self._numbers.get(folded(self._organs[mask]))
        if label is None:
            raise FileError(
                "its structure is not one of those in the dataset's label map",
                "Give it a value with --labels, or choose others with --roi.",
                code="labels-differ",
            )
        for image, plane in planes.items():
            if image in shown and shown[image].any():
                self._overlaps.paint(plane, shown[image] != 0, label)
