"""What a system lets a process know of itself, and hold back from itself."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_time(seconds: float) -> None:
    """End this process once it has worked for so long, 0 for never; where the system has a clock.

    That is by `OUT_OF_TIME`; Windows has none.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


OUT_OF_TIME: int | None = getattr(signal, "SIGPROF", None)
"""The signal by which `limit_time` ends a process."""
HOLDS_SIGNALS = hasattr(signal, "pthread_sigmask")
"""Whether a process can put off signals, and start others that never get them."""


@contextmanager
def held_back(number: int) -> Iterator[None]:
    """Put off a signal in this thread, and in the processes that it starts."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
