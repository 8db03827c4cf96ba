"""The kinds of image files: a new one is one file and one line of `IMAGES`."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

from chaosprep.errors import FileError
from chaosprep.files import read_regular, read_start
from chaosprep.formats.dicom.plain import has_plain_header
from chaosprep.formats.formats import Formats
from chaosprep.formats.image_file import ImageFile, ImageFormat
from chaosprep.formats.plugged import plugged
from chaosprep.imaging.limits import MAX_PIXELS

_HEAD = 2**15  # bytes: most headers are shorter
IMAGES = Formats[ImageFormat](
    "dicom.file:DICOM",
    "png:PNG",
    "npy:NPY",
    "nifti_image:NIFTI_GZ",
    "nifti_image:NIFTI",
    "nrrd_image:NRRD_IMAGE",
    "metaimage_image:METAIMAGE_IMAGE",
)
"""The first that knows a file reads it."""


def is_named_whole(path: str) -> bool:
    """Whether a file's ending says that it tells what a slice has to tell."""
    found = _named(path)
    return found is not None and found.whole


def is_named_fresh(path: str) -> bool:
    """Whether a file's ending says that it is to be read into memory that may be written to."""
    found = _named(path)
    return found is not None and found.fresh and path.endswith(found.ending)


def _named(path: str) -> ImageFormat | None:
    """What kind of image a file's ending says that it is; of plugins, one that is `whole`."""
    name = path.rpartition("/")[2].casefold()
    ours = _of_ending(name.partition(".")[2])
    others = (one for one in plugged(ImageFormat) if one.whole) if ours is None else ()
    return ours or next((one for one in others if name.endswith(one.ending)), None)


@lru_cache(maxsize=64)  # most names have no dot but that of the ending
def _of_ending(ending: str) -> ImageFormat | None:
    return next((one for one in IMAGES if f".{ending}".endswith(one.ending)), None)


def image_format(path: str, data: bytes) -> ImageFormat | None:
    """What kind of image a file is, by its path and its bytes; None for no kind that is known."""
    for one in IMAGES:
        if one.knows(path, data):
            return one
    return next((one for one in plugged(ImageFormat) if one.knows(path, data)), None)


def read_head(file: Path) -> bytes:
    """The bytes of a file that its headers are read from: its beginning, or all of it.

    Raises:
        FileError: what `read_regular` raises.
    """
    head = read_start(file, _HEAD)
    return head if len(head) < _HEAD or has_plain_header(head) else read_regular(file)


def open_image(path: str, data: bytes | memoryview, max_pixels: int = MAX_PIXELS) -> ImageFile:
    """Open a file of images, whatever kind it is.

    Of bytes in memory that may be written to, an array of the file may be a part.

    Raises:
        FileError: `image-unreadable`, it is of no kind that is known.
    """
    held = cast(bytes, data)
    found = image_format(path, held)
    if found is None:
        kinds = ", ".join(dict.fromkeys(one.name for one in (*IMAGES, *plugged(ImageFormat))))
        raise FileError("not an image that can be read", f"There are: {kinds}.", "image-unreadable")
    return found.open(held if found.fresh else bytes(held), max_pixels)


def storage_of(path: str, data: bytes) -> str:
    """How an image's pixels are stored: its transfer syntax, or what kind of file it is."""
    found = image_format(path, data)
    if found is None:
        return "unknown"
    return found.name if found.storage is None else found.storage(data)


def volumes_in(path: str, start: bytes) -> tuple[tuple[int, ...], ...]:
    """The frames of each volume of an image file, by its beginning; none where it cannot tell."""
    found = image_format(path, start)
    try:
        told = () if found is None or found.volumes is None else found.volumes(start)
    except FileError:
        return ()  # whoever reads it says why
    return tuple(tuple(frames) for frames in told)


def part_of(path: str, data: bytes, frames: Sequence[int]) -> bytes | None:
    """A file of some frames of a file; None where it is taken whole.

    Raises:
        FileError: what is wrong with the file.
    """
    found = image_format(path, data)
    return None if found is None or found.part is None else found.part(data, frames)
