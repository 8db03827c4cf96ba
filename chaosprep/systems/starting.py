"""How worker processes start."""

import multiprocessing
import os

from chaosprep.errors import UsageError

VARIABLE = "CHAOSPREP_START"
_WAYS = ("forkserver", "spawn")


def start_method() -> str:
    """How worker processes start: from a server, where the system has one, else from nothing.

    `CHAOSPREP_START` chooses.

    Raises:
        UsageError: `start-method`, it names none of this system's.
    """
    known = [way for way in _WAYS if way in multiprocessing.get_all_start_methods()]
    chosen = os.environ.get(VARIABLE) or known[0]
    if chosen not in known:
        raise UsageError(
            f"{VARIABLE}: worker processes cannot be started by {chosen!r}",
            f"Give one of: {', '.join(known)}; or none, for {known[0]}.",
            code="start-method",
        )
    return chosen
