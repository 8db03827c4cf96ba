"""Masks of an RTSTRUCT by rt-utils and med-imagetools; run by itself, where these are installed.

Usage: python peers_structures.py IMAGES RTSTRUCT OUT.npz NAME...
Arrays are ``rt-utils NAME`` and ``imgtools NAME``, (slices, rows, cols).
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np


def by_rt_utils(images: Path, file: Path, names: list[str]) -> dict[str, Any]:
    from rt_utils import RTStructBuilder

    made = RTStructBuilder.create_from(str(images), str(file))
    return {name: np.moveaxis(made.get_roi_mask_by_name(name), 2, 0) for name in names}


def by_imgtools(images: Path, file: Path, names: list[str]) -> dict[str, Any]:
    from imgtools.coretypes import MedImage
    from imgtools.coretypes.masktypes.structureset import RTStructureSet
    from SimpleITK import ImageSeriesReader, ReadImage

    files = ImageSeriesReader.GetGDCMSeriesFileNames(str(images))
    scan = MedImage(ReadImage(files))
    structures = RTStructureSet.from_dicom(file)
    size = (*reversed(scan.GetSize()), 1)
    return {name: structures.get_mask_ndarray(scan, name, size) for name in names}


def main() -> None:
    images, file, out = map(Path, sys.argv[1:4])
    found: dict[str, Any] = {}
    for tool, masks in (("rt-utils", by_rt_utils), ("imgtools", by_imgtools)):
        for name, mask in masks(images, file, sys.argv[4:]).items():
            found[f"{tool} {name}"] = np.asarray(mask, np.uint8)
    np.savez(out, **found)


if __name__ == "__main__":
    main()
