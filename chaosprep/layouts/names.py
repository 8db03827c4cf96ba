"""Ids from the names of folders: of letters, digits, points and hyphens."""

import re
from collections import Counter
from collections.abc import Iterable
from unicodedata import combining, normalize

from chaosprep.systems.names import begins_reserved

_LONGEST = 64  # of an id's 200 characters, for the patient and for the sequence


def make_ids(names: Iterable[str], prefix: str, digits: int) -> dict[str, str | None]:
    """Make an id of every name: `7` becomes `P007`, `Müller 3` becomes `Muller-3`.

    Accents go, every other sign but a letter, digit or point becomes a hyphen. A name that does not
    begin with a letter gets the prefix; so does one that Windows takes for a device, as `aux.1`. A
    number alone is padded to `digits`, any other stays as it is written: an id is the same whatever
    other names there are.

    Returns:
        name -> id; None where nothing is left of the name, or it is too long. Two names may get
        the same id: see `collisions`.
    """
    return {name: _id(_clean(name), prefix, digits) for name in names}


def collisions(ids: dict[str, str | None]) -> set[str]:
    """The names whose id, whatever its case, is another name's too."""
    counts = Counter(id.casefold() for id in ids.values() if id)
    return {name for name, id in ids.items() if id and counts[id.casefold()] > 1}


def _id(text: str, prefix: str, digits: int) -> str | None:
    if text.isdigit():
        text = text.zfill(digits)
    is_plain = text[:1].isalpha() and not ("." in text and begins_reserved(text))
    id = text if is_plain else prefix + text
    return id if text and len(id) <= _LONGEST else None


def _clean(name: str) -> str:
    plain = "".join(sign for sign in normalize("NFKD", name) if not combining(sign))
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.")
