"""Who may read a file: POSIX has bits for it, Windows has lists that Python does not show."""

import os
import stat
from pathlib import Path

_HAS_MODES = os.name == "posix"
_OTHERS = stat.S_IRGRP | stat.S_IROTH
MAKE_KEY = (
    "Make one with: "
    "python -c \"import secrets; open('KEYFILE', 'xb').write(secrets.token_bytes(32))\"."
    if not _HAS_MODES
    else "Make one with: head -c 32 /dev/urandom > KEYFILE; chmod 600 KEYFILE."
)
"""How a person makes a key file."""


def for_owner_alone(handle: int) -> None:
    """Let nobody but its owner read or write an open file, where that is a matter of bits.

    Raises:
        OSError: what the system says.
    """
    if _HAS_MODES:
        os.fchmod(handle, 0o600)


def others_read(path: Path | str) -> bool:
    """Whether a file can be read by others than its owner; False where its bits do not say so."""
    return _HAS_MODES and bool(Path(path).stat().st_mode & _OTHERS)
