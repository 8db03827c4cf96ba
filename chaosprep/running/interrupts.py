"""Ctrl-C and a polite end, put off where they would leave behind what nobody can free."""

import signal
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import Any

from chaosprep.systems.processes import held_back

_HEED = 0.1
"""Seconds for which a wait puts them off."""


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Put off Ctrl-C and a polite end: amid this, they would leave a lock, a name or a process.

    What starts in here never sees Ctrl-C, from its first moment: its parent decides.
    """
    if threading.current_thread() is not threading.main_thread():  # they come to that one
        yield
        return
    came: list[int] = []
    holding = False

    def note(number: int, frame: FrameType | None) -> None:
        if holding:
            came.append(number)
        else:
            before[number](number, frame)

    before = {
        int(number): handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if callable(handler := signal.getsignal(number))
    }
    try:
        for number in before:
            signal.signal(number, note)
        holding = True
        with held_back(signal.SIGINT):
            yield
    finally:
        holding = False
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def wait_for_one(
    futures: Collection[Future[Any]], patience: float | None = None
) -> set[Future[Any]]:
    """Wait until one is done; those that are, of which there may be none after so many seconds.

    What `concurrent.futures` holds while it waits, an interrupt could leave held for ever.
    """
    end = None if patience is None else time.monotonic() + patience
    while True:
        left = _HEED if end is None else min(_HEED, end - time.monotonic())
        with interrupts_held():
            done = wait(futures, max(left, 0), FIRST_COMPLETED).done
        if done or left < _HEED:
            return done


def wait_for_thread(thread: threading.Thread) -> None:
    """Wait until it has ended; Python takes one for ended whose `join` is interrupted."""
    lives = True
    while lives:
        with interrupts_held():
            thread.join(_HEED)
            lives = thread.is_alive()
