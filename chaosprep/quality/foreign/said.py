"""What a table or a legend says of the pixels of a pair, and whether they are so."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.levels import level_histogram

_SHOWN = 8  # values in a message
_NAME = "Name them where the values have their names, or correct the mask."
_COUNT = "Count the pixels again, or bring back the mask that was counted."


class Said(msgspec.Struct, frozen=True):
    """What is said of a pair; None where nothing is.

    `size` is (rows, cols), `labels` value -> name, `pixels` name -> number of pixels in the mask,
    `hashes` the SHA-256 of the image and of the mask.
    """

    size: tuple[int, int] | None = None
    labels: dict[int, str] | None = None
    pixels: dict[str, int] | None = None
    hashes: tuple[str | None, str | None] = (None, None)


def against_said(mask: NDArray[Any], said: Said) -> Iterator[FileError]:
    """Yield an error, `labels` or `area`, for all in which a mask (rows, cols) is not as said."""
    if said.labels is None or mask.dtype.kind not in "buif" or not _is_whole(mask):
        return
    counts = {value: pixels for value, pixels in level_histogram(mask).items() if value}
    strangers = sorted(counts.keys() - said.labels.keys())
    if strangers:
        shown = ", ".join(map(str, strangers[:_SHOWN]))
        more = ", ..." if len(strangers) > _SHOWN else ""
        reason = f"mask values without a name: {shown}{more}"
        yield FileError(reason, _NAME, code="labels")
    areas: dict[str, int] = {}
    for value, name in said.labels.items():
        areas[name] = areas.get(name, 0) + counts.get(value, 0)
    for name, area in areas.items() if said.pixels is not None else ():
        told = (said.pixels or {}).get(name, 0)
        if area != told:
            reason = f"{name} covers {area} pixels, the table says {told}"
            yield FileError(reason, _COUNT, code="area")


def _is_whole(mask: NDArray[Any]) -> bool:
    return mask.dtype.kind != "f" or bool(np.array_equal(mask, np.rint(mask)))
