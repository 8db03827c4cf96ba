"""Names for what torch raises without one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from chaosprep.errors import ChaosprepError

_NO_MEMORY = (
    "can't allocate memory",  # c10's allocator on the processor, a plain RuntimeError
    "CUDA error: out of memory",  # of the driver, where others fill the GPU
    "_STATUS_ALLOC_FAILED",  # of cuBLAS and cuDNN
)
_GPU = ("CUDA error", "CUDA driver error", "cuDNN error", "HIP error")
_WORKER = "DataLoader worker (pid"  # it "exited unexpectedly" or "is killed by signal"


@contextmanager
def named_faults(remedy: str) -> Iterator[None]:
    """Do something with torch; `remedy` is the remedy where the memory does not suffice.

    Raises:
        ChaosprepError: `memory`; `gpu`, it or its driver failed; or `worker` where a process that
            loads slices died.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if out_of_memory or any(part in text for part in _NO_MEMORY):
            raise ChaosprepError("the device has too little memory", remedy, "memory") from error
        if text.startswith(_GPU):
            raise ChaosprepError(
                f"the GPU failed ({text.splitlines()[0]})",
                "See whether nvidia-smi shows it; the same command continues from here.",
                code="gpu",
            ) from error
        if _WORKER in text:
            raise ChaosprepError(
                "a process that loads slices died",
                "Use fewer --workers, or more memory; the same command continues from here.",
                code="worker",
            ) from error
        raise
