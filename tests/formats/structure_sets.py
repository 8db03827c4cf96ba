"""RTSTRUCTs and the scans that they are drawn on, made by pydicom in any orientation."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from chaosprep.formats.masks import Stack, cut_mask
from chaosprep.imaging.header import Header
from tests.formats.samples import dicom

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
FRAME, OTHER = (generate_uid(entropy_srcs=[name]) for name in ("a frame", "another frame"))
Points = NDArray[np.float64]
ORIENTATIONS = {
    "axial": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "sagittal": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    "coronal": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    "oblique": (0.8, 0.48, -0.36, -0.6, 0.64, -0.48),  # right angles, exactly
}


@dataclass(frozen=True)
class Scan:
    """A stack of slices: pixels in mm (row, col), a step in mm, the first pixel's place."""

    orientation: Sequence[float] = ORIENTATIONS["axial"]
    rows: int = 24
    cols: int = 32
    spacing: tuple[float, float] = (1.25, 1.5)
    step: float = 4.0
    count: int = 5
    origin: Sequence[float] = (-20.0, 30.5, 100.25)
    frame: str = FRAME
    heights: Sequence[float] | None = None

    def corner(self, place: float) -> Points:
        """The first pixel of a slice, or of a plane between slices: (3,) mm."""
        right, down = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        at = place * self.step
        if self.heights is not None and place == int(place):
            at = self.heights[int(place)]
        return np.asarray(np.array(self.origin) + np.cross(right, down) * at)

    def points(self, place: float, polygon: Points) -> Points:
        """A polygon, (points, 2) rows and columns, in the patient: (points, 3) mm."""
        right, down = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        rows, cols = polygon[:, :1], polygon[:, 1:]
        found = self.corner(place) + rows * self.spacing[0] * down + cols * self.spacing[1] * right
        return np.asarray(found)

    def uid(self, place: int) -> str:
        return str(generate_uid(entropy_srcs=[f"image {place}"]))

    def header(self, place: int) -> Header:
        x, y, z = (float(mm) for mm in self.corner(place))
        a, b, c, d, e, f = self.orientation
        return Header(
            rows=self.rows,
            cols=self.cols,
            dtype="uint16",
            bits_stored=16,
            pixel_spacing=self.spacing,
            image_position_patient=(x, y, z),
            image_orientation_patient=(a, b, c, d, e, f),
            sop_instance_uid=self.uid(place),
            evidence={"FrameOfReferenceUID": self.frame} if self.frame else {},
        )

    def image(self, place: int, **changes: object) -> bytes:
        """A slice as a file."""
        pixels = np.full((self.rows, self.cols), 100 + place, np.uint16)
        values: dict[str, Any] = {
            "SOPInstanceUID": self.uid(place),
            "FrameOfReferenceUID": self.frame,
            "PixelSpacing": list(self.spacing),
            "ImagePositionPatient": [format_number_as_ds(float(mm)) for mm in self.corner(place)],
            "ImageOrientationPatient": list(self.orientation),
            "SpacingBetweenSlices": self.step,
            "InstanceNumber": place + 1,
        }
        return dicom(pixels, **(values | changes))


SCAN = Scan()


@dataclass
class Drawn:
    """A contour: its points, (points, 3) mm, its kind, the SOPInstanceUID that it refers to."""

    points: Points
    kind: str = "CLOSED_PLANAR"
    uid: str | None = None


@dataclass
class Structure:
    """A structure of a set; ``code`` is a scheme, a value, a meaning."""

    name: str
    contours: Sequence[Drawn] = ()
    number: int | None = None
    frame: str = FRAME
    code: tuple[str, str, str] | None = None


def drawn(
    scan: Scan, polygons: Mapping[int, Iterable[Points]], kind: str = "CLOSED_PLANAR"
) -> list[Drawn]:
    """Contours on slices (place -> polygons of rows and columns), with their references."""
    return [
        Drawn(scan.points(place, polygon), kind, scan.uid(place))
        for place, every in polygons.items()
        for polygon in every
    ]


def contour_item(contour: Drawn) -> Dataset:
    item = Dataset()
    if contour.uid is not None:
        image = Dataset()
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        image.ReferencedSOPInstanceUID = contour.uid
        item.ContourImageSequence = [image]
    item.ContourGeometricType = contour.kind
    item.NumberOfContourPoints = len(contour.points)
    item.ContourData = [format_number_as_ds(float(mm)) for mm in contour.points.ravel()]
    return item


