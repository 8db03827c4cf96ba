"""A DICOM file as a file of images."""

from typing import Any

from numpy.typing import NDArray

from chaosprep.formats.dicom.objects import what_else
from chaosprep.formats.dicom.reading import describe, is_dicom, read, read_frames, read_headers
from chaosprep.formats.dicom.transfer import syntax_name
from chaosprep.formats.image_file import ImageFormat
from chaosprep.imaging.header import Header

Frames = tuple[tuple[Header, ...], NDArray[Any]]


class DicomFile:
    """A file of one frame or several. Whoever asks for a second frame gets all decoded at once."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = data
        self._max_pixels = max_pixels
        self._asked: set[int] = set()
        self._all: Frames | None = None

    def headers(self) -> tuple[Header, ...]:
        """One for each frame; raises what `read_headers` does."""
        return read_headers(self._data, max_pixels=self._max_pixels)

    def read(self, frame: int | None = None) -> tuple[Header, NDArray[Any]]:
        """The header and the stored values of a frame; raises what `reading.read` does."""
        if frame is not None and self._asked - {frame}:
            if self._all is None:
                self._all = read_frames(self._data, max_pixels=self._max_pixels)
            headers, arrays = self._all
            if frame < len(headers):
                return headers[frame], arrays[frame]
        self._asked |= set() if frame is None else {frame}
        return read(self._data, frame, max_pixels=self._max_pixels)


DICOM = ImageFormat(
    name="DICOM",
    ending=".dcm",
    knows=lambda path, data: is_dicom(data),
    open=DicomFile,
    whole=True,
    storage=syntax_name,
    beside=lambda data, headers: (
        what_else(headers[0].evidence) if headers else what_else(*describe(data))
    ),
)
