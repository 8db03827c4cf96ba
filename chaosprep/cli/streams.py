"""The standard streams: whatever the other end does to them, the work goes on."""

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Kept(io.FileIO):
    """A file that takes all that is written; what went wrong first is kept, and told in the end."""

    failure: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write the data, or drop them; how many bytes they had."""
        try:
            while (written := super().write(data)) is None:  # it does not wait by itself
                select.select([], [self], [])
        except OSError as error:
            self.failure = self.failure or error
            return memoryview(data).nbytes
        return written


def settle_streams() -> _Kept:
    """Give this process standard streams that take anything; the one to look at is stdout's.

    A number that was closed is opened on nothing, else the next file would get it, and with the
    file whatever is said. What an encoding lacks is written out as Python escapes it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    sys.stdout, kept = _stream(1, sys.stdout)
    sys.stderr, _ = _stream(2, sys.stderr)
    return kept


def _stream(number: int, before: TextIO | None) -> tuple[TextIO, _Kept]:
    kept = _Kept(number, "wb", closefd=False)
    encoding = "utf-8" if before is None else before.encoding
    stream = io.TextIOWrapper(
        io.BufferedWriter(kept), encoding, "backslashreplace", line_buffering=True
    )
    return stream, kept


def flush(kept: _Kept) -> OSError | None:
    """What kept stdout from taking everything; who reads no further knows it himself."""
    sys.stdout.flush()
    failure = kept.failure
    return None if failure is None or failure.errno == errno.EPIPE else failure
