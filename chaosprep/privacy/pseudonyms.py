"""Patient ids and paths as keyed hashes: the same key gives the same ones, no key gives none back.

HMAC-SHA256 (RFC 2104), each use under a label of its own, so that no hash tells of another use.
"""

import hmac
import logging
from collections.abc import Iterable
from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.files import read_regular
from chaosprep.systems.modes import MAKE_KEY, others_read

LEAST = 16  # bytes: a shorter key can be found by trying all
MOST = 2**20  # bytes: what is larger is another file
_DIGITS = 20  # of what stands for a path
_VOLUMES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd")
_ENDINGS = (*_VOLUMES, ".npy", ".png", ".dcm", ".dicom", ".ima")
_log = logging.getLogger(__name__)


class Key:
    """A secret, and what is derived from it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "<Key>"

    def patient(self, text: str) -> str:
        """The id of a patient: `P` and 10 hexadecimal digits."""
        return f"P{self._hash('patient', text)[:10]}"

    def patients(self, texts: Iterable[str]) -> dict[str, str]:
        """Text -> id, for all patients. Raises `ChaosprepError`: `pseudonym-twice`."""
        found = {text: self.patient(text) for text in texts}
        if len(set(found.values())) < len(found):
            reason, remedy = "two patients have one pseudonym", "Use another key."
            raise ChaosprepError(reason, remedy, code="pseudonym-twice")
        return found

    def path(self, text: str) -> str:
        """What stands for a path: 20 hexadecimal digits, and the ending where it is a usual one."""
        ending = next((e for e in _ENDINGS if text.casefold().endswith(e)), "")
        return self._hash("path", text)[:_DIGITS] + ending

    def tag(self, text: str) -> str:
        """8 hexadecimal digits that tell a series of a patient from their others."""
        return self._hash("series", text)[:8]

    def uid(self, text: str) -> str:
        """The UID that stands for another: below 2.25, a UUID of version 8 (PS3.5 B.2)."""
        number = int(self._hash("uid", text)[:32], 16)
        number = number & ~(0xF << 76) | 8 << 76
        return f"2.25.{number & ~(3 << 62) | 2 << 62}"

    def number(self, use: str, text: str) -> int:
        """A number of 128 bits, another one for each use of a text."""
        return int(self._hash(use, text)[:32], 16)

    def fingerprint(self) -> str:
        """8 hexadecimal digits that tell this key from another, for the manifest."""
        return self._hash("key", "")[:8]

    def _hash(self, use: str, text: str) -> str:
        message = f"chaosprep.{use}\0{text}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, message, "sha256").hex()


def is_hash(text: str) -> bool:
    """Whether a text looks as what `Key.path` gives."""
    digits, *ending = text.split(".", 1)
    return len(digits) == _DIGITS and set(digits) <= set("0123456789abcdef") and len(ending) < 2


def read_key(path: str | Path, option: str = "--pseudonymize: ", remedy: str = MAKE_KEY) -> Key:
    """Read a key file: any bytes, from `LEAST` to `MOST` of them, taken as they are.

    ``option`` is where the path was given, ``remedy`` what to do if it will not do, for messages.

    Raises:
        UsageError: it cannot be read, is too short or too long.
    """
    try:
        secret = read_regular(Path(path), follow=True, most=MOST)
    except FileError as error:
        raise UsageError(f"{option}{path}: {error.reason}", remedy, "key") from error
    if len(secret) < LEAST:
        raise UsageError(
            f"{option}{path}: it holds {len(secret)} bytes, {LEAST} are the least",
            remedy,
            code="key",
        )
    return Key(secret)


def warn_if_readable(path: str | Path) -> None:
    """Log a warning where others than its owner may read a key file."""
    if others_read(path):
        _log.warning("The key file can be read by others: chmod 600 it.")
