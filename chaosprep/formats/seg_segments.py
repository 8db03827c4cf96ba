"""Which segments of a DICOM SEG are wanted, and how its stored values show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.legend import check_no_twins, named, segment_labels, segment_name

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from chaosprep.formats.mask_file import Opening

_BACKGROUND = ("DCM", "125040")  # PS3.16 D


@dataclass(frozen=True, eq=False)
class Segments:
    """The wanted segments: their numbers, and their names as far as there are any.

    ``is_any`` tells whether a frame of a label map can show one at all. ``shown`` tells of every
    stored value of 8 bits, or of a label map of 16 bits, which label it is: in a label map a number
    or 0, elsewhere 1 where the segment of the frame is shown. ``strange`` are the values that a
    frame must not have, ``faults`` why, where it is not that nothing describes them.
    """

    numbers: frozenset[int]
    names: Mapping[int, str]
    is_map: bool
    is_any: bool
    shown: NDArray[np.uint16]
    strange: NDArray[np.bool_]
    faults: Mapping[int, FileError]

    def wants(self, number: int) -> bool:
        """Whether anything of a frame of this segment, or of a label map's, is to be shown."""
        return self.is_any if self.is_map else number in self.numbers

    def labels(self, stored: NDArray[Any], number: int) -> NDArray[np.uint16]:
        """The labels, (rows, cols), of a frame's stored values; 0 where nothing wanted is shown.

        Raises:
            FileError: `mask-values` or `mask-unreadable`, values that stand for nothing.
        """
        if stored.dtype.kind not in "bu" or stored.max(initial=0) >= len(self.shown):
            raise unfit("its frames hold other values than whole numbers of its type's bits")
        if self.strange.any():
            found = np.flatnonzero(np.bincount(stored.ravel(), minlength=len(self.shown)))
            for value in found[self.strange[found]].tolist():
                raise self.faults.get(value, _undescribed())
        table = self.shown if self.is_map else self.shown * np.uint16(number)
        labels: NDArray[np.uint16] = table[stored]
        return labels


def wanted_segments(seg: "Dataset", opening: "Opening") -> Segments:
    """The segments of a SEG that a mask is opened for.

    Raises:
        FileError: `mask-values`, it is fractional and no threshold is given; `mask-names`, two
            wanted segments have one name; or `mask-unreadable`.
    """
    names = named(segment_labels(seg.SegmentSequence))
    numbers = {int(segment.SegmentNumber) for segment in seg.SegmentSequence} - {0}
    if not all(0 <= number < 2**16 for number in numbers):
        raise unfit("its segments have numbers of more than 16 bits")
    wanted = frozenset(n for n in numbers if opening.takes(names.get(n, f"label-{n}")))
    names = {number: name for number, name in names.items() if number in wanted}
    check_no_twins(names.values(), opening.may_say, "a SegmentLabel or a TrackingID")
    if seg.SegmentationType == "LABELMAP":
        return _of_map(seg, opening.takes, wanted, names, numbers)
    return _of_frames(seg, opening.threshold, wanted, names)


def _of_map(
    seg: "Dataset",
    takes: Callable[[str], bool],
    wanted: frozenset[int],
    names: Mapping[int, str],
    numbers: set[int],
) -> Segments:
    """The wanted segments of a label map; ``numbers`` are those of all that it describes."""
    shown, strange = np.zeros(2**16, np.uint16), np.ones(2**16, np.bool_)
    shown[[*wanted]] = [*wanted]
    strange[[0, *numbers]] = False
    background, faults = seg.get("PixelPaddingValue"), {}
    if isinstance(background, int) and 0 <= background < 2**16:
        shown[background], strange[background] = 0, False
    if background != 0 and any(_shows_0(one, takes) for one in seg.SegmentSequence):
        strange[0], faults = True, {0: _segment_0()}
    return Segments(
        wanted,
        names,
        is_map=True,
        is_any=bool(wanted) or not numbers,  # of an empty list no value is unwanted
        shown=shown,
        strange=strange,
        faults=faults,
    )


def _of_frames(
    seg: "Dataset", threshold: float | None, wanted: frozenset[int], names: Mapping[int, str]
) -> Segments:
    """The wanted segments of a SEG that has frames of one segment each."""
    values = np.arange(2**8)
    shown, strange = values > 0, np.zeros(2**8, np.bool_)
    if seg.SegmentationType == "FRACTIONAL" and wanted:
        highest = int(seg.MaximumFractionalValue)
        if highest < 1:
            raise unfit("its MaximumFractionalValue is 0")
        if threshold is None:
            raise _fractional()
        shown &= values / highest >= threshold
        strange = values > highest
    return Segments(
        wanted,
        names,
        is_map=False,
        is_any=bool(wanted),
        shown=shown.astype(np.uint16),
        strange=strange,
        faults={value: _above() for value in np.flatnonzero(strange).tolist()},
    )


def unfit(reason: str) -> FileError:
    """The error of a SEG whose parts contradict each other."""
    return FileError(reason, "Export the segmentation again from its source.", "mask-unreadable")


def _shows_0(segment: "Dataset", takes: Callable[[str], bool]) -> bool:
    """Whether it is a wanted segment of number 0 that shows something.

    dcmqi lists the background so.
    """
    kinds = segment.get("SegmentedPropertyTypeCodeSequence") or ()
    codes = {(kind.get("CodingSchemeDesignator"), kind.get("CodeValue")) for kind in kinds}
    label = segment_name(segment)
    if segment.SegmentNumber or label.casefold() == "background" or _BACKGROUND in codes:
        return False
    return takes(label or "label-0")


def _undescribed() -> FileError:
    return unfit("its frames have values that its list of segments does not describe")


def _segment_0() -> FileError:
    return FileError(
        "0 is a segment of the label map, but in a mask it is the background",
        "Export it again with 0 as its background (PixelPaddingValue).",
        code="mask-values",
    )


def _fractional() -> FileError:
    return FileError(
        "the segmentation is fractional: its values are parts of a voxel or probabilities, not "
        "labels",
        "Say from which value a structure is shown: --threshold 0.5.",
        code="mask-values",
    )


def _above() -> FileError:
    return unfit("its frames have values above its MaximumFractionalValue")
