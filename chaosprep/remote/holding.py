"""Who has a working copy: several to read it, or one to write it, until the process ends."""

import os
from collections.abc import Callable
from pathlib import Path

from chaosprep.errors import ChaosprepError
from chaosprep.systems.locking import FileLock
from chaosprep.systems.opening import open_itself


class Hold:
    """An advisory lock on a file that is made where it is not there."""

    def __init__(self, path: Path, shown: str) -> None:
        self._shown = shown
        self._lock = FileLock(open_itself(path, os.O_RDWR | os.O_CREAT, 0o600))

    def share(self, tell: Callable[[str], None]) -> None:
        """Have it together with other readers; wait for who writes."""
        self._have(False, tell)

    def take(self, tell: Callable[[str], None] | None = None) -> None:
        """Have it alone; wait for others, where there is somebody to be told.

        Raises:
            ChaosprepError: `locked`, others have it.
        """
        self._have(True, tell)

    def leave(self) -> None:
        """Let others have it, for good."""
        self._lock.close()

    def _have(self, alone: bool, tell: Callable[[str], None] | None) -> None:
        try:
            self._lock.take(alone=alone)
        except BlockingIOError as error:
            if tell is None:
                raise ChaosprepError(
                    f"{self._shown}: another process here works with it",
                    "Wait for it to finish, or give another output.",
                    code="locked",
                ) from error
            tell(f"{self._shown}: waits for another process here that works with it")
            self._lock.take(alone=alone, wait=True)
