"""What a file of images is to everybody else: headers first, then the pixels of a frame."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.header import Header


class ImageFile(Protocol):
    """An opened file of one image, or of several: its frames."""

    def headers(self) -> tuple[Header, ...]:
        """One for each frame.

        Raises:
            FileError: the file cannot be used.
        """

    def read(self, frame: int | None = None) -> tuple[Header, NDArray[Any]]:
        """The header and the stored values, (rows, cols), of a frame, counted from 0.

        The header need not have evidence.

        Without a number the file must have one frame only.

        Raises:
            FileError: the file cannot be used, or has no such frame.
        """


class Beside(msgspec.Struct, frozen=True):
    """What lies among slices and is none: a noun, and whether it may be a slice where it is alone.

    `alone` is for what some people train on: secondary captures, parametric maps, doses.
    """

    what: str
    alone: bool = False


class ImageFormat(msgspec.Struct, frozen=True):
    """A kind of image files.

    ``ending`` is what a file of it is called in a stage directory. ``knows`` tells by a file's path
    and bytes whether it is one; ``open`` takes its bytes and the largest number of pixels, in all
    frames, that may be decoded. Only those that are ``whole`` carry what `split` has to know of a
    slice; the others are what stages write. ``storage`` says how the pixels are stored. ``beside``
    tells what a file is that lies among slices and is none, by its bytes and the headers of its
    frames (none where they cannot be read). ``volumes`` tells, by the beginning of a file, the
    frames of each volume that it holds; ``part`` makes a file of one of them of its bytes, by its
    frames, or gives None where the file is to be taken whole. Both raise `FileError`. ``fresh``
    says that an array is a part of the file as it lies: read into memory that may be written to
    (``open`` then takes a memoryview), it is not copied.
    """

    name: str
    ending: str
    knows: Callable[[str, bytes], bool]
    open: Callable[[bytes, int], ImageFile]
    whole: bool = False
    storage: Callable[[bytes], str] | None = None
    beside: Callable[[bytes, Sequence[Header]], Beside | None] | None = None
    volumes: Callable[[bytes], Sequence[Sequence[int]]] | None = None
    part: Callable[[bytes, Sequence[int]], bytes | None] | None = None
    fresh: bool = False


class Picture(msgspec.Struct, frozen=True):
    """An image file that holds one array and says nothing else."""

    decode: Callable[[bytes], NDArray[Any]]
    data: bytes

    def headers(self) -> tuple[Header, ...]:
        """The array's size and type."""
        return (self.read()[0],)

    def read(self, frame: int | None = None) -> tuple[Header, NDArray[Any]]:
        """The array, (rows, cols), as stored."""
        array = self.decode(self.data)
        return _header_of(*array.shape, array.dtype), array


@lru_cache(maxsize=8)  # the slices of a series share one
def _header_of(rows: int, cols: int, dtype: np.dtype[Any]) -> Header:
    return Header(rows=rows, cols=cols, dtype=dtype.name, bits_stored=8 * dtype.itemsize)
