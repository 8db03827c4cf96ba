"""Where the command begins: next to nothing is imported before Ctrl-C is heeded."""

import atexit
import gc
import os
import sys

from chaosprep.cli.interrupts import heed, leave, not_dropped, pass_over

TYPE_CHECKING = False  # as in `typing`, which takes its time
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> int:
    """Run the command, and give its exit code."""
    heed(leave)
    from chaosprep.cli.garbage import uncollected

    with uncollected():
        from chaosprep.cli.streams import flush, settle_streams

        kept = settle_streams()
        from chaosprep.cli.main import interrupt
        from chaosprep.cli.main import main as command

    sys.unraisablehook = not_dropped(interrupt)
    code: object = 0
    try:
        command(prog_name="chaosprep")
    except SystemExit as end:
        code = end.code
    pass_over()
    gc.freeze()  # all goes with the process: Python need not look through it once more
    if failure := flush(kept):
        from chaosprep.cli.output import say

        say(
            f"Error: standard output: cannot be written ({failure.strerror}). Send it somewhere "
            "else."
        )
    return code if isinstance(code, int) and (code or not failure) else int(failure is not None)


def run() -> "NoReturn":
    """Run the command, and end this process with its exit code.

    Python does what it was asked to do at its end, but does not take apart what it has imported.
    """
    code = main()
    import threading

    if threading.active_count() == 1:
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
