"""Who has a working copy: several to read it, or one to write it, until the process ends."""

import os
from collections.abc import Callable
from pathlib import Path

from chaosprep.errors import ChaosprepError

try:
    import fcntl
except ImportError:  # Windows has no flock: the user keeps runs apart
    fcntl = None  # type: ignore[assignment]


class Hold:
    """An advisory lock on a file that is made where it is not there."""

    def __init__(self, path: Path, shown: str) -> None:
        self._shown = shown
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self, tell: Callable[[str], None]) -> None:
        """Have it together with other readers; wait for who writes."""
        self._lock("LOCK_SH", tell)

    def take(self, tell: Callable[[str], None] | None = None) -> None:
        """Have it alone; wait for others, where there is somebody to be told.

        Raises:
            ChaosprepError: `locked`, others have it.
        """
        self._lock("LOCK_EX", tell)

    def leave(self) -> None:
        """Let others have it, for good."""
        os.close(self._handle)

    def _lock(self, how: str, tell: Callable[[str], None] | None) -> None:
        if fcntl is None:
            return
        wanted = getattr(fcntl, how)
        try:
            fcntl.flock(self._handle, wanted | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if tell is None:
                raise ChaosprepError(
                    f"{self._shown}: another process here works with it",
                    "Wait for it to finish, or give another output.",
                    code="locked",
                ) from error
            tell(f"{self._shown}: waits for another process here that works with it")
            fcntl.flock(self._handle, wanted)
