"""Pictures opened by Pillow, which is told what they may be; what it raises is one error."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING

from chaosprep.errors import BROKEN, RECOPY, FileError
from chaosprep.imaging.limits import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

# Formats that a mask is likely to be in by mistake; Pillow's others only widen the way in.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
_MANY = ("PNG", "GIF", "TIFF", "WEBP")  # those that may hold several pictures


@contextmanager
def picture_opened(data: bytes, code: str) -> "Iterator[Image]":
    """A picture whose header was read; whatever Pillow raises becomes a `FileError`."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own size warning: check_size decides
        try:
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                yield image
        except Image.DecompressionBombError:
            reason = f"the image is above the limit of {MAX_PIXELS >> 20} Mpx"
            raise FileError(reason, "Check the file.", "too-large") from None
        except UnidentifiedImageError:
            raise FileError("not an image", RECOPY, code) from None
        except BROKEN:
            raise FileError("the image is cut short or damaged", RECOPY, code) from None


def check_single(image: "Image") -> None:
    """Raise `FileError` ``frames`` where the file holds several pictures."""
    if image.format in _MANY and _has_more(image):
        remedy = "Save each as a file of its own."
        raise FileError("the file holds several images", remedy, "frames")


def _has_more(image: "Image") -> bool:
    with suppress(EOFError):
        image.seek(1)
        return True
    image.seek(0)
    return False
