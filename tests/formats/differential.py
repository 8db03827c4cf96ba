"""What the plain reader says of a file, held against what pydicom's path says."""

from collections.abc import Callable
from typing import Any

import pytest
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom import reading as dicom
from chaosprep.formats.dicom.plain import read_plain, read_plain_header
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.privacy.identity import read_by_pydicom, read_identity


def through_pydicom(reader: Callable[[bytes], Any], data: bytes) -> Any:  # noqa: ANN401
    """What a reader of `dicom` gives, or the error that it raises, without the plain reader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dicom, "read_plain", lambda *_: None)
        patch.setattr(dicom, "read_plain_header", lambda *_: None)
        try:
            return reader(data)
        except FileError as error:
            return error


def agrees(data: bytes) -> bool:
    """Check that the plain reader passes, or gives what pydicom gives; tell whether it gave it."""
    assert read_identity(data) == read_by_pydicom(data)
    header = read_plain_header(data, MAX_PIXELS)
    if header is not None:  # repr tells -0.0 from 0.0, and 1 from 1.0
        assert repr(header) == repr(through_pydicom(dicom.read_header, data))
        assert repr((header,)) == repr(through_pydicom(dicom.read_headers, data))
        assert header.evidence == through_pydicom(dicom.read_header, data).evidence
    found = read_plain(data, MAX_PIXELS)
    if found is None:
        return False
    expected = through_pydicom(dicom.read, data)
    assert not isinstance(expected, FileError), expected
    assert repr(found[0]) == repr(header) == repr(expected[0])
    assert traits(found[1]) == traits(expected[1])
    return True


def traits(array: NDArray[Any]) -> tuple[object, ...]:
    """All that tells two arrays apart: values, layout, and whose the memory is."""
    kind = array.dtype, array.dtype.byteorder, array.shape, array.strides
    return array.tobytes(), type(array), kind, array.base is None, str(array.flags)
