"""What a system lets a process know of itself, and hold back from itself."""

import _thread
import os
import signal
import threading
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


@contextmanager
def held_back(number: int) -> Iterator[None]:
    """Put off a signal in this thread, and in what it starts, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def signal_main(number: int) -> None:
    """Have the main thread handle a signal, from another thread; it wakes where the system can."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))
