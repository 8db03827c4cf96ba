"""What is refused before memory is taken for it."""

from collections.abc import Iterable

from chaosprep.errors import FileError

MAX_PIXELS = 64 * 2**20  # per slice; a larger announcement is a mistake or an attack
MAX_BYTES = 2**30  # of a volume once it is unpacked: 4096 slices of 512 x 512, 8 bits each


def check_size(rows: int, cols: int, *, frames: int = 1, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse, before anything is allocated, an image of more than ``max_pixels`` in all frames.

    Raises `FileError` ``too-large``.
    """
    if rows * cols * frames > max_pixels:
        what = f"{frames} frames of {rows} x {cols}" if frames > 1 else f"{rows} x {cols}"
        reason = f"{what} pixels are above the limit of {max_pixels / 2**20:g} Mpx"
        remedy = "Check the file; a slice is never that large."
        if frames > 1 or max_pixels != MAX_PIXELS:
            remedy = "Check the file, or raise --max-pixels of split and convert."
        raise FileError(reason, remedy, "too-large")


def size_text(shape: Iterable[int]) -> str:
    """`512x384`."""
    return "x".join(str(side) for side in shape)


def check_bytes(voxels: int, itemsize: float) -> None:
    """Refuse a volume of more than `MAX_BYTES` before it is unpacked: `FileError` ``too-large``."""
    if voxels * itemsize > MAX_BYTES:
        limit = MAX_BYTES >> 20
        reason = f"its {voxels} voxels of {itemsize:g} bytes are above the limit of {limit} MiB"
        raise FileError(reason, "Check the file; save labels as 8-bit integers.", "too-large")
