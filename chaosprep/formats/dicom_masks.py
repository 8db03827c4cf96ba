"""Masks as plain DICOM images: their values are labels, and their headers say where they lie."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.objects import is_picture
from chaosprep.formats.dicom.plain import read_plain_header
from chaosprep.formats.dicom.reading import (
    describe,
    read,
    read_frames,
    read_header,
    read_headers,
)
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels, as_labels, no_label_map
from chaosprep.imaging.levels import level_histogram
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.space.planes import lay, turned

_ROWS = 256  # that are rescaled at once


def is_image(data: bytes) -> bool:
    """Whether a file is a DICOM image, not a segmentation or anything else that DICOM has."""
    if not is_dicom(data):
        return False
    header = read_plain_header(data, MAX_PIXELS)
    evidence, sized = describe(data) if header is None else (header.evidence, True)
    return is_picture(evidence, sized)


def read_slice(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Header, Labels]:
    """The header and the labels, (rows, cols), of a mask that is one DICOM slice.

    Raises:
        FileError: what `dicom.reading.read` raises, `mask-not-grey`, or `mask-values`.
    """
    try:
        header = read_header(data, max_pixels=max_pixels)  # `read` tells no frame of reference
        _, stored = read(data, max_pixels=max_pixels)
    except FileError as error:
        raise _of_mask(error) from None
    return header, labels_of(header, stored)


def labels_of(header: Header, stored: NDArray[Any]) -> Labels:
    """The labels of stored values, (rows, cols): the values that the header rescales them to.

    Windows do not matter. Raises `FileError` ``mask-values`` where a table stands between the two,
    0 may be the foreground (MONOCHROME1), or they are no labels.
    """
    if header.inverted:
        raise FileError(
            "the mask is MONOCHROME1: whether its 0 is the background cannot be told",
            "Export it as MONOCHROME2, with 0 for the background.",
            code="mask-values",
        )
    if header.modality_lut is not None:
        raise FileError(
            "the values of the mask go through a Modality LUT, and are not labels",
            "Export it with the labels as stored values.",
            code="mask-values",
        )
    if not is_rescaled(header):
        return as_labels(stored)
    levels = np.array([*level_histogram(stored)])
    values = as_labels(levels * header.rescale_slope + header.rescale_intercept)
    if np.unique(values).size < levels.size:
        raise no_label_map("its rescale turns several stored values into one")
    labels = np.empty(stored.shape, values.dtype)
    for at in range(0, len(stored), _ROWS):
        labels[at : at + _ROWS] = values[np.searchsorted(levels, stored[at : at + _ROWS])]
    return labels


def is_rescaled(header: Header) -> bool:
    """Whether the labels are other numbers than the stored values."""
    return (header.rescale_slope, header.rescale_intercept) != (1.0, 0.0)


def notes_of(header: Header) -> tuple[str, ...]:
    """What was settled about a mask on the way to its labels."""
    scale = f"RescaleSlope {header.rescale_slope:g}, RescaleIntercept {header.rescale_intercept:g}"
    said = (f"labels are rescaled values ({scale})",) if is_rescaled(header) else ()
    return tuple(f"mask: {note}" for note in (*said, *header.notes))


class DicomMask:
    """A DICOM image of one frame or several: each image gets the frame that lies in its plane.

    Raises:
        FileError: what `read_headers` and `lay` raise.
    """

    names: Mapping[int, str] = {}

    def __init__(self, opening: Opening) -> None:
        self._data = opening.data
        try:
            self._headers = read_headers(opening.data)
        except FileError as error:
            raise _of_mask(error) from None
        self._laid = lay(opening.images, self._headers)
        self._stored: NDArray[Any] | None = None
        self.note = "; ".join(notes_of(self._headers[0])) or None

    def plane(self, index: int) -> NDArray[Any]:
        """The labels at the pixels of an image.

        Raises:
            FileError: `mask-missing`, `mask-grid`, `mask-several`, or as `read_slice` does.
        """
        if index in self._laid.errors:
            raise self._laid.errors[index]
        if index not in self._laid.places:
            raise missing()
        if self._stored is None:
            self._stored = read_frames(self._data)[1]
        number, place = self._laid.places[index]
        return turned(labels_of(self._headers[number], self._stored[number]), place)

    def surplus(self) -> FileError | None:
        """The error of frames that lie on no image."""
        return surplus(len(self._laid.left), "frames") if self._laid.left else None


def missing() -> FileError:
    """The error of an image in whose plane no mask lies."""
    return FileError(
        "no mask lies in the plane of this image",
        "Bring back its mask, or leave the slice out with --on-error skip.",
        code="mask-missing",
    )


def _of_mask(error: FileError) -> FileError:
    """What is wrong with an image, said of a mask."""
    if error.code != "not-grey":
        return error
    return FileError(
        "the mask is a DICOM image whose pixels are not grey",
        "Export it with labels as grey values, or as PNG, whose colours --labels names "
        "('#ff0000=liver').",
        code="mask-not-grey",
    )


DICOM_IMAGE = MaskFormat(
    name="DICOM image",
    endings=(),
    knows=lambda path, data: is_image(data),
    of_slice=lambda data: read_slice(data)[1],
    of_series=DicomMask,
)
