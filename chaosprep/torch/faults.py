"""Names for what torch raises without one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from chaosprep.errors import ChaosprepError

_NO_MEMORY = "can't allocate memory"  # c10's allocator on the processor, a plain RuntimeError
_WORKER = "DataLoader worker (pid"  # it "exited unexpectedly" or "is killed by signal"


@contextmanager
def named_faults(smaller: str) -> Iterator[None]:
    """Do something with torch; `smaller` is the remedy where the memory does not suffice.

    Raises:
        ChaosprepError: `memory`, or `worker` where a process that loads slices died.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        full = isinstance(error, MemoryError | torch.OutOfMemoryError) or _NO_MEMORY in str(error)
        if full:
            raise ChaosprepError("the device has too little memory", smaller, "memory") from error
        if _WORKER in str(error):
            raise ChaosprepError(
                "a process that loads slices died",
                "Use fewer --workers, or more memory; the same command goes on from here.",
                code="worker",
            ) from error
        raise
