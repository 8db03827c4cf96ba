"""Table E.1-1 of PS3.15: what the Basic Application Level Confidentiality Profile does to a tag.

`e1_1.tsv` has its rows, of the edition 2024b: the action of the basic profile, and those of the
options that are in force here, Retain Longitudinal Temporal Information with Modified Dates,
Clean Descriptors and Retain Safe Private. `odd` stands for all private elements.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

EDITION = "2024b"
OPTIONS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113111", "Retain Safe Private Option"),
)
"""The profile and the options in force, as codes of DCM (PS3.16 CID 7050)."""

_TABLE = Path(__file__).with_name("e1_1.tsv")
_REPEATING = "xx"  # in a tag: curves and overlays, of which nothing stays


class Rule(NamedTuple):
    """What happens to one attribute.

    ``action`` is that of the basic profile (``X``, ``Z``, ``D``, ``U`` or a choice of them);
    ``is_dated`` whether its dates are shifted instead, ``is_cleaned`` whether its text is cleaned.
    """

    keyword: str
    action: str
    is_dated: bool
    is_cleaned: bool

    @property
    def settled(self) -> str:
        """One letter: of a choice that which leaves a file valid whatever kind of object it is.

        A dummy where the choice has one, as the attribute may be of type 1, and otherwise an empty
        value, as it may be of type 2. References are kept, by their new UIDs.
        """
        return next(letter for letter in "UDZX" if letter in self.action)


@cache
def rules() -> dict[int, Rule]:
    """Tag (the group in its high 16 bits) -> rule, of all attributes that the table names alone."""
    found: dict[int, Rule] = {}
    for line in _TABLE.read_text("utf-8").splitlines()[1:]:
        tag, keyword, action, dated, cleaned, _ = line.split("\t")
        if _REPEATING not in tag and tag != "odd":
            found[int(tag, 16)] = Rule(keyword, action, dated == "C", cleaned == "C")
    return found