def dataset_of(structures: Sequence[Structure]) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.SOPClassUID = RTSTRUCT
    made.SOPInstanceUID = generate_uid(entropy_srcs=["structures"])
    made.Modality = "RTSTRUCT"
    made.PatientName = "Doe^Jane"
    made.StructureSetLabel = "plan"
    listed, contoured, observed = [], [], []
    for place, structure in enumerate(structures, 1):
        number = place if structure.number is None else structure.number
        item = Dataset()
        item.ROINumber, item.ROIName = number, structure.name
        item.ReferencedFrameOfReferenceUID = structure.frame
        item.ROIGenerationAlgorithm = "MANUAL"
        listed.append(item)
        shown = Dataset()
        shown.ReferencedROINumber = number
        if structure.contours:
            shown.ContourSequence = [contour_item(contour) for contour in structure.contours]
        contoured.append(shown)
        seen = Dataset()
        seen.ObservationNumber, seen.ReferencedROINumber = place, number
        seen.RTROIInterpretedType = "ORGAN"
        if structure.code is not None:
            code = Dataset()
            code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning = structure.code
            seen.RTROIIdentificationCodeSequence = [code]
        observed.append(seen)
    made.StructureSetROISequence = listed
    made.ROIContourSequence = contoured
    made.RTROIObservationsSequence = observed
    return made


def written(made: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    made.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # contours above 64 KiB are written as UN
        made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def rtstruct(
    *structures: Structure,
    syntax: UID = ExplicitVRLittleEndian,
    undefined_lengths: bool = False,
    edit: Callable[[Dataset], None] | None = None,
) -> bytes:
    """The file of a structure set; ``edit`` changes it before it is written."""
    made = dataset_of(structures)
    if edit is not None:
        edit(made)
    if undefined_lengths:

        def undefine(item: Dataset, element: Any) -> None:  # noqa: ANN401 - pydicom's
            if element.VR == "SQ":
                element.is_undefined_length = True
                for one in element.value:
                    one.is_undefined_length_sequence_item = True

        made.walk(undefine)
    return written(made, syntax)


def cut(
    data: bytes,
    scan: Scan = SCAN,
    *,
    places: Sequence[int] | None = None,
    missing: int = 0,
    takes: Callable[[str], bool] = lambda name: True,
    may_say: Callable[[str], bool] = lambda text: True,
) -> Stack:
    """A set on the slices of a scan; so many more of them cannot be read."""
    places = range(scan.count) if places is None else places
    headers = {f"i/{place}.dcm": scan.header(place) for place in places}
    count = len(headers) + missing
    return cut_mask(Path(), "m.dcm", data, headers, count, may_say, takes)


def planes(stack: Stack) -> NDArray[Any]:
    """All labels, (slices, rows, cols), of a mask without errors."""
    assert stack.errors == []
    return np.stack([*stack.labels.values()])


def one_error(stack: Stack) -> tuple[str, str]:
    """The code and the text of the only error."""
    ((_, error),) = stack.errors
    return error.code, error.text


def square(top: float, left: float, bottom: float, right: float) -> Points:
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], np.float64)


def disk(row: float, col: float, radius: float, points: int = 64) -> Points:
    """A polygon of points on a circle."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([row + radius * np.sin(angles), col + radius * np.cos(angles)], axis=1)


def star(row: float, col: float, radius: float, points: int = 5) -> Points:
    """A star drawn in one line that crosses itself: its middle is wound around twice."""
    angles = np.arange(points) * 4 * np.pi / points + 0.123
    return np.stack([row + radius * np.sin(angles), col + radius * np.cos(angles)], axis=1)


def keyhole(outer: Points, inner: Points) -> Points:
    """One line that goes around, in by a channel of no width, around the hole, and out."""
    return np.concatenate([outer, outer[:1], inner, inner[:1], outer[:1]])


def even_odd(polygons: Iterable[Points], rows: int, cols: int) -> NDArray[np.bool_]:
    """What lies in an odd number of windings, pixel by pixel, by a ray to lower rows.

    Only for polygons of which no edge goes through a centre.
    """
    inside = np.zeros((rows, cols), np.bool_)
    for polygon in polygons:
        (r0, c0), (r1, c1) = polygon.T, np.roll(polygon, -1, axis=0).T
        for col in range(cols):
            passing = (c0 > col) != (c1 > col)
            part = (col - c0[passing]) / (c1[passing] - c0[passing])
            above = r0[passing] + part * (r1[passing] - r0[passing])
            inside[:, col] ^= (np.arange(rows)[:, None] > above).sum(axis=1) % 2 == 1
    return inside
