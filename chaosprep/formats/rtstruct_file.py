"""What an RTSTRUCT says: its structures by number and name, and their contours in the patient."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, FileError
from chaosprep.facts import Code, Label, Legend, Name
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.parsing import parse
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.formats.legend import concept
from chaosprep.imaging.limits import MAX_BYTES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

READINGS = 2**21  # of some 70,000 contours
_FAR = 1e6  # mm from the origin: nothing of a patient lies there
_DECIMALS = b"0123456789+-.eE \\\0"  # PS3.5 6.2: DS, and what pads and parts it
_CODES = "RTROIObservationsSequence"
_LISTS = ("StructureSetROISequence", "ROIContourSequence", _CODES)
_DIGITS = 12  # PS3.5 6.2: of IS
_HIGHEST = 2**15 - 1  # of labels: of 16 bits the rest is for structures that overlap


@dataclass(frozen=True, eq=False)
class Contour:
    """A contour: its ContourGeometricType, its points, (points, 3) mm LPS, and what it refers to.

    ``sources`` are (SOPInstanceUID, frame number from 1, or None for a whole file).
    """

    kind: str
    points: NDArray[np.float64]
    sources: frozenset[tuple[str, int | None]]


@dataclass(frozen=True, eq=False)
class Roi:
    """A region of interest: its label in masks, its ROINumber, name, code, FrameOfReferenceUID."""

    label: int
    number: int
    name: str
    code: Code | None
    space: str
    items: "list[Dataset]" = field(default_factory=list, repr=False)

    def contours(self) -> list[Contour]:
        """Read its contours.

        Raises `FileError` ``mask-unreadable`` where one has not as many points as it says.
        """
        found = (_contour(item) for roi in self.items for item in items_of(roi, "ContourSequence"))
        return [contour for contour in found if len(contour.points)]


def open_structures(
    data: bytes, takes: Callable[[str], bool] = lambda name: True
) -> tuple[list[Roi], Sequence[int]]:
    """The structures of an RTSTRUCT (PS3.3 A.19.3) whose names are wanted, and the labels of all.

    A structure's label is its ROINumber where all of them are from 1 to 32767 and different, else
    its place in the list. Contours are read by each structure itself.

    Raises:
        FileError: `mask-unreadable`, `too-large` or `dicom-truncated`.
    """
    found, strays = _structures(data)
    if takes("") and strays:
        raise contradictory("it has contours of a structure that its list does not have")
    wanted = [roi for roi in found if takes(roi.name)]
    times = Counter(roi.number for roi in found)
    if any(roi.items and times[roi.number] > 1 for roi in wanted):
        raise contradictory("it has several structures of one number, and contours refer to it")
    return wanted, [roi.label for roi in found]


def structure_labels(data: bytes) -> Legend:
    """The names and codes of an RTSTRUCT's structures by label; one without a name is left out.

    Raises:
        FileError: `mask-unreadable`, `too-large` or `dicom-truncated`; but not where only contours
            cannot be read.
    """
    with reading():
        rois, _ = _structures(data)
    return {roi.label: Label(roi.name, roi.code) for roi in rois if roi.name}


def _structures(data: bytes) -> tuple[list[Roi], set[int]]:
    """All structures, and the numbers of none of them that contours refer to."""
    stream = open_stream(inflated(data, MAX_BYTES // 4), READINGS)
    dataset, order = parse(stream, header_only=False)
    for keyword in _LISTS:
        if keyword not in dataset and keyword != _CODES:
            raise contradictory(f"it has no {keyword}")
        if keyword in dataset and order.count(int(dataset.get_item(keyword).tag)) > 1:
            raise contradictory(f"it has {keyword} more than once")
    described, contoured, observed = (items_of(dataset, keyword) for keyword in _LISTS)
    numbers = [_whole(item, "ROINumber") for item in described]
    fit = len({*numbers}) == len(numbers) and all(1 <= one <= _HIGHEST for one in numbers)
    if not fit and len(numbers) > _HIGHEST:
        raise FileError(f"it has more than {_HIGHEST} structures", "Check the file.", "too-large")
    labels = numbers if fit else range(1, len(numbers) + 1)
    codes, untold = _codes(observed), _only_space(dataset)
    shown = defaultdict[int, list["Dataset"]](list)
    for item in contoured:
        if "ContourSequence" in item and item.get_item("ContourSequence").value:
            shown[_whole(item, "ReferencedROINumber")].append(item)
    found = [
        Roi(
            label,
            number,
            _name(item),
            codes.get(number),
            text_of(item, "ReferencedFrameOfReferenceUID") or untold,
            shown.get(number, []),
        )
        for label, number, item in zip(labels, numbers, described, strict=True)
    ]
    return found, shown.keys() - {*numbers}


def _only_space(dataset: "Dataset") -> str:
    """The frame of reference that the set lists, where it is one; empty for none or several."""
    listed = items_of(dataset, "ReferencedFrameOfReferenceSequence")
    spaces = {text_of(item, "FrameOfReferenceUID") for item in listed} - {""}
    return spaces.pop() if len(spaces) == 1 else ""


@contextmanager
def reading() -> Iterator[None]:
    """Turn what pydicom raises into ``mask-unreadable``, and keep it silent."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    with silent():
        try:
            yield
        except (*BROKEN, BytesLengthException, InvalidDicomError):
            raise contradictory("the RTSTRUCT cannot be read") from None


