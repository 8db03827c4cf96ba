"""How a damaged file becomes one `FileError`, and nothing of its content a warning."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from chaosprep.errors import BROKEN, RECOPY, FileError


def broken(reason: str) -> FileError:
    """Make the error for a file that contradicts itself or the standard."""
    return FileError(reason, RECOPY, "dicom-broken")


def truncated(reason: str) -> FileError:
    """Make the error for a file that ends too early."""
    return FileError(reason, RECOPY, "dicom-truncated")


def whole_grid(count: int | None, missing: str) -> FileError:
    """Make the error for a grid of slices that cannot be told apart."""
    held = f"{count} slices" if count else "several slices"
    return FileError(
        f"a grid of {held} in one picture (a mosaic): {missing}",
        "Export the series again with a file for each slice, or leave it out.",
        "grid-of-slices",
    )


@contextmanager
def guarded(reason: str) -> Iterator[None]:
    """Turn what pydicom raises into ``dicom-broken``; silence its warnings, which quote headers."""
    from logging import getLogger

    from pydicom.errors import BytesLengthException, InvalidDicomError

    logger = getLogger("pydicom")
    propagate, logger.propagate = logger.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RecursionError:
        raise broken("its sequences are nested too deeply") from None
    except (*BROKEN, BytesLengthException, InvalidDicomError):
        raise broken(reason) from None
    finally:
        logger.propagate = propagate


@contextmanager
def silent() -> Iterator[None]:
    """Keep the DICOM libraries from warning and logging: both quote headers."""
    import logging

    loggers = [logging.getLogger(name) for name in ("pydicom", "highdicom")]
    levels = [logger.level for logger in loggers]
    if all(level > logging.CRITICAL for level in levels):  # in another of these; setting takes long
        yield
        return
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
