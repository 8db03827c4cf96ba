"""Where the command begins: nothing is imported before Ctrl-C is heeded."""

import _signal  # type: ignore[import-not-found]  # what `signal` is made of, and 8 ms sooner
import os
import sys

TYPE_CHECKING = False  # as in `typing`, which takes its time too
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def leave(number: int, frame: "FrameType | None") -> None:
    """End at once, where nothing has begun or all is done."""
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(INTERRUPTED)


def heed(handler: "Callable[[int, FrameType | None], None]") -> None:
    """Have this called by Ctrl-C, and by a polite end as batch systems ask for it."""
    _signal.signal(_signal.SIGTERM, handler)
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:  # as shells start what runs behind
        _signal.signal(_signal.SIGINT, handler)


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
