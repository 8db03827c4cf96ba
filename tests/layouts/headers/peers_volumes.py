"""The volumes below a tree of public series, as the toolkit and dcm2niix see them.

The files are those that pydicom, highdicom, dcmqi, nibabel and dcm2niix are tested with.
`make test-peers` brings dcm2niix and the files into an environment of their own.
"""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom.data
from numpy.typing import NDArray
from pydicom import dcmread

import chaosprep
from chaosprep.assembly.assemble import assemble

ROOT = Path(__file__).parents[3]
BIN = Path(os.environ.get("CHAOSPREP_SERIES_BIN", ROOT / ".venv-series/bin"))
DATA = Path(os.environ.get("CHAOSPREP_SERIES_DATA", ROOT / ".venv-series/data"))
CLONED = {
    "highdicom": "data/test_files",
    "dcmqi": "data",
    "dcm_qa": "In/Orientation",
    "dcm_qa_uih": "In",
}
"""A repository below `DATA` -> where its series are."""

NAMELESS = {"dcm_qa_uih": "{patient}/{}", "nibabel": "{patient}_dwi_{}.dcm"}
"""Where nobody's name or id stands in a header -> which part of a path is the patient."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume of a series: its file, and voxels in modality units, nearest to right, front, up."""

    series: str
    file: Path
    number: int = 0

    @cached_property
    def seen(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """(x, y, z), and the affine to NIfTI's space."""
        image: Any = nibabel.load(self.file)
        if len(image.shape) == 4:
            image = image.slicer[..., self.number]
        nearest: Any = nibabel.as_closest_canonical
        image = nearest(image)
        return np.asarray(image.dataobj), image.affine


def lay(root: Path) -> Path:
    """Copy every file that is there into one tree."""
    for name, folder in sources().items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                place = root / name / path.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                if path.suffix == ".gz":
                    place.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
                else:
                    shutil.copyfile(path, place)
    return root


def sources() -> dict[str, Path]:
    """The folders of public files that are there."""
    packages = next(iter(BIN.parent.glob("lib/python*/site-packages")), BIN)
    found = {
        "pydicom": Path(pydicom.data.__file__).parent / "test_files",
        "pydicom-data": packages / "data_store" / "data",
        "nibabel": Path(nibabel.__file__).parent / "nicom" / "tests" / "data",
        **{name: DATA / name / place for name, place in CLONED.items()},
    }
    return {name: folder for name, folder in found.items() if folder.is_dir()}


def by_dcm2niix(tree: Path, output: Path) -> list[Volume]:
    """Every volume that dcm2niix makes."""
    output.mkdir()
    options = ["-b", "y", "-ba", "n", "-z", "n", "-f", "%n_%s_%t"]
    command = [BIN / "dcm2niix", *options, "-o", output, tree]
    subprocess.run(list(map(str, command)), check=False, capture_output=True)
    found = []
    for file in sorted(output.glob("*.nii")):
        if not file.with_suffix(".json").is_file():
            continue  # an overlay, or the volume before it once more, resampled
        told = json.loads(file.with_suffix(".json").read_text("utf-8", "replace"))
        shape = nibabel.load(file).shape  # type: ignore[attr-defined]
        for number in range(shape[3] if len(shape) == 4 else 1):
            found.append(Volume(told.get("SeriesInstanceUID", ""), file, number))
    return found


def by_chaosprep(tree: Path, output: Path) -> list[Volume]:
    """Every volume that `--layout headers` makes, also of those whose headers name nobody."""
    found = _made(tree, output / "all")
    for name, pattern in NAMELESS.items():
        if (tree / name).is_dir():
            known = {volume.series for volume in found}
            more = _made(tree / name, output / name, pattern)
            found += [volume for volume in more if volume.series not in known]
    return found


def take_masks_away(tree: Path) -> None:
    """Remove masks: beside those of a few series, all other series are left out for want of one."""
    for path in tree.rglob("*"):
        if path.is_file() and (path.suffix == ".nrrd" or kind_of(path) in ("SEG", "RTSTRUCT")):
            path.unlink()


def _made(root: Path, output: Path, pattern: str | None = None) -> list[Volume]:
    made = chaosprep.split(
        root,
        output / "split",
        layout="headers",
        patient_from_name=pattern,
        pick="every",
        val=0,
        on_error="skip",
    )
    volumes = assemble(made, output / "back", on_error="skip").path / "images"
    cases = {row.case: output / "split" / row.image for row in made.slices}
    return [
        Volume(series_of(image), volumes / f"{case}.nii.gz")
        for case, image in sorted(cases.items())
        if (volumes / f"{case}.nii.gz").is_file()
    ]


def series_of(image: Path) -> str:
    return _said(image, "SeriesInstanceUID")


def kind_of(file: Path) -> str:
    return _said(file, "Modality")


def _said(file: Path, keyword: str) -> str:
    """What pydicom reads; nothing from what it cannot read."""
    if file.read_bytes()[128:132] != b"DICM":
        return ""
    try:
        return str(dcmread(file, stop_before_pixels=True).get(keyword, ""))
    except Exception:  # noqa: BLE001 pydicom's own errors are of every kind
        return ""


def series_below(tree: Path) -> Iterator[tuple[str, str]]:
    """The series that a DICOM file of a tree is of, and the file's path, by path."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            yield series_of(path), path.relative_to(tree).as_posix()
