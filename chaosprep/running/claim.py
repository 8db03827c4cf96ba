"""The right to write into an output directory, for workers that their run cannot end itself.

A worker on another machine may live on when its run was interrupted or killed. So it looks, before
a file gets its name, for the file that stands for its run; the next run removes it.
"""

import os
import re
import uuid
from pathlib import Path

import msgspec

from chaosprep.errors import FileError
from chaosprep.files import open_own
from chaosprep.systems.replacing import unlink

_PREFIX = "run-"
CLAIM = re.compile(rf"{_PREFIX}[0-9a-f]{{32}}")
"""What a claim is called."""


class SupersededError(Exception):
    """The run that this work belongs to has ended; nothing more is written for it."""


class Claim(msgspec.Struct, frozen=True):
    """A file in the workspace that stands there as long as its run may write."""

    path: Path

    def check(self) -> None:
        """Refuse to go on for a run that has ended (opening asks the server; `stat` may not).

        Raises:
            SupersededError: the claim was given up or taken away.
        """
        try:
            os.close(open_own(self.path, os.O_RDONLY))
        except (OSError, FileError):
            raise SupersededError(f"run {self.path.name.removeprefix(_PREFIX)} has ended") from None

    def give_up(self) -> None:
        """End the run's right to write."""
        unlink(self.path, missing_ok=True)


def end_claims(workspace: Path) -> None:
    """No earlier run may write any more. The caller holds the lock."""
    for path in list(workspace.iterdir()):
        if CLAIM.fullmatch(path.name):
            unlink(path, missing_ok=True)


def make_claim(workspace: Path) -> Claim:
    """Give a run the right to write."""
    run = uuid.uuid4().hex
    claim = Claim((workspace / f"{_PREFIX}{run}").absolute())
    with claim.path.open("xb") as file:
        file.write(run.encode())
    return claim
