"""How a damaged file becomes one `FileError`, and nothing of its content a warning."""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from chaosprep.errors import FileError

RECOPY = "Copy or export the file again from its source."
# What pydicom, highdicom, Pillow and the decoders below them are known to raise on damaged input.
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def broken(reason: str) -> FileError:
    """Make the error for a file that contradicts itself or the standard."""
    return FileError(reason, RECOPY, "dicom-broken")


def truncated(reason: str) -> FileError:
    """Make the error for a file that ends too early."""
    return FileError(reason, RECOPY, "dicom-truncated")


@contextmanager
def guarded(reason: str) -> Iterator[None]:
    """Turn what pydicom raises into ``dicom-broken``; silence its warnings, which quote headers."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    logger = logging.getLogger("pydicom")
    propagate, logger.propagate = logger.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RecursionError:
        raise broken("its sequences are nested too deep") from None
    except (*BROKEN, BytesLengthException, InvalidDicomError):
        raise broken(reason) from None
    finally:
        logger.propagate = propagate
