"""A label map as DICOM SEG on its original series: the same bytes every time, no clock.

A SEG names the patient, as the series does that it belongs to.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.assembly.origins import Origin
from chaosprep.assembly.segments import Segment, describe, private_scheme, segments_of
from chaosprep.dataset.records import Slice
from chaosprep.errors import (
    BROKEN,
    ChaosprepError,
    FileError,
    UsageError,
    not_as_written,
    plural,
)
from chaosprep.facts import Code
from chaosprep.files import sha256, write_new
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.reading import read_header
from chaosprep.formats.masks import cut_mask
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.geometry import SAME_POSITION
from chaosprep.known import CODES
from chaosprep.terms import PRIVATE_SCHEME
from chaosprep.version import __version__

if TYPE_CHECKING:
    from pydicom.dataset import Dataset as Dicom

# Type 2 in the source (PS3.3 C.7.1.1, C.7.2.1): highdicom asks for each, anonymisers drop them.
_MAY_LACK = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber"),
    *("StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
_DATES = ("ContentDate", "AcquisitionDate", "SeriesDate", "StudyDate")
_TIMES = ("ContentTime", "AcquisitionTime", "SeriesTime", "StudyTime")
_SERIES_AFTER = 1000  # added to the source's SeriesNumber: no scanner counts that far


def check_request(keep_grid: bool, format: str, dicom: str | Path | None) -> None:
    """Refuse a DICOM SEG that is asked for without its series, or on another grid.

    Raises:
        UsageError: `dicom` or `keep-grid`.
        ChaosprepError: highdicom is not installed.
    """
    if format == "seg":
        check_highdicom()
    if (format == "seg") != (dicom is not None):
        raise UsageError(
            "a DICOM SEG is made on its DICOM series, a NIfTI is not",
            "Give --format seg and --dicom DIR together.",
            code="dicom",
        )
    if format == "seg" and keep_grid:
        raise UsageError(
            "a DICOM SEG lies on the pixels of its series",
            "Leave --keep-grid out.",
            code="keep-grid",
        )


def check_highdicom() -> None:
    """Say at once what is missing.

    Raises:
        ChaosprepError: `extra`.
    """
    try:
        import highdicom  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ChaosprepError(
            "DICOM SEG is written with highdicom, which is not installed",
            "Install it: pip install 'chaosprep[seg]'.",
            code="extra",
        ) from error


def write_segmentation(
    file: Path,
    rows: Sequence[Slice],
    planes: NDArray[np.uint8] | NDArray[np.uint16],
    labels: Mapping[str, int],
    origin: Origin,
    *,
    automatic: bool,
    codes: Mapping[str, Code],
) -> int:
    """Write the labels of a case as a binary SEG, read it back and compare.

    UIDs come from those of the source images and the mask, dates from the source. Returns how many
    names do not stand whole in a SegmentLabel, of 64 characters at most; the SegmentDescription has
    them.

    Args:
        file: the new file.
        rows: the slices in anatomical order, on the pixels of their series.
        planes: labels, (slices, rows, cols).
        labels: organ -> label; where empty, every value is a segment of its own.
        origin: reads the DICOM files.
        automatic: whether a network drew the masks.
        codes: organ -> its code, where one is known; of others DICOM's is taken (`code_of`), or a
            private one is made.

    Raises:
        FileError: `dicom-missing`, `dicom-mismatch`, `dicom-series`, `mask-missing` (nothing to
            describe), `mask-values`, `seg` (highdicom refuses the series, or a code cannot stand in
            DICOM), or `not-as-written`.
        OutputError: it cannot be written.
    """
    data = [origin(row) for row in rows]
    headers = {row.id: _checked_header(row, one) for row, one in zip(rows, data, strict=True)}
    sources = [_source(one) for one in data]
    _check_series(sources)
    values = sorted(labels.values()) or sorted({int(v) for v in np.unique(planes)} - {0})
    names = {label: organ for organ, label in labels.items()}
    if not values:
        raise FileError(
            "no organ is named and the mask is empty: there is nothing for a DICOM SEG to describe",
            "Leave the case out with --on-error skip.",
            code="mask-missing",
        )
    strange = np.setdiff1d(planes, [0, *values])
    if strange.size:
        raise FileError(
            f"{plural(strange.size, 'value')} of its masks, {strange[0]} the lowest, stand for no "
            "organ",
            "Choose organs with extract-labels first.",
            code="mask-values",
        )
    smallest = np.uint8 if len(values) < 2**8 else np.uint16
    numbered = np.searchsorted([0, *values], planes).astype(smallest)
    segments = segments_of([names.get(value, f"label-{value}") for value in values], codes)
    with silent():
        try:
            stream = BytesIO()
            _segmentation(sources, numbered, segments, automatic).save_as(stream)
        except (*BROKEN, AttributeError) as error:
            raise FileError(
                f"highdicom cannot make a segmentation on this series ({type(error).__name__})",
                "Check its headers, or leave the case out with --on-error skip.",
                code="seg",
            ) from None
    write_new(file, stream.getvalue())
    _verify(file, headers, numbered)
    return sum(segment.is_shortened for segment in segments)


def _checked_header(row: Slice, data: bytes) -> Header:
    """The header of a slice's file, where it is that slice."""
    header = read_header(data)
    position = header.image_position_patient
    near = (
        position is not None
        and row.position is not None
        and np.abs(np.subtract(position, row.position)).max() <= SAME_POSITION
    )
    if not near or (header.rows, header.cols) != (row.rows, row.cols):
        raise FileError(
            f"the DICOM file of {row.id} differs in size or position from the slice",
            "Give the split stage directory, or the dataset root, that the slices come from.",
            code="dicom-mismatch",
        )
    return header


