"""URLs of folders and files elsewhere: which texts are one, how it is told, where its copy lies."""

import hashlib
import os
import re
from pathlib import Path

import msgspec

from chaosprep.errors import UsageError

WORKDIR = "CHAOSPREP_WORKDIR"
"""The environment variable that says where working copies are kept."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_KEY = re.compile(r"[^:\[]+:(?![0-9]*\Z).*")  # no host and port; S3's secrets may hold a slash
_LONGEST = 200  # bytes of a name; file systems take 255, and a run puts something before and after


class Location(msgspec.Struct, frozen=True):
    """A folder or file behind a URL.

    ``url`` is what was given, for who opens it; ``shown`` is the same without a slash at its end,
    and without what may be secret: user and password before an `@`, and a query of `https://`.
    """

    url: str
    shown: str

    @property
    def name(self) -> str:
        """Its last part."""
        return self.shown.rpartition("/")[2]

    @property
    def shelf(self) -> Path:
        """The folder of its working copy; copies of what lies in one folder lie in one, too."""
        parent = self.shown.rpartition("/")[0]
        return workdir() / hashlib.sha256(parent.encode()).hexdigest()[:16]


def is_url(text: object) -> bool:
    """Whether something is the URL of a place elsewhere."""
    return isinstance(text, str) and _URL.match(text) is not None


def local_path(url: str) -> Path | None:
    """The path that a `file://` URL means, which needs no copy; None for any other."""
    scheme, _, path = url.partition("://")
    return Path("/", path.removeprefix("localhost")) if scheme.lower() == "file" else None


def locate(url: str) -> Location:
    """The location of a URL.

    Raises:
        UsageError: `remote-url`, it names no folder or file.
    """
    shown = without_secrets(url)
    place = Location(url, shown.rstrip("/"))
    if "://" not in place.shown or place.name in (".", "..") or not place.shown.isprintable():
        reason = f"{shown}: it names no folder and no file"
        raise UsageError(reason, "Write it as SCHEME://BUCKET/FOLDER.", "remote-url")
    if len(os.fsencode(place.name)) > _LONGEST:
        reason = f"{place.shown}: its last part is longer than {_LONGEST} bytes"
        raise UsageError(reason, "Give a shorter one.", "remote-url")
    return place


def without_secrets(url: str) -> str:
    """A URL as it may be told: without user and password, and without a query."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme in ("http", "https"):
        rest = re.split("[?#]", rest, maxsplit=1)[0]
    place, slash, path = rest.partition("/")
    if "@" in path and "@" not in place and _KEY.fullmatch(place):
        place, slash, path = path.rpartition("@")[2].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


def workdir() -> Path:
    """Where working copies are kept, as `CHAOSPREP_WORKDIR` says, else in the user's cache."""
    if given := os.environ.get(WORKDIR):
        return Path(os.path.realpath(given))
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.path.realpath(cache)) / "chaosprep/remote"


def check_apart(output: Location, source: Location) -> None:
    """Refuse an output that is a source, inside it or around it.

    Raises:
        UsageError: `output-place`.
    """
    here, there = f"{output.shown}/", f"{source.shown}/"
    if here.startswith(there) or there.startswith(here):
        raise UsageError(
            f"{output.shown}: the output must not be the input, inside it or around it",
            "Give a directory next to the input.",
            code="output-place",
        )
