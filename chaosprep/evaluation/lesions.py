"""Lesion by lesion: the components of two masks, matched by their overlap.

Precision, recall, F1 (there the recognition quality), segmentation quality and panoptic quality are
those of Kirillov et al. 2019 (doi:10.1109/CVPR.2019.00963), of one class.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.evaluation.asked import Neighbours
from chaosprep.evaluation.overlap import Mask

Components = NDArray[np.int64]


class Lesion(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of matched components, or one that is on one side only.

    ``pred`` and ``ref`` are the numbers of the components, from 1 in the order of their first
    voxel by slice, row, column; None on the side that lacks it, where ``iou`` and ``dice`` are 0.
    """

    ref: int | None
    pred: int | None
    ref_voxels: int
    pred_voxels: int
    iou: float
    dice: float


class Found(msgspec.Struct, frozen=True):
    """The lesions of both sides: matched, only predicted and missed.

    Ratios are None where they are of nothing: all where neither side has a lesion.
    """

    lesions: tuple[Lesion, ...]

    @property
    def tp(self) -> int:
        """Matched pairs."""
        return sum(one.ref is not None and one.pred is not None for one in self.lesions)

    @property
    def fp(self) -> int:
        """Predicted lesions that match none."""
        return sum(one.ref is None for one in self.lesions)

    @property
    def fn(self) -> int:
        """Lesions of the reference that were missed."""
        return sum(one.pred is None for one in self.lesions)

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP)."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN)."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FP + FN): the recognition quality."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def sq(self) -> float | None:
        """The mean IoU of the matched pairs: the segmentation quality."""
        return _ratio(sum(one.iou for one in self.lesions), self.tp)

    @property
    def pq(self) -> float | None:
        """F1 times the segmentation quality: 0 where nothing matches."""
        return None if self.f1 is None else self.f1 * (self.sq or 0.0)


def lesions(pred: Mask, ref: Mask, iou: float = 0.5, neighbours: Neighbours = 26) -> Found:
    """Match the components of two masks; a component is matched once at most.

    Those of IoU above `iou` are pairs. Above 0.5 a component can have one such partner; below, the
    larger IoU comes first, then the lower number in the reference, then in the prediction.

    Args:
        pred: boolean (slices, rows, cols).
        ref: the same shape.
        iou: from 0 to below 1.
        neighbours: 26 (faces, edges and corners) or 6 (faces) hold a component together; in a
            single slice these are 8 or 4.
    """
    there, here = components(pred, neighbours), components(ref, neighbours)
    sizes = np.bincount(there.ravel())[1:], np.bincount(here.ravel())[1:]
    both = pred & ref
    pairs, common = np.unique(np.stack([here[both], there[both]]), axis=1, return_counts=True)
    overlaps = []
    for (mine, theirs), count in zip(pairs.T.tolist(), common.tolist(), strict=True):
        union = int(sizes[1][mine - 1]) + int(sizes[0][theirs - 1]) - count
        if count / union > iou:
            overlaps.append((-count / union, mine, theirs, count))
    matched: dict[int, tuple[int, int]] = {}
    taken: set[int] = set()
    for _, mine, theirs, count in sorted(overlaps):
        if mine not in matched and theirs not in taken:
            matched[mine] = (theirs, count)
            taken.add(theirs)
    found = []
    for mine, size in enumerate(sizes[1].tolist(), start=1):
        partner, count = matched.get(mine, (None, 0))
        found.append(
            _lesion(mine, partner, size, int(sizes[0][partner - 1]) if partner else 0, count)
        )
    for theirs, size in enumerate(sizes[0].tolist(), start=1):
        if theirs not in taken:
            found.append(_lesion(None, theirs, 0, size, 0))
    return Found(tuple(found))


def components(mask: Mask, neighbours: Neighbours = 26) -> Components:
    """The number of each voxel's component, 0 outside; (slices, rows, cols)."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(mask.view(np.uint8))
    numbered = SimpleITK.ConnectedComponent(image, neighbours == 26)
    return SimpleITK.GetArrayFromImage(numbered).astype(np.int64)


def _lesion(
    ref: int | None, pred: int | None, ref_voxels: int, pred_voxels: int, both: int
) -> Lesion:
    union = ref_voxels + pred_voxels - both
    return Lesion(
        ref=ref,
        pred=pred,
        ref_voxels=ref_voxels,
        pred_voxels=pred_voxels,
        iou=both / union,
        dice=2 * both / (ref_voxels + pred_voxels),
    )


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None
