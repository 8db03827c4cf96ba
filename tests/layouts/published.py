"""Public data sets and BIDS as they are laid out, of tiny volumes that nibabel writes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from tests.layouts.named import labels, save, volume, write_json


def found(root: Path, layout: str, **fields: Any) -> Root:
    """What a layout finds."""
    return find(root, LayoutParams(layout=layout, **fields))


def told(root: Root) -> list[tuple[str, str | None, str]]:
    """The problems: code, file and reason."""
    return [(one.code, one.file, one.reason) for one in root.problems]


def sides(root: Root) -> dict[str, tuple[str, str | None]]:
    """Case -> its pool and side."""
    return {case.id: (case.pool, case.split) for case in root.cases}


def names(root: Root) -> dict[int, str]:
    """The label map without codes."""
    return {value: label.name for value, label in root.label_map.items()}


def pair(folder: Path, image: str, mask: str | None, number: int = 0) -> None:
    """An image and its mask, unlike those of other numbers."""
    save(folder / image, volume(number % 30))
    if mask is not None:
        save(folder / mask, labels(number % 30))


def amos(folder: Path, numbers: Mapping[str, Iterable[int]], **said: object) -> Path:
    """AMOS: the numbers on its sides Tr, Va and Ts; ``said`` of its dataset.json, if anything."""
    for side, some in numbers.items():
        for number in some:
            name = f"amos_{number:04d}.nii.gz"
            mask = None if side == "Ts" else f"labels{side}/{name}"
            pair(folder, f"images{side}/{name}", mask, number)
    if said:
        write_json(folder / "dataset.json", said)
    return folder


def atlas(folder: Path, numbers: Iterable[int] = (0, 7)) -> Path:
    """ATLAS: an image and a mask for each number, and its dataset.json."""
    for number in numbers:
        pair(folder, f"imagesTr/im{number}.nii.gz", f"labelsTr/lb{number}.nii.gz", number)
    said = {"labels": {"0": "background", "1": "liver", "2": "tumor"}, "modality": {"0": "T1w"}}
    write_json(folder / "dataset.json", said)
    return folder


def cirrmri(folder: Path, *files: str) -> Path:
    """CirrMRI600+: the images that are named, with their masks."""
    for number, path in enumerate(files):
        pair(folder, path, path.replace("_images", "_masks"), number)
    return folder


def totalsegmentator(
    folder: Path, scans: Mapping[str, str], meta: Sequence[str] | None = None
) -> Path:
    """TotalSegmentator: `s0001` -> `ct` or `mri`, with two structures; ``meta`` are its lines."""
    for number, (name, kind) in enumerate(scans.items()):
        save(folder / f"{name}/{kind}.nii.gz", volume(number))
        for value, structure in enumerate(("liver", "kidney_right"), 1):
            mask = (labels(number) == value).astype(np.uint8)
            save(folder / f"{name}/segmentations/{structure}.nii.gz", mask)
    if meta is not None:
        text = "\n".join(("image_id;age;gender;split", *meta, ""))
        (folder / "meta.csv").write_text(text, encoding="utf-8-sig")
    return folder


def bids(folder: Path, images: Sequence[str], masks: Sequence[str] = ()) -> Path:
    """BIDS: images below `sub-*`, masks below `derivatives`, by their paths without the ending."""
    write_json(folder / "dataset_description.json", {"Name": "Livers", "BIDSVersion": "1.10.0"})
    for number, path in enumerate(images):
        save(folder / f"{path}.nii.gz", volume(number))
    for number, path in enumerate(masks):
        save(folder / f"derivatives/{path}.nii.gz", labels(number))
    return folder


def write_tsv(file: Path, *rows: Sequence[object]) -> None:
    """A table of BIDS."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
