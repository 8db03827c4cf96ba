"""Series of the phantom in folders of any name, with headers as a test wants them."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.uid import UID

import chaosprep
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.phantom.headers import uid

IMAGES = "scans/{patient}/{slice}.dcm"

Edit = Callable[[Dataset, int], object]


@cache
def _read(patient: int, sequence: str, count: int) -> tuple[Dataset, ...]:
    kind: Literal["MR", "CT"] = "CT" if sequence == "ct" else "MR"
    made = Patient(id=patient, modality=kind, sequences=(sequence,), slices=count, matrix=24)
    with TemporaryDirectory() as folder:
        root = write_chaos(Path(folder), [made])
        found = tuple(dcmread(path) for path in sorted(root.rglob("*.dcm")))
    for one in found:
        one.PatientID = f"TEST-{kind}-{patient}"
    return found


def slices(
    patient: int = 1, sequence: str = "t1-in", count: int = 6, edit: Edit | None = None
) -> list[Dataset]:
    """The slices of a phantom patient in file order, each edited with its number."""
    found = [deepcopy(one) for one in _read(patient, sequence, count)]
    for number, one in enumerate(found):
        if edit is not None:
            edit(one, number)
    return found


def changed(**values: object) -> Edit:
    """Sets values; None takes an element out."""

    def edit(one: Dataset, number: int) -> None:
        for keyword, value in values.items():
            if value is None and keyword in one:
                delattr(one, keyword)
            elif value is not None:
                setattr(one, keyword, value)

    return edit


def raised(mm: float) -> Edit:
    """Lifts a slice along z."""

    def edit(one: Dataset, number: int) -> None:
        x, y, z = one.ImagePositionPatient
        one.ImagePositionPatient = [x, y, float(z) + mm]
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = new_uid(one, mm)

    return edit


def alternating(**values: tuple[object, object]) -> Edit:
    """Sets one of two values, in turns."""

    def edit(one: Dataset, number: int) -> None:
        changed(**{keyword: pair[number % 2] for keyword, pair in values.items()})(one, number)

    return edit


def each(**values: Sequence[object]) -> Edit:
    """Sets the value of a slice's number; a text goes in as it is, be it a number or not."""

    def edit(one: Dataset, number: int) -> None:
        for keyword, several in values.items():
            one[keyword] = DataElement(
                keyword, dictionary_VR(keyword), several[number], validation_mode=IGNORE
            )

    return edit


def from_third(edit: Edit) -> Edit:
    """Edits the slices from number 3 on: of six the upper half."""
    return lambda one, number: edit(one, number) if number > 2 else None


def own_uids(*keywords: str) -> Edit:
    """A UID for each slice."""

    def edit(one: Dataset, number: int) -> None:
        for keyword in keywords:
            setattr(one, keyword, UID(uid(keyword, number)))

    return edit


def new_uid(one: Dataset, *parts: object) -> UID:
    """Another UID for a copy of an object."""
    return UID(uid(one.SOPInstanceUID, *parts))


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(one: Dataset, number: int) -> None:
        for single in edits:
            single(one, number)

    return edit


def objects(
    kind: UID, count: int = 1, *, pixels: bool = True, like: int = 1, **values: object
) -> list[Dataset]:
    """Objects of another SOP class than images, with the references of a slice of the patient."""
    found = slices(like, count=max(count, 1))[:count]
    for number, one in enumerate(found):
        changed(
            **{
                "ImagePositionPatient": None,
                "ImageOrientationPatient": None,
                "PixelSpacing": None,
                "SeriesInstanceUID": UID(uid(kind, "series")),
                **values,
            }
        )(one, number)
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = kind
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = new_uid(one, kind)
        if not pixels:
            for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
                delattr(one, keyword)
    return found


def write(folder: Path, found: Sequence[Dataset], name: str = "im{:03d}.dcm") -> None:
    """Write data sets below a folder, numbered in the order that they come in."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(found):
        one.save_as(folder / name.format(number), enforce_file_format=True)


@dataclass(frozen=True)
class Refused:
    """Patient a's folder makes one problem, with its file and its text; nothing is written."""

    file: str
    text: str

    def check(self, root: Path, output: Path) -> None:
        with pytest.raises(ProblemsError) as caught:
            chaosprep.split(root, output, images=IMAGES, val=0)
        lines = [problem.text for problem in caught.value.problems]
        assert lines == [f"a_series: scans/a/{self.file}: {self.text}"]
        assert caught.value.exit_code == 1
        assert not (output / "datapackage.json").exists()


@dataclass(frozen=True)
class Kept:
    """Patient a has so many slices, in the order of the body; what is said of the first."""

    count: int = 6
    warnings: tuple[str, ...] = ()

    def check(self, root: Path, output: Path) -> None:
        dataset = chaosprep.split(root, output, images=IMAGES, val=0)
        rows = [row for row in dataset.slices if row.patient == "a"]
        heights = [row.position[2] for row in rows if row.position]
        assert len(rows) == self.count
        assert heights == sorted(heights)
        assert rows[0].warnings == self.warnings


Files = dict[str, Sequence[Dataset]]
"""The name of files, with a number in braces -> what they hold."""

Table = dict[str, tuple[Files, Refused | Kept]]


def check(files: Files, expected: Refused | Kept, place: Path) -> None:
    """Lay files into the folder of patient a, beside a sound patient b, and split."""
    for name, found in files.items():
        write(place / "root" / "scans" / "a", found, name)
    write(place / "root" / "scans" / "b", slices(3))
    expected.check(place / "root", place / "out")
