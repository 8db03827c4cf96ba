"""What still identifies in the files of a directory that was made with --deidentify."""

from collections.abc import Iterator

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, Problem
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.imaging.png.chunks import pixels_only, read_head
from chaosprep.imaging.png.unpacking import holds_more

_SHOWN = 6  # keywords
_UNREADABLE = "mask-unreadable"
_REMEDY = "Do not pass it on; split again with --deidentify, into a new directory."


def is_deidentified(dataset: Dataset) -> bool:
    """Whether the data were split with --deidentify."""
    return any(record.parameters.get("deidentify") is True for record in dataset.history)


def identity_left(row: Slice, file: str | None, data: bytes) -> Iterator[Problem]:
    """The fault of a file that holds what --deidentify takes out.

    That is what a header has, by keywords, and what a PNG holds beside its pixels.
    """
    try:
        reason = _of_header(data, row.patient) if is_dicom(data) else _beside_pixels(data)
    except FileError as error:
        yield Problem.of(error, row.id, file)
        return
    if reason:
        yield Problem(code="identity-left", id=row.id, file=file, reason=reason, remedy=_REMEDY)


def _of_header(data: bytes, patient: str) -> str:
    from chaosprep.privacy.deidentify.left import left

    keywords = left(data, patient)
    if not keywords:
        return ""
    more = len(keywords) - _SHOWN
    listed = ", ".join(keywords[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"it should be de-identified, but still has or lacks: {listed}"


def _beside_pixels(data: bytes) -> str:
    try:
        png = read_head(data, _UNREADABLE)
        if png is None:
            return ""
        kept = pixels_only(data, png, _UNREADABLE)
    except FileError:  # whoever reads the pixels says so
        return ""
    is_more = kept != data or holds_more(kept, png)
    return (
        "it should hold only pixels, but holds more, which may identify the patient"
        if is_more
        else ""
    )
