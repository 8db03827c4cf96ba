"""One mask of several readers': by majority, or by STAPLE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

Method = Literal["majority", "staple"]
METHODS: tuple[Method, ...] = get_args(Method)
Labels = NDArray[np.uint8]


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """How one reader's mask of a structure of a case stands to the consensus by STAPLE.

    ``sensitivity`` and ``specificity`` are STAPLE's estimates, 0 to 1.
    """

    case: str
    organ: str
    reader: int
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Agreed:
    """A consensus, uint8 (slices, rows, cols), and what STAPLE thinks of each reader.

    ``rates`` has for each label that STAPLE estimated (sensitivity, specificity) of each reader.
    """

    voxels: Labels
    rates: dict[int, tuple[tuple[float, float], ...]]


def majority(readers: Sequence[Labels], count: int) -> Labels:
    """The label that strictly more than half of the readers give a voxel; background elsewhere.

    Args:
        readers: label maps of one shape, 0 to `count`.
        count: how many labels there are.
    """
    voted = np.zeros(readers[0].shape, np.uint8)
    for label in range(1, count + 1):
        votes = _votes(readers, label)
        voted[2 * votes > len(readers)] = label
    return voted


def staple(readers: Sequence[Labels], count: int) -> Agreed:
    """STAPLE of each label on its own, by SimpleITK (Warfield 2004), where it is above 1/2.

    Where two labels are, the more likely one counts, the first if they are the same. The prior
    is ITK's: the mean share of the image that readers mark. What all readers draw alike, or nobody
    draws, is taken as it is: there is nothing to estimate.

    Args:
        readers: label maps of one shape, 0 to `count`.
        count: how many labels there are.
    """
    shape = readers[0].shape
    voxels, best = np.zeros(shape, np.uint8), np.full(shape, 0.5)
    rates: dict[int, tuple[tuple[float, float], ...]] = {}
    for label in range(1, count + 1):
        votes = _votes(readers, label)
        if bool(np.isin(votes, (0, len(readers))).all()):
            likely = (votes > 0).astype(np.float64)
            if votes.any():
                rates[label] = ((1.0, 1.0),) * len(readers)
        else:
            likely, rates[label] = _staple([one == label for one in readers])
        voxels[likely > best] = label
        best = np.maximum(best, likely)
    return Agreed(voxels, rates)


def _votes(readers: Sequence[Labels], label: int) -> NDArray[np.int64]:
    votes = np.zeros(readers[0].shape, np.int64)
    for one in readers:
        votes += one == label
    return votes


def _staple(
    masks: Sequence[NDArray[np.bool_]],
) -> tuple[NDArray[np.float64], tuple[tuple[float, float], ...]]:
    """How likely each voxel is foreground, and (sensitivity, specificity) of each reader."""
    import SimpleITK

    filter = SimpleITK.STAPLEImageFilter()
    filter.SetForegroundValue(1.0)
    filter.SetMaximumIterations(_MOST_ROUNDS)
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks]
    found = SimpleITK.GetArrayFromImage(filter.Execute(images)).astype(np.float64)
    rates = zip(filter.GetSensitivity(), filter.GetSpecificity(), strict=True)
    return found, tuple((float(p), float(q)) for p, q in rates)


_MOST_ROUNDS = 1000
"""Of EM; ITK ends it sooner, when the rates stand still, and would otherwise never end it."""
