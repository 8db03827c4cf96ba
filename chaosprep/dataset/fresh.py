"""Bytes of a file in memory that may be written to, which an array can take without a copy."""

import os
from pathlib import Path
from typing import TypeVar

import numpy as np

from chaosprep.dataset.records import File
from chaosprep.errors import REMAKE, FileError
from chaosprep.files import open_handle, unread
from chaosprep.systems.reading import read_into

B = TypeVar("B", bytes, memoryview)


def read_fresh(path: Path | str, offset: int, size: int, *, follow: bool = False) -> memoryview:
    """Read some bytes of a regular file, fewer where it ends before; see `read_regular`."""
    handle, length = open_handle(path, follow)
    try:
        # Whoever tells the size may have made it up.
        data = np.empty(max(0, min(size, length - offset)), np.uint8).data
        done = read_into(data, handle, offset)
        while done < len(data) and (more := read_into(data[done:], handle, offset + done)):
            done += more
    except OSError as error:
        raise unread(error) from error
    finally:
        os.close(handle)
    return data if done == len(data) else data[:done]


def whole(file: File, data: B) -> B:
    """What was read of a file in a container.

    Raises:
        FileError: `container`, it is not all of it.
    """
    if len(data) < file.bytes:
        name = file.path.rpartition("/")[2]
        raise FileError(f"it ends before {name} does", REMAKE, code="container")
    return data