def contradictory(reason: str) -> FileError:
    """The error of an RTSTRUCT that contradicts itself or the standard."""
    return FileError(reason, "Export the RTSTRUCT again from its source.", "mask-unreadable")


def _contour(item: "Dataset") -> Contour:
    """A contour of a Contour Sequence (PS3.3 C.8.8.6)."""
    value = _raw(item, "ContourData").strip(b" \0")
    if value.translate(None, _DECIMALS):
        raise contradictory("a contour has coordinates that are not numbers")
    numbers = np.array([*map(float, value.split(b"\\"))] if value else ())
    if len(numbers) % 3:
        raise contradictory("a contour has coordinates that do not come in threes")
    if (
        _raw(item, "NumberOfContourPoints")
        and _whole(item, "NumberOfContourPoints") != len(numbers) // 3
    ):
        raise contradictory("a contour has more or fewer points than it says")
    if not (np.abs(numbers) <= _FAR).all():
        raise contradictory("a contour has points that are more than a kilometre away")
    if _raw(item, "ContourOffsetVector").translate(None, b"0.+-eE \\\0"):
        raise contradictory("a contour is moved by a ContourOffsetVector, which DICOM has retired")
    images = items_of(item, "ContourImageSequence")
    sources = frozenset(source for image in images for source in sources_of(image))
    return Contour(text_of(item, "ContourGeometricType"), numbers.reshape(-1, 3), sources)


def sources_of(item: "Dataset") -> list[tuple[str, int | None]]:
    """The image, or the frames of one, that an item refers to."""
    uid, frames = (text_of(item, f"Referenced{what}") for what in ("SOPInstanceUID", "FrameNumber"))
    if not frames:
        return [(uid, None)]
    return [(uid, _number(one, "ReferencedFrameNumber")) for one in frames.split("\\")]


def _codes(observations: "Sequence[Dataset]") -> dict[int, Code]:
    """ROINumber -> the code of what it is (PS3.3 C.8.8.8), where there is just one."""
    found = defaultdict[int, set[Code]](set)
    for item in observations:
        coded = (concept(one) for one in items_of(item, "RTROIIdentificationCodeSequence"))
        found[_whole(item, "ReferencedROINumber")].update(filter(None, coded))
    return {number: next(iter(codes)) for number, codes in found.items() if len(codes) == 1}


def items_of(dataset: "Dataset", keyword: str) -> "Sequence[Dataset]":
    """The items of a sequence; those of one that is read only now cannot be without end either."""
    from pydicom.filereader import read_sequence

    value = _raw(dataset, keyword)
    element: Any = dataset.get_item(keyword) if keyword in dataset else None
    if element is None or not element.value:
        return ()
    if not value:
        return element.value if element.VR == "SQ" else ()
    stream = open_stream(value, READINGS)
    implicit = element.is_implicit_VR or element.VR == "UN"  # PS3.5 6.2.2
    encoding = dataset.original_character_set
    return read_sequence(stream, implicit, element.is_little_endian, len(value), encoding)


def _raw(dataset: "Dataset", keyword: str) -> bytes:
    """A value as it stands in the file, whole; empty where there is none."""
    element: Any = dataset.get_item(keyword) if keyword in dataset else None
    if element is None or not isinstance(element.value, bytes):
        return b""
    if len(element.value) != element.length:
        raise contradictory(f"it ends in the middle of a {keyword}")
    return element.value


def text_of(dataset: "Dataset", keyword: str) -> str:
    """A value of plain text, such as a UID; empty where there is none."""
    return _raw(dataset, keyword).decode("ascii", "replace").strip(" \0")


def _whole(dataset: "Dataset", keyword: str) -> int:
    """A whole number (IS, of at most 12 bytes)."""
    return _number(text_of(dataset, keyword), keyword)


def _number(text: str, keyword: str) -> int:
    digits = text.strip()
    if not digits.lstrip("+-").isdecimal() or len(digits) > _DIGITS:
        raise contradictory(f"a {keyword} is missing, or is not a number")
    return int(digits)


def _name(item: "Dataset") -> str:
    """Its ROIName in its character set; empty for what is no name."""
    value = item.get("ROIName") or ""
    text = value if isinstance(value, str) else "\\".join(map(str, value))
    try:
        return msgspec.convert(text.strip(), Name)
    except msgspec.ValidationError:
        return ""
