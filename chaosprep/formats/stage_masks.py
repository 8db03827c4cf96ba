"""Masks as stages write them: grey PNG, and npy where a directory holds arrays."""

from typing import TYPE_CHECKING

import numpy as np

from chaosprep.errors import FileError

if TYPE_CHECKING:
    from chaosprep.formats.pictures import MaskImage

MASK_ENDINGS = (".png", ".npy")


def read_stage_mask(path: str, data: bytes, *, lenient: bool = False) -> "MaskImage":
    """Read the mask of a slice by its path's ending; booleans are what a PNG of 1 bit is.

    Raises:
        FileError: what `read_mask` and `read_npy` raise; `mask-kind`, numbers that no mask has.
    """
    from chaosprep.formats.pictures import MaskImage, read_mask

    if not path.endswith(".npy"):
        return read_mask(data, lenient=lenient)
    from chaosprep.formats.npy import read_npy

    pixels = read_npy(data, dimensions=2)
    if pixels.dtype.kind == "b":
        return MaskImage(pixels.astype(np.uint8), binary=True)
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise FileError(
            f"the mask holds {pixels.dtype.name}, a mask of a stage uint8 or uint16",
            "Run the stage that made it again with --overwrite.",
            code="mask-kind",
        )
    return MaskImage(pixels.astype(pixels.dtype.newbyteorder("=")), binary=False)


def as_array(path: str, data: bytes) -> tuple[str, bytes]:
    """A grey PNG as the npy file of its pixels, with the path of that; anything else as it is."""
    if not path.endswith(".png"):
        return path, data
    from chaosprep.formats.npy import encode_bits, encode_npy
    from chaosprep.formats.pictures import read_mask

    try:
        picture = read_mask(data)
    except FileError:  # whoever reads it says why
        return path, data
    is_mask = path.split("/")[-2:-1] == ["masks"]
    encode = encode_bits if picture.binary and is_mask else encode_npy
    return path.removesuffix(".png") + ".npy", encode(picture.pixels)
