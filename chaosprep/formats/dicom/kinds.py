"""What kind of object a DICOM file is: its SOP class, from its first elements alone."""

from typing import TYPE_CHECKING

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import guarded
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.formats.dicom.values import text
from chaosprep.imaging.limits import MAX_PIXELS

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

_LAST = 0x00080016  # SOPClassUID: the elements of a data set ascend by tag (PS3.5 7.1)


def sop_class(data: bytes) -> str:
    """The SOPClassUID of a DICOM file; empty for any other file and for what cannot be read."""
    if not is_dicom(data):
        return ""
    from pydicom.filereader import read_partial

    def beyond(tag: "BaseTag", vr: str | None, length: int) -> bool:
        return int(tag) > _LAST

    try:
        with guarded("pydicom cannot make sense of the file"):
            dataset = read_partial(open_stream(inflated(data, MAX_PIXELS)), beyond)
            return text((dataset,), "SOPClassUID")
    except FileError:
        return ""
