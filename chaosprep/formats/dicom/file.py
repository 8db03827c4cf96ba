"""A DICOM file as a file of images."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from chaosprep.formats.dicom.objects import what_else
from chaosprep.formats.dicom.plain import read_plain
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.image_file import Beside, ImageFormat
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
        from chaosprep.formats.dicom.reading import read_headers

        return read_headers(self._data, max_pixels=self._max_pixels)

    def read(self, frame: int | None = None) -> tuple[Header, NDArray[Any]]:
        """The header and the stored values of a frame; raises what `reading.read` does."""
        if frame is not None and self._asked - {frame}:
            if self._all is None:
                from chaosprep.formats.dicom.reading import read_frames

                self._all = read_frames(self._data, max_pixels=self._max_pixels)
            headers, arrays = self._all
            if frame < len(headers):
                return headers[frame], arrays[frame]
        self._asked |= set() if frame is None else {frame}
        if frame in (None, 0) and (found := read_plain(self._data, self._max_pixels)) is not None:
            return found
        from chaosprep.formats.dicom.reading import read  # all others, by pydicom

        return read(self._data, frame, max_pixels=self._max_pixels)


def _storage(data: bytes) -> str:
    from chaosprep.formats.dicom.transfer import syntax_name

    return syntax_name(data)


def _beside(data: bytes, headers: Sequence[Header]) -> Beside | None:
    if headers:
        return what_else(headers[0].evidence)
    from chaosprep.formats.dicom.reading import describe

    return what_else(*describe(data))


DICOM = ImageFormat(
    name="DICOM",
    ending=".dcm",
    knows=lambda path, data: is_dicom(data),
    open=DicomFile,
    whole=True,
    storage=_storage,
    beside=_beside,
)
