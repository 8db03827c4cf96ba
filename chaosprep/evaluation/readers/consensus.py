"""One mask of several readers': by majority, or by STAPLE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Method = Literal["majority", "staple"]
METHODS: tuple[Method, ...] = get_args(Method)
Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
MOST = 16
"""Readers: STAPLE counts the voxels of each of the 2 ** readers ways to mark one."""

_ROUNDS = 10_000
_STILL = 1e-7  # ITK's: its square is the least that counts there
_SURE = 1e-12  # the nearest to 0 or 1 that an estimate is taken for
_TIE = 1e-9  # so near to 1/2 is 1/2, in whichever order the readers were multiplied


@dataclass(frozen=True)
class Rates:
    """What STAPLE thinks of each reader, 0 to 1, and whether its estimates came to stand still."""

    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    settled: bool


def majority(readers: Sequence[Labels], count: int) -> Labels:
    """The label that strictly more than half of the readers give a voxel; background elsewhere.

    Args:
        readers: label maps of one shape, (slices, rows, cols), 0 to `count`.
        count: how many labels there are.
    """
    voted = np.zeros(readers[0].shape, np.uint8)
    for label in range(1, count + 1):
        votes = np.zeros(voted.shape, np.uint8)
        for one in readers:
            votes += one == label
        voted[votes > len(readers) // 2] = label
    return voted


def staple(readers: Sequence[Labels], count: int) -> tuple[Labels, dict[int, Rates]]:
    """STAPLE of each label on its own (Warfield et al. 2004, doi:10.1109/TMI.2004.828354).

    As ITK's `STAPLEImageFilter` has it: no neighbourhood, the whole volume counts, the prior is the
    mean share of it that readers mark, and EM begins with the share of the readers. A voxel has a
    label where that is likelier than 1/2; of two such labels the likelier, of two that are as
    likely the first.

    Args:
        readers: at most `MOST` label maps of one shape, (slices, rows, cols), 0 to `count`.
        count: how many labels there are.

    Returns:
        The label map, and the rates by label, of those labels that any reader gives a voxel.
    """
    voxels = np.zeros(readers[0].shape, np.uint8)
    best = np.zeros(voxels.shape, np.float32)
    rates: dict[int, Rates] = {}
    for label in range(1, count + 1):
        codes = _codes([one == label for one in readers])
        if not codes.any():
            continue
        likely, rates[label] = _estimated(_numbers(codes, len(readers)), len(readers))
        found = np.where(likely > 0.5 + _TIE, likely, 0).astype(np.float32)[codes]
        voxels[found > best] = label
        best = np.maximum(best, found)
    return voxels, rates


def _codes(masks: Sequence[Mask]) -> NDArray[np.unsignedinteger]:
    """By which readers a voxel is marked: reader k has bit k."""
    kind = np.uint8 if len(masks) <= 8 else np.uint16
    codes = np.zeros(masks[0].shape, kind)
    for place, mask in enumerate(masks):
        codes[mask] |= kind(1 << place)
    return codes


def _numbers(codes: NDArray[np.unsignedinteger], readers: int) -> NDArray[np.float64]:
    """How many voxels there are of each code; slice by slice, as `bincount` makes a large copy."""
    found = np.zeros(2**readers, np.int64)
    for plane in codes:
        found += np.bincount(plane.ravel(), minlength=2**readers)
    return found.astype(np.float64)


def _estimated(numbers: NDArray[np.float64], readers: int) -> tuple[NDArray[np.float64], Rates]:
    """How likely a voxel of each code has the label, and the rates: EM until these stand still.

    Voxels that the same readers mark are alike to STAPLE, so it is done once for all of them.
    """
    marks = (np.arange(2**readers)[:, None] >> np.arange(readers)) & 1 == 1
    there = np.flatnonzero(numbers)
    number, seen = numbers[there], marks[there]
    prior = _inside(float((number @ seen).sum() / (readers * number.sum())))
    odds = np.log(prior) - np.log1p(-prior)
    weight, rates, settled = seen.mean(axis=1), np.zeros((2, readers)), False
    for _ in range(_ROUNDS):
        before = rates
        rates = np.array([_rate(number * weight, seen), _rate(number * (1 - weight), ~seen)])
        p, q = _inside(rates)
        yes = np.where(seen, np.log(p), np.log1p(-p)).sum(axis=1)
        no = np.where(seen, np.log1p(-q), np.log(q)).sum(axis=1)
        weight = 1 / (1 + np.exp(np.clip(no - yes - odds, -700, 700)))
        if settled := bool(np.abs(rates - before).max() < _STILL):
            break
    likely = np.zeros(numbers.size)
    likely[there] = weight
    return likely, Rates(tuple(rates[0].tolist()), tuple(rates[1].tolist()), settled)


def _rate(weights: NDArray[np.float64], right: Mask) -> NDArray[np.float64]:
    """The share of the weight that each reader is right about; 1 where there is none to be."""
    whole = weights.sum()
    return np.asarray(weights @ right / whole if whole > _TIE else np.ones(right.shape[1]))


def _inside(rates: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(np.clip(rates, _SURE, 1 - _SURE))
