"""Predictions to compare: the masks of a stage directory, written in other ways."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep import Dataset
from chaosprep.formats.png import encode_png


def write_png(file: Path, mask: NDArray[Any]) -> Path:
    """A grey PNG of 8 bits, its folders made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode_png(mask.astype(np.uint8)))
    return file


def masks_of(dataset: Dataset, case: str) -> dict[str, NDArray[Any]]:
    """Slice id -> mask, as stored."""
    found = {}
    for row in dataset.case(case).slices:
        mask = dataset.mask(row)
        assert mask is not None
        found[row.id] = mask
    return found


def volume_of(dataset: Dataset, case: str) -> NDArray[np.bool_]:
    """Where the masks of a case are not 0: (slices, rows, cols)."""
    return np.asarray(np.stack(list(masks_of(dataset, case).values())) != 0)


def write_shifted(dataset: Dataset, folder: Path, cols: int = 1) -> Path:
    """Every mask of a dataset by its slice id, moved some columns to the right."""
    for case in dataset.cases:
        for id, mask in masks_of(dataset, case.id).items():
            moved = np.zeros_like(mask)
            moved[:, cols:] = mask[:, : mask.shape[1] - cols]
            write_png(folder / f"{id}.png", moved)
    return folder


def dice(pred: NDArray[Any], ref: NDArray[Any]) -> float:
    """By the definition, on boolean arrays."""
    return float(2 * (pred & ref).sum() / (pred.sum() + ref.sum()))
