"""Normalized data sets, and what they hold by other code than ours."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.imaging.intensity.body import body_mask
from chaosprep.phantom import Patient, write_chaos

Method = Literal["zscore", "nyul"]
Values = NDArray[np.float64]
Normal = dict[Method, Dataset]
METHODS: tuple[Method, ...] = ("zscore", "nyul")
PERCENTILES = [1, *range(10, 100, 10), 99]
TRAINING = [f"MR00{number}_t1-in" for number in (1, 2, 3, 4)]
EVERYBODY = [f"MR00{number}_t1-in" for number in range(1, 7)]
"""The cases of `scanners`."""


def two_sequences(place: Path, **more: Any) -> Dataset:
    """Three patients with two sequences, the last on the validation side."""
    people = [
        Patient(id=id, slices=3, matrix=32, sequences=("t1-in", "t2-spir")) for id in (1, 2, 3)
    ]
    root = write_chaos(place / "root", people)
    asked: dict[str, Any] = {"sequence": ("t1-in", "t2-spir"), "val_patient": ["MR003"]} | more
    return chaosprep.split(root, place / "pairs", **asked)


def stored(dataset: Dataset, case: str) -> Values:
    """A case's values as they were stored, (slices, rows, cols)."""
    found = dataset.case(case)
    return np.stack([found.pixels(row)[1].astype(np.float64) for row in found.slices])


def told(dataset: Dataset, case: str) -> Values:
    """A case's values as slope and intercept give them, (slices, rows, cols)."""
    rows = dataset.case(case).slices
    return np.stack([dataset.image(row) * row.slope + row.intercept for row in rows])


def body(dataset: Dataset, case: str) -> Values:
    values = stored(dataset, case)
    spacing = dataset.case(case).slices[0].spacing
    assert spacing is not None
    assert spacing[0] is not None
    found: Values = values[body_mask(values, (spacing[0], *spacing[1:]))]
    return found


def learned(dataset: Dataset) -> dict[str, list[float]]:
    found = dataset.descriptor.tool.learned
    assert found is not msgspec.UNSET
    landmarks: dict[str, list[float]] = found["landmarks"]
    return landmarks


def landmarks_by_hand(dataset: Dataset, cases: list[str]) -> Values:
    scaled = []
    for case in cases:
        found = np.percentile(body(dataset, case), PERCENTILES)
        scaled.append(1 + 99 * (found - found[0]) / (found[-1] - found[0]))
    mean: Values = np.mean(scaled, axis=0)
    return mean
