"""Series of DICOM slices anywhere, and masks drawn on them, by pydicom, highdicom and nibabel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

import chaosprep
from chaosprep.errors import Problem
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.layout import Where
from chaosprep.layouts.root import Root
from chaosprep.series.source import SourceCase
from tests.formats.samples import dicom
from tests.formats.structure_sets import ORIENTATIONS, Drawn, Structure, rtstruct

nibabel = pytest.importorskip("nibabel")
Labels = NDArray[np.uint8]
KEY = b"k" * 32


@dataclass(frozen=True)
class Scan:
    """A stack of slices of a patient; every slice has the number of its place as pixels."""

    patient: str = "A-17"
    series: str = "1"
    orientation: str = "axial"
    origin: tuple[float, float, float] = (-20.0, 30.5, 100.25)
    rows: int = 6
    cols: int = 8
    count: int = 4
    spacing: tuple[float, float] = (1.25, 1.5)
    step: float = 4.0
    frame: str = "a frame"
    image: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def frame_uid(self) -> str:
        return str(generate_uid(entropy_srcs=[self.patient, self.frame]))

    def uid(self, place: int) -> str:
        what = [self.patient, self.series, self.image, str(place)]
        return str(generate_uid(entropy_srcs=what))

    @property
    def series_uid(self) -> str:
        return str(generate_uid(entropy_srcs=[self.patient, self.series]))

    @property
    def axes(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The directions of a row, of a column, and of the slices."""
        right, down = np.array(ORIENTATIONS[self.orientation]).reshape(2, 3)
        return right, down, np.cross(right, down)

    def slice(self, place: int) -> bytes:
        right, down, normal = self.axes
        corner = np.array(self.origin) + normal * self.step * place
        values = {
            "PatientID": self.patient,
            "PatientName": f"Doe^{self.patient}",
            "PatientBirthDate": "",
            "PatientSex": "",
            "AccessionNumber": "",
            "StudyID": "",
            "StudyDate": "",
            "StudyTime": "",
            "ReferringPhysicianName": "",
            "SeriesNumber": 1,
            "SOPInstanceUID": self.uid(place),
            "StudyInstanceUID": generate_uid(entropy_srcs=[self.patient, "study"]),
            "SeriesInstanceUID": self.series_uid,
            "FrameOfReferenceUID": self.frame_uid,
            "PixelSpacing": list(self.spacing),
            "ImagePositionPatient": [f"{mm:.6f}" for mm in corner],
            "ImageOrientationPatient": [*right, *down],
            "SpacingBetweenSlices": self.step,
            "InstanceNumber": place + 1,
        }
        pixels = np.full((self.rows, self.cols), place, np.uint16)
        return dicom(pixels, **(values | dict(self.more)))

    def write(self, folder: Path) -> "Scan":
        folder.mkdir(parents=True, exist_ok=True)
        for place in range(self.count):
            name = f"{self.series}{self.image}-{place}.dcm"
            (folder / name).write_bytes(self.slice(place))
        return self

    def sources(self) -> list[Dataset]:
        return [dcmread(BytesIO(self.slice(place))) for place in range(self.count)]

    def affine(self) -> NDArray[Any]:
        """Of an array (cols, rows, slices), in NIfTI's coordinates."""
        right, down, normal = self.axes
        made = np.eye(4)
        made[:3, 0], made[:3, 1] = right * self.spacing[1], down * self.spacing[0]
        made[:3, 2], made[:3, 3] = normal * self.step, self.origin
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ made

    def labels(self, *values: int) -> Labels:
        """(slices, rows, cols): each value in a block of its own, on all slices but the first."""
        made = np.zeros((self.count, self.rows, self.cols), np.uint8)
        for at, value in enumerate(values):
            made[1:, at : at + 2, 2 * at : 2 * at + 3] = value
        return made


def write_nifti(path: Path, scan: Scan, labels: NDArray[Any], flip: Sequence[int] = ()) -> Path:
    """A volume (slices, rows, cols) on the grid of a scan, stored backwards along some axes."""
    voxels, affine = labels.T, scan.affine()
    for axis in flip:
        affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
        affine[:3, axis] *= -1
        voxels = np.flip(voxels, axis)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    return path


def write_seg(
    path: Path, sources: Sequence[Dataset], labels: NDArray[Any], names: Sequence[str] = ("liver",)
) -> Path:
    """A SEG on some images: label n is the n-th name."""
    import highdicom as hd

    code = hd.sr.CodedConcept("10200004", "SCT", "Liver")
    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=code,
            segmented_property_type=code,
            algorithm_type="MANUAL",
        )
        for number, name in enumerate(names, 1)
    ]
    made = hd.seg.Segmentation(
        source_images=[*sources],
        pixel_array=labels,
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return path


def write_structures(
    path: Path, scan: Scan, name: str = "liver", *, refers: bool = True, lift: float = 0.0
) -> Path:
    """A structure set: a square of rows 1 to 3 and columns 2 to 5 on all slices but the first."""
    right, down, normal = scan.axes
    square = [(0.6, 1.6), (0.6, 5.4), (3.4, 5.4), (3.4, 1.6)]
    contours = []
    for place in range(1, scan.count):
        corner = np.array(scan.origin) + normal * (scan.step * place + lift)
        points = [
            corner + down * row * scan.spacing[0] + right * col * scan.spacing[1]
            for row, col in square
        ]
        contours.append(Drawn(np.array(points), uid=scan.uid(place) if refers else None))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rtstruct(Structure(name, contours, frame=scan.frame_uid)))
    return path


def square(scan: Scan) -> Labels:
    """What `write_structures` draws."""
    made = np.zeros((scan.count, scan.rows, scan.cols), np.uint8)
    made[1:, 1:4, 2:6] = 1
    return made


def found(root: Path, **params: Any) -> Root:
    key = root.parent / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    return find(root, LayoutParams(layout="headers", pseudonymize=str(key), **params))


def cases(root: Path, **params: Any) -> dict[str, SourceCase]:
    """The cases by the first image's path; nothing is wrong."""
    made = found(root, **params)
    assert [problem.text for problem in made.problems] == []
    return {case.images[0]: case for case in made.cases}


def codes(root: Path, **params: Any) -> list[str]:
    return [problem.code for problem in found(root, **params).problems]


def split(root: Path, **params: Any) -> dict[str, Labels]:
    """The label planes of each case that split writes, (slices, rows, cols), by its sequence."""
    output = root.parent / "split"
    made = chaosprep.split(root, output, layout="headers", val=0, **params)
    planes: dict[str, list[Labels]] = {}
    for case in made.cases:
        for row in case.slices:
            assert row.mask is not None
            planes.setdefault(case.id, []).append(np.array(Image.open(output / row.mask)))
    return {case: np.stack(some) for case, some in planes.items()}


def take_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first of all volumes is chosen."""

    def first(volumes: Sequence[Volume], where: Where) -> tuple[list[Chosen], list[Problem]]:
        return [Chosen(volumes[0], "first")], []

    monkeypatch.setattr("chaosprep.layouts.headers.layout.choose", first)
