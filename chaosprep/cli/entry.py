"""Where the command begins: next to nothing is imported before Ctrl-C is heeded."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
Handler = Callable[[int, FrameType | None], None]


def leave(number: int, frame: FrameType | None) -> None:
    """End at once, where nothing has begun or all is done."""
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(INTERRUPTED)


def heed(handler: Handler) -> None:
    """Have this called by Ctrl-C, and by a polite end as batch systems ask for it."""
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as shells start what runs behind
        signal.signal(signal.SIGINT, handler)


def main() -> int:
    """Run the command, and give its exit code."""
    heed(leave)
    from chaosprep.cli.streams import flush, settle_streams

    kept = settle_streams()
    from chaosprep.cli.main import main as command

    code: object = 0
    try:
        command(prog_name="chaosprep")
    except SystemExit as end:
        code = end.code
    heed(leave)
    if failure := flush(kept):
        from chaosprep.cli.output import say

        say(f"Error: standard output: cannot be written ({failure.strerror}). Give it another.")
    return code if isinstance(code, int) and (code or not failure) else int(failure is not None)


if __name__ == "__main__":
    sys.exit(main())