def _source(data: bytes) -> "Dicom":
    """A source image without pixels, with all that a SEG copies from it."""
    from pydicom import dcmread

    source = dcmread(BytesIO(data), stop_before_pixels=True)
    for keyword in _MAY_LACK:
        if keyword not in source:
            setattr(source, keyword, "")
    return source


def _check_series(sources: Sequence["Dicom"]) -> None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        found = {str(source.get(keyword) or "") for source in sources}
        if len(found) > 1 or "" in found:
            what = "lacks a" if "" in found else f"has {len(found)} different"
            raise FileError(
                f"the series {what} {keyword}, and a DICOM SEG belongs to one",
                "Use the files as the scanner wrote them, or assemble to NIfTI.",
                code="dicom-series",
            )


def _segmentation(
    sources: Sequence["Dicom"], planes: NDArray[Any], segments: Sequence[Segment], automatic: bool
) -> Any:  # noqa: ANN401 - highdicom's Segmentation
    import highdicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    first = sources[0]
    images = "/".join(str(one.SOPInstanceUID) for one in sources)
    digest = sha256("/".join(one.name for one in segments).encode() + planes.tobytes())
    seeds = [str(first.SeriesInstanceUID), images, digest, str(automatic), __version__]
    seeds += [str(one) for one in segments if CODES.get(one.name) != one.code]
    made = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=planes,
        segmentation_type="BINARY",
        segment_descriptions=[
            describe(number, segment, automatic=automatic)
            for number, segment in enumerate(segments, start=1)
        ],
        series_instance_uid=generate_uid(entropy_srcs=[*seeds, "series"]),
        series_number=int(first.get("SeriesNumber") or 0) + _SERIES_AFTER,
        sop_instance_uid=generate_uid(entropy_srcs=[*seeds, "instance"]),
        instance_number=1,
        manufacturer="chaosprep",
        manufacturer_model_name="chaosprep",
        software_versions=__version__,
        device_serial_number="0",
        series_description="chaosprep masks",
        content_label="MASKS",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_date=_first(first, _DATES) or "19000101",
        content_time=_first(first, _TIMES) or "000000",
    )
    _reproduce(made, generate_uid(entropy_srcs=[*seeds, "dimensions"]))
    if not all(one.is_ascii for one in segments):
        made.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    if any(one.code.scheme == PRIVATE_SCHEME for one in segments):
        made.CodingSchemeIdentificationSequence = [private_scheme()]
    return made


def _reproduce(made: "Dicom", dimensions: str) -> None:
    """Take out what highdicom took from the clock, and put a UID of ours for its random one."""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        delattr(made, keyword)
    for equipment in made.get("ContributingEquipmentSequence") or ():
        if equipment.get("ManufacturerModelName") == "highdicom":
            del equipment.ContributionDateTime
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions


def _first(source: "Dicom", keywords: Sequence[str]) -> str:
    return next((str(source.get(k)) for k in keywords if source.get(k)), "")


def _verify(file: Path, images: dict[str, Header], planes: NDArray[Any]) -> None:
    """Read the SEG as `split` would, laid on the series, and compare."""
    stack = cut_mask(file.parent, file.name, file.read_bytes(), images, len(images))
    if stack.errors or not all(
        np.array_equal(stack.labels[id], plane) for id, plane in zip(images, planes, strict=True)
    ):
        raise not_as_written(file.name)
