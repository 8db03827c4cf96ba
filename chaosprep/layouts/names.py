"""Ids from the names of folders: of letters, digits, points and hyphens, and in sorting order."""

import re
from collections import Counter
from collections.abc import Iterable
from unicodedata import combining, normalize

_LONGEST = 64  # of an id's 200 characters, for the patient and for the sequence


def make_ids(names: Iterable[str], prefix: str, digits: int) -> dict[str, str | None]:
    """Make an id of every name: `7` becomes `P007`, `Müller 3` becomes `Muller-3`.

    Accents go, every other sign but a letter, digit or point becomes a hyphen. A name that does not
    begin with a letter gets the prefix. Final numbers are padded to the longest with the same
    beginning, a number alone to at least `digits`, so that sorting by text is sorting by number.

    Returns:
        name -> id; None where nothing is left of the name, or it is too long. Two names may get
        the same id: see `collisions`.
    """
    cleaned = {name: _clean(name) for name in names}
    parts = {name: _parts(text, prefix) for name, text in cleaned.items() if text}
    width: dict[str, int] = {}
    for name, (start, number) in parts.items():
        least = digits if cleaned[name].isdigit() else 0
        width[start.casefold()] = max(width.get(start.casefold(), 0), len(number), least)
    made = {
        name: start + (number.zfill(width[start.casefold()]) if number else "")
        for name, (start, number) in parts.items()
    }
    return {name: _short(made.get(name)) for name in cleaned}


def collisions(ids: dict[str, str | None]) -> set[str]:
    """The names whose id, whatever its case, is another name's too."""
    counts = Counter(id.casefold() for id in ids.values() if id)
    return {name for name, id in ids.items() if id and counts[id.casefold()] > 1}


def _short(id: str | None) -> str | None:
    return id if id and len(id) <= _LONGEST else None


def _clean(name: str) -> str:
    plain = "".join(sign for sign in normalize("NFKD", name) if not combining(sign))
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.")


def _parts(text: str, prefix: str) -> tuple[str, str]:
    """The beginning and the final number of an id."""
    text = text if text[0].isalpha() else prefix + text
    number = re.search(r"[0-9]*\Z", text)
    digits = number[0] if number else ""
    return text[: len(text) - len(digits)], digits
