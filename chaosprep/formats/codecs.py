"""The files that stages write, by their ending: grey PNG and npy."""

from typing import Annotated, Any

from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.png import encode_png
from chaosprep.imaging.png.codec import Compression
from chaosprep.params import Params


class PngParams(Params, frozen=True, kw_only=True):
    """What a stage that writes PNG takes besides its own parameters."""

    compression: Annotated[
        Compression, Meta(description="PNG files: quick to write, smallest, or not compressed.")
    ] = "fast"


def compression_of(params: Params) -> Compression:
    """How PNG is to be packed; as by default where nothing says it."""
    return params.compression if isinstance(params, PngParams) else "fast"


def encode(array: NDArray[Any], extension: str, compression: Compression = "fast") -> bytes:
    """Encode for a file name's extension: ``.png``, or ``.npy``, which is never compressed."""
    if extension == ".png":
        return encode_png(array, compression)
    if extension == ".npy":
        from chaosprep.formats.npy import encode_npy

        return encode_npy(array)
    remedy = "Convert it to one of the two."
    raise FileError("neither a .png nor a .npy", remedy, "image-unreadable")
