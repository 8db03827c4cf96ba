"""Data sets as nnU-Net and the Decathlon lay them out, of tiny volumes that nibabel writes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

nibabel = pytest.importorskip("nibabel")

SHAPE = (4, 3, 2)  # columns, rows and slices of a volume
AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])
AFFINE[:3, 3] = [-7, 11, 3]


def volume(number: int, volumes: int = 0) -> NDArray[np.int16]:
    """Voxels unlike those of any other number; of four dimensions where volumes are asked for."""
    shape = (*SHAPE, volumes) if volumes else SHAPE
    found: NDArray[np.int16] = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return found + np.int16(1000 * number)


def labels(number: int) -> NDArray[np.uint8]:
    """Labels 0 to 2, unlike those of the next numbers."""
    found: NDArray[np.uint8] = ((np.arange(np.prod(SHAPE)) + number) % 3).astype(np.uint8)
    return found.reshape(SHAPE)


def save(file: Path, voxels: NDArray[Any]) -> None:
    """Write a volume, and the folders around it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, AFFINE), file)


def write_json(file: Path, value: object) -> None:
    """Write JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def nnunet(
    folder: Path,
    training: Sequence[str] = ("a_1", "a_2", "b_1"),
    test: Sequence[str] = (),
    channels: Sequence[str] = ("T1", "T2"),
    **more: object,
) -> Path:
    """nnU-Net's raw data: a volume for each channel, labels for training; ``more`` of the JSON."""
    for number, case in enumerate((*training, *test)):
        side = "Tr" if case in training else "Ts"
        for channel in range(len(channels)):
            voxels = volume(2 * number + channel)
            save(folder / f"images{side}/{case}_{channel:04d}.nii.gz", voxels)
        if side == "Tr":
            save(folder / f"labelsTr/{case}.nii.gz", labels(number))
    said: dict[str, object] = {
        "channel_names": {str(n): name for n, name in enumerate(channels)},
        "labels": {"background": 0, "liver": 1, "tumour": 2},
        "numTraining": len(training),
        "file_ending": ".nii.gz",
    }
    write_json(folder / "dataset.json", said | more)
    return folder


def decathlon(
    folder: Path,
    names: Sequence[str] = ("liver_0", "liver_1"),
    tested: Sequence[str] = (),
    modality: Sequence[str] = ("T2", "ADC"),
    **more: object,
) -> Path:
    """A task of the Decathlon: channels are the volumes of a file; ``more`` of the JSON."""
    count = len(modality) if len(modality) > 1 else 0
    for number, case in enumerate((*names, *tested)):
        side = "Tr" if case in names else "Ts"
        save(folder / f"images{side}/{case}.nii.gz", volume(number, count))
        if side == "Tr":
            save(folder / f"labelsTr/{case}.nii.gz", labels(number))
    said: dict[str, object] = {
        "name": "Prostate",
        "licence": "CC-BY-SA 4.0",
        "modality": {str(n): name for n, name in enumerate(modality)},
        "labels": {"0": "background", "1": "liver", "2": "tumour"},
        "numTraining": len(names),
        "training": [item(case) for case in names],
        "test": [f"./imagesTs/{case}.nii.gz" for case in tested],
    }
    write_json(folder / "dataset.json", said | more)
    return folder


def item(case: str, **more: object) -> Mapping[str, object]:
    """A case in a list of the Decathlon."""
    return {
        "image": f"./imagesTr/{case}.nii.gz",
        "label": f"./labelsTr/{case}.nii.gz",
        **more,
    }
