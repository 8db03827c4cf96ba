"""Reading at a place of an open file, into memory that is there."""

import os

_AT = getattr(os, "preadv", None)  # Windows has none


def read_into(data: memoryview, handle: int, offset: int) -> int:
    """Read bytes from a place on into memory; how many came, 0 at the end of the file."""
    if _AT is not None:
        return int(_AT(handle, [data], offset))
    os.lseek(handle, offset, os.SEEK_SET)
    found = os.read(handle, len(data))
    data[: len(found)] = found
    return len(found)
