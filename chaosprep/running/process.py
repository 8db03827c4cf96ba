"""What a process that works on slices sets for itself, once."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_BLAS = "OPENBLAS_NUM_THREADS"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def settle_in() -> None:
    """Work on one slice after the other: on one thread, and in the same memory."""
    one_thread()
    keep_memory()


def one_thread() -> None:
    """Keep OpenCV to one thread in this process, also if it is imported later.

    Other processes are the parallelism; and on slices this small, its threads wait for each other
    more than they work.
    """
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for what is loaded or started in here."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def blas_alone() -> Iterator[None]:
    """Let a NumPy that is loaded in here have no threads of its own, unless somebody said how many.

    No stage multiplies large matrices; and where others work as well, its threads take longer to
    start than all the rest of NumPy.
    """
    with variable(_BLAS, os.environ.get(_BLAS, "1")):
        yield


@cache
def keep_memory() -> None:
    """Let this process keep the memory of one picture for the next.

    The GNU C library gives larger blocks back to the system, which has to clear and map them anew:
    always where `MALLOC_TRIM_THRESHOLD_` says so, as Dask's nanny has it (as much time again as the
    work takes), else now and then. Other C libraries know neither.
    """
    import ctypes

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(_M_MMAP_THRESHOLD, 32 << 20)  # where the library's own rule ends
    set_option(_M_TRIM_THRESHOLD, 64 << 20)
