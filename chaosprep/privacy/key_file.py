"""The key that is made where nobody gives one: a file beside the output, made once."""

import errno
import logging
import os
import secrets
from pathlib import Path

from chaosprep.errors import OutputError
from chaosprep.files import settle, temporary_in, writing
from chaosprep.privacy.pseudonyms import Key, read_key, warn_if_readable
from chaosprep.systems.links import hard_link_new
from chaosprep.systems.opening import TO_MAKE
from chaosprep.systems.replacing import unlink
from chaosprep.workbench import Workbench

NAME = "chaosprep.key"
_BYTES = 32
_BACK = (
    "Bring back the key of the earlier runs there, or move away what is there: then a new key is "
    "made, which gives other ids."
)
_log = logging.getLogger(__name__)


def kept_key(bench: Workbench) -> Path | None:
    """The key file of a workbench; made where there is none and the bench may be written to.

    It holds 32 random bytes, and nobody but its owner may read it. Of several runs that begin at
    once one makes it, and the others take that.

    Raises:
        OutputError: `key`, it cannot be written.
    """
    place = bench.folder or bench.reads
    if place is None:
        return None
    path = place / NAME
    if os.path.lexists(path):
        return path
    if bench.folder is None:
        _log.warning(
            "There is no %s yet: the ids of patients are not final, the first run makes the key.",
            path,
        )
        return None
    _make(path)
    return path


def read_kept(path: Path) -> Key:
    """Read the key file of a workbench.

    Raises:
        UsageError: `key`, it cannot be read, or is too short.
    """
    key = read_key(path, option="", remedy=_BACK)
    warn_if_readable(path)
    return key


def _make(path: Path) -> None:
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_in(path.parent)
            try:
                _write(temporary)
                settle(temporary, path, _link)
            finally:
                unlink(temporary, missing_ok=True)
    except OutputError as error:
        if error.number == errno.EEXIST and path.is_file():  # another run was faster
            return
        raise OutputError(
            f"{path}: the key for the ids of patients cannot be written ({error.why})",
            "Make the folder writable, choose another output, or give a key: --pseudonymize "
            "KEYFILE.",
            code="key",
        ) from error
    _log.warning(
        "%s was made: the ids of patients come from it, and the same key gives the same ids. Keep "
        "it, and do not give it to anyone who gets the data.",
        path,
    )


def _write(path: Path) -> None:
    handle = os.open(path, TO_MAKE, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_BYTES))


def _link(temporary: Path, path: Path) -> None:
    """Give a file its name, unless something has it; some file systems have no links."""
    if not hard_link_new(temporary, path):
        _write(path)
