"""The same work with well-known packages, as one would write it without this toolkit.

One step in a process of its own: python benchmarks/packages.py STEP [VALUE] SOURCE OUTPUT, where
SOURCE is a stage directory, or a CHAOS root for `simpleitk`, `dicom2nifti`, `headers` and `look`.
Nothing of ours is imported. Each step imports only what it uses.
"""

import os
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

Save = Callable[[Path, Any], object]


def liver_cv2(source: Path, output: Path) -> None:
    """Liver masks by two comparisons of whole arrays; cv2 reads and writes."""
    import cv2
    import numpy as np

    for path in sorted(source.glob("*/masks/*.png")):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        liver = (grey > 55) & (grey <= 70)
        cv2.imwrite(str(output / path.name), liver.astype(np.uint8) * np.uint8(255))


def liver_pillow(source: Path, output: Path) -> None:
    """The same; Pillow reads and writes."""
    import numpy as np
    from PIL import Image

    for path in sorted(source.glob("*/masks/*.png")):
        grey = np.asarray(Image.open(path))
        liver = (grey > 55) & (grey <= 70)
        Image.fromarray(liver.astype(np.uint8) * np.uint8(255)).save(output / path.name)


def cv2_png(path: Path, array: Any) -> None:  # noqa: ANN401
    """Write a PNG with cv2's own settings."""
    import cv2

    cv2.imwrite(str(path.with_suffix(".png")), array)


def pillow_png(path: Path, array: Any) -> None:  # noqa: ANN401
    """Write a PNG with Pillow's own settings."""
    from PIL import Image

    Image.fromarray(array).save(path.with_suffix(".png"))


def npy(path: Path, array: Any) -> None:  # noqa: ANN401
    """Write an npy."""
    import numpy as np

    np.save(path.with_suffix(".npy"), array)


def windowed(source: Path, output: Path, save: Save) -> None:
    """8 bits: pydicom reads a case, one window from its 0.5th to its 99.5th percentile."""
    import numpy as np
    import pydicom

    paths = sorted(source.glob("*/images/*.dcm"))
    for _, some in groupby(paths, key=lambda path: path.stem.rpartition("_")[0]):
        case = list(some)
        stack = np.stack([pydicom.dcmread(path).pixel_array for path in case])
        low, high = np.percentile(stack, (0.5, 99.5))
        scaled = (stack.astype(np.float32) - low) * (255 / (high - low))
        shown = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        for path, array in zip(case, shown, strict=True):
            save(output / path.name, array)


def stored(source: Path, output: Path, save: Save) -> None:
    """The stored values as they are: pydicom reads slice by slice."""
    import pydicom

    for path in sorted(source.glob("*/images/*.dcm")):
        save(output / path.name, pydicom.dcmread(path).pixel_array)


def simpleitk(source: Path, output: Path) -> None:
    """8 bits: each series read as a volume, its intensities rescaled, a PNG for each slice."""
    import SimpleITK as sitk  # noqa: N813

    for folder in series(source):
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
        shown = sitk.Cast(sitk.RescaleIntensity(reader.Execute(), 0, 255), sitk.sitkUInt8)
        stem = folder.parents[2].name
        names = [str(output / f"{stem}-{i:03}.png") for i in range(shown.GetDepth())]
        sitk.WriteImage(shown, names)


def nifti(source: Path, output: Path) -> None:
    """A compressed NIfTI for each series, by dicom2nifti with its own settings."""
    import dicom2nifti

    for folder in series(source):
        target = output / f"{folder.parents[2].name}.nii.gz"
        dicom2nifti.dicom_series_to_nifti(str(folder), str(target))


def series(root: Path) -> list[Path]:
    """The folders below a CHAOS root that hold DICOM files."""
    return sorted({path.parent for path in root.rglob("*.dcm")})


def headers(root: Path) -> None:
    """Read every header with pydicom, and what an overview needs of it."""
    import pydicom

    for path in sorted(root.rglob("*.dcm")):
        found = pydicom.dcmread(path, stop_before_pixels=True)
        _ = found.Rows, found.Columns, found.PixelSpacing, found.ImagePositionPatient


def look(root: Path) -> None:
    """Read every header, image and mask, with their lowest and highest values and grey levels."""
    import numpy as np
    import pydicom
    from PIL import Image

    for path in sorted(root.rglob("*.dcm")):
        found = pydicom.dcmread(path)
        _ = found.PixelSpacing, found.ImagePositionPatient
        _ = found.pixel_array.min(), found.pixel_array.max()
    for path in sorted(root.rglob("*.png")):
        np.unique(np.asarray(Image.open(path)))


def albumentations(samples: int, source: Path, output: Path) -> None:
    """The tutorial's three transforms by albumentations; cv2 reads and writes."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as a
    import cv2

    ways = {"interpolation": cv2.INTER_CUBIC, "mask_interpolation": cv2.INTER_NEAREST}
    pipeline = a.Compose(
        [
            a.Rotate((-10, 10), p=0.8, **ways),
            a.HorizontalFlip(p=0.5),
            a.RandomResizedCrop(size=(256, 256), scale=(0.85, 1), ratio=(1, 1), p=0.3, **ways),
        ],
        seed=0,
    )
    images = sorted((source / "train/images").iterdir())
    for number in range(samples):
        image = images[number % len(images)]
        pair = [
            cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            for path in (image, source / "train/masks" / image.name)
        ]
        made = pipeline(image=pair[0], mask=pair[1])
        cv2.imwrite(str(output / f"{number}-image.png"), made["image"])
        cv2.imwrite(str(output / f"{number}-mask.png"), made["mask"])


def main(step: str, *values: str) -> None:
    """Do one step."""
    output = Path(values[-1])
    if step in ("headers", "look"):
        {"headers": headers, "look": look}[step](output)
        return
    output.mkdir()
    if step == "albumentations":
        albumentations(int(values[0]), Path(values[1]), output)
    elif step in ("windowed", "stored"):
        save = {"cv2": cv2_png, "pillow": pillow_png, "npy": npy}[values[0]]
        {"windowed": windowed, "stored": stored}[step](Path(values[1]), output, save)
    else:
        steps = {"liver-cv2": liver_cv2, "liver-pillow": liver_pillow}
        (steps | {"simpleitk": simpleitk, "dicom2nifti": nifti})[step](Path(values[0]), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
