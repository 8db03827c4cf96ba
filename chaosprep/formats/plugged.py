"""The formats that other packages add: entry points of the group `chaosprep.formats`."""

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from chaosprep.formats.image_file import ImageFormat
from chaosprep.plugins import found, load

if TYPE_CHECKING:
    from chaosprep.formats.mask_file import MaskFormat

GROUP = "chaosprep.formats"
T = TypeVar("T", ImageFormat, "MaskFormat")


@cache
def plugged(kind: type[T]) -> tuple[T, ...]:
    """Those of one kind, looked up once in a process: files are asked for one by one.

    Raises:
        ChaosprepError: `plugin`, one of them cannot be imported, or is no format.
    """
    from chaosprep.formats.mask_file import MaskFormat

    every = (load(point, ImageFormat | MaskFormat) for point in found(GROUP).values())
    return tuple(one for one in every if isinstance(one, kind))
