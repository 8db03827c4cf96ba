"""Ctrl-C, and a polite end as batch systems ask for it: heeded from the first import on."""

import _signal  # type: ignore[import-not-found]  # what `signal` is made of, and 8 ms sooner
import os
import sys

TYPE_CHECKING = False  # as in `typing`, which takes its time too
if TYPE_CHECKING:
    from collections.abc import Callable
    from sys import UnraisableHookArgs
    from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_MOMENT = 0.01  # seconds; a finalizer takes less


def leave(number: int, frame: "FrameType | None") -> None:
    """End at once, where nothing has begun or all is done."""
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(INTERRUPTED)


def heed(handler: "Callable[[int, FrameType | None], None]") -> None:
    """Have this called by Ctrl-C (SIGINT) and SIGTERM."""
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:  # as shells start what runs behind
        _signal.signal(_signal.SIGINT, handler)
    _signal.signal(_signal.SIGTERM, handler)


def pass_over() -> None:
    """Let Ctrl-C pass: all is said, and Python ends within milliseconds."""
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    _signal.signal(_signal.SIGTERM, leave)


def not_dropped(
    handler: "Callable[[int, FrameType | None], None]",
) -> "Callable[[UnraisableHookArgs], None]":
    """For `sys.unraisablehook`: Ctrl-C that came amid a finalizer calls the handler once more.

    Python drops what is raised there.
    """

    def hook(dropped: "UnraisableHookArgs") -> None:
        if dropped.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(dropped)
            return
        from threading import Timer

        from chaosprep.systems.processes import signal_main

        heed(handler)
        again = Timer(_MOMENT, signal_main, [_signal.SIGTERM])
        again.daemon = True
        again.start()

    return hook
