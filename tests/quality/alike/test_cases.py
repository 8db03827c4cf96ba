"""Volumes that stand twice: equal, changed, and those of different patients."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.duplicates import phantom
from chaosprep.errors import Problem
from chaosprep.quality.alike.cases import across_cases
from chaosprep.quality.findings import Seen

Volume = NDArray[Any]


@cache
def volumes() -> list[Volume]:
    """Three phantom patients, (slices, rows, cols) uint16."""
    return [np.stack(images) for images in phantom("t1-in", 3, 8, 128).values()]


def seen(case: str, side: str, volume: Volume) -> list[Seen]:
    return [
        Seen.of(image, (f"{case}_s{k:03d}", case, side, f"{case}.nii"), with_picture=True)
        for k, image in enumerate(volume)
    ]


def found(*cases: list[Seen]) -> tuple[list[Problem], list[Problem]]:
    return across_cases([one for case in cases for one in case])


def test_different_patients_are_not_alike() -> None:
    a, b, c = volumes()
    assert found(seen("A", "train", a), seen("B", "train", b), seen("C", "val", c)) == ([], [])


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64"])
def test_equal_values_on_two_sides_are_one_fault_in_any_dtype(dtype: str) -> None:
    a, b, _ = volumes()
    again = seen("X", "val", a.astype(dtype))
    (fault,), warnings = found(seen("A", "train", a), seen("B", "train", b), again)
    assert (fault.code, fault.id, warnings) == ("leakage", "X", [])
    assert fault.reason == "in val, 8 of its 8 slices have the values of A in train"


def test_equal_volumes_on_one_side_are_a_warning() -> None:
    a, _, _ = volumes()
    faults, (warning,) = found(seen("A", "train", a), seen("X", "train", a))
    assert (faults, warning.code, warning.id) == ([], "duplicate", "X")


CHANGES: dict[str, Callable[[Volume], Volume]] = {
    "mirrored": lambda v: v[:, :, ::-1],
    "mirrored, slices too": lambda v: v[::-1, ::-1],
    "turned": lambda v: np.rot90(v, axes=(1, 2)),
    "scaled": lambda v: v * np.float32(0.37) + 11,
    "padded": lambda v: np.pad(v, ((0, 0), (9, 20), (14, 3))),
    "shifted by slices": lambda v: v[2:] * np.float32(0.5),
    "8 bit": lambda v: (v / v.max() * 255).astype(np.uint8),
    "gamma": lambda v: ((v / v.max()) ** 0.7).astype(np.float32),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_volume_on_the_other_side_is_one_warning(change: str) -> None:
    a, b, _ = volumes()
    again = seen("X", "val", CHANGES[change](a))
    faults, (warning,) = found(seen("A", "train", a), seen("B", "train", b), again)
    assert (faults, warning.code, warning.id) == ([], "near-duplicate", "X")
    assert " those of A in train" in warning.reason
