"""What still identifies in the images of a directory that was made with --deidentify."""

from collections.abc import Iterator

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, Problem
from chaosprep.formats.dicom.reading import is_dicom

_SHOWN = 6  # keywords
_REMEDY = "Pass it on to nobody; split again with --deidentify, into a new directory."


def is_deidentified(dataset: Dataset) -> bool:
    """Whether the data were split with --deidentify."""
    return any(record.parameters.get("deidentify") is True for record in dataset.history)


def identity_left(row: Slice, data: bytes) -> Iterator[Problem]:
    """The fault of an image that is DICOM and holds what --deidentify takes out, by keywords."""
    if not is_dicom(data):
        return
    from chaosprep.privacy.deidentify.left import left

    try:
        keywords = left(data, row.patient)
    except FileError as error:
        yield Problem.of(error, row.id, row.image)
        return
    if keywords:
        more = len(keywords) - _SHOWN
        listed = ", ".join(keywords[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        reason = f"it was to be without what identifies, and still has or lacks: {listed}"
        yield Problem(
            code="identity-left", id=row.id, file=row.image, reason=reason, remedy=_REMEDY
        )
