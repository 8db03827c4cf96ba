"""The formats that other packages add: entry points of the group `chaosprep.formats`."""

from functools import cache

from chaosprep.formats.image_file import ImageFormat
from chaosprep.formats.mask_file import MaskFormat
from chaosprep.plugins import found, load

GROUP = "chaosprep.formats"


@cache
def plugged_formats() -> tuple[ImageFormat | MaskFormat, ...]:
    """Looked up once in a process: files are asked for one by one.

    Raises:
        ChaosprepError: `plugin`, one of them cannot be imported, or is no format.
    """
    return tuple(load(point, ImageFormat | MaskFormat) for point in found(GROUP).values())
