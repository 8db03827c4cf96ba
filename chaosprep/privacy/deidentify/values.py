"""What becomes of a value by its VR, where the table does not name the attribute."""

import re
from collections.abc import Callable

from chaosprep.errors import FileError
from chaosprep.privacy.common_words import PLACEHOLDERS
from chaosprep.privacy.deidentify import descriptors
from chaosprep.privacy.deidentify.binary import numbers_alone
from chaosprep.privacy.deidentify.dates import is_time, shift_of, shifted_date, shifted_datetime
from chaosprep.privacy.deidentify.elements import Element
from chaosprep.privacy.deidentify.texts import Alphabet, alphabet, split
from chaosprep.privacy.deidentify.uids import keyed
from chaosprep.privacy.deidentify.vocabulary import KEYED, NEVER_EMPTY, REMOVED, VERBATIM
from chaosprep.privacy.deidentify.who import Who
from chaosprep.privacy.pseudonyms import Key

TEXTS = ("LO", "LT", "SH", "ST", "UC", "UT")
DATED = ("DA", "DT", "TM")
_ADDRESSES = ("AE", "PN", "UR")
_FORMS = {
    "AS": re.compile(r"(\d{3}[DWMY])?"),
    "CS": re.compile(r"[A-Za-z0-9 _.+/\-]{0,16}"),
    "DS": re.compile(r"([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)?"),
    "IS": re.compile(r"([+-]?\d{1,10})?"),
}
READABLE = frozenset((*TEXTS, *DATED, *_ADDRESSES, *_FORMS, "UI"))
"""The VRs of text."""

_PIXELS = 0x7FE0  # the group of pixels, and of what tells where their frames are
_PICTURES = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # pixels, as floats too
_SHORT_NUMBER = re.compile(r"\d{0,4}")
_LONG = 6  # digits: as many as make a date or the number of a patient
_DECIMAL = rb"(?>[ \0]*(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[ \0]*)?)"
_DECIMALS = re.compile(_DECIMAL + rb"(?:\\" + _DECIMAL + rb")*+")
_PARTS = re.compile(r"[^\W_]+")
_SHORT = (2, 3)  # letters of a word that may be a term as well: Lee, Per
_BODY_PART = 0x00180015  # people write into it what they like
_MOST_LETTERS = 2**18  # of all texts of a file that are looked at, each but once
_LONG_NUMBER = re.compile(rf"\d{{{_LONG}}}")

Change = Callable[[Element, str, Alphabet], Element | None]


class Values:
    """What becomes of the values of one patient's files by one key.

    ``who`` is what of a file tells who: no text that stays may hold it.
    """

    def __init__(self, patient: str, key: Key, who: Who) -> None:
        self._key = key
        self._who = who
        self._numbers_of = [w.encode() for w in who.words if w.isdigit() and len(w) >= _LONG]
        names = (part for name in who.names for part in _PARTS.findall(name.casefold()))
        self._short = {part for part in names if len(part) in _SHORT} - PLACEHOLDERS
        self._known: dict[str, str] = {}
        self._terms_known: dict[tuple[str, bool], str] = {}
        self._left = _MOST_LETTERS
        days = shift_of(patient, key)
        self._shift: dict[str, Callable[[str], str | None]] = {
            "DA": lambda text: shifted_date(text, days),
            "DT": lambda text: shifted_datetime(text, days),
            "TM": lambda text: text if is_time(text) else None,
        }
        self._by_vr: dict[str, Change] = {
            "UI": self.uid,
            "CS": self._terms,
            **dict.fromkeys(("AS", "DS", "IS"), self._numbers),
            **dict.fromkeys(DATED, self._moved),
            **dict.fromkeys(TEXTS, self._texts),
            **dict.fromkeys(_ADDRESSES, _emptied),
        }

    def kept(self, element: Element, vr: str, letters: Alphabet) -> Element | None:
        """What stays of an element that the table does not name; ``vr`` is the dictionary's."""
        if change := self._by_vr.get(vr):
            return change(element, vr, letters)
        is_opaque = vr == "OB" and element.tag >> 16 != _PIXELS
        if is_opaque or element.vr in READABLE:
            return None
        return element if element.tag in _PICTURES else numbers_alone(element, vr)

    def cleaned(self, text: str) -> str:
        """What may stay of free text.

        Raises `FileError` ``too-large`` for a file of more text than any has.
        """
        if text not in self._known:
            self._look_at(text)
            self._known[text] = descriptors.cleaned(text, self._who.names)
        return self._known[text]

    def _look_at(self, text: str) -> None:
        self._left -= 1 + min(len(text), descriptors.LONGEST)
        if self._left < 0:
            raise FileError("its header has too much text", "Check the file.", "too-large")

    def shifted(self, element: Element, vr: str) -> Element | None:
        """The dates or times moved; None where one of them has another form than the VR's."""
        values = [text and self._shift[vr](text) for text in _parts(element)]
        if None in values:
            return None
        return _written(element.tag, vr, [value or "" for value in values])

    def uid(self, element: Element, vr: str, letters: Alphabet) -> Element:
        """The UIDs that stand for those here."""
        return _written(
            element.tag, "UI", [text and keyed(text, self._key) for text in _parts(element)]
        )

    def _moved(self, element: Element, vr: str, letters: Alphabet) -> Element:
        return self.shifted(element, vr) or Element(element.tag, vr)

    def _texts(self, element: Element, vr: str, letters: Alphabet) -> Element:
        tag = element.tag
        values = [self._text(tag, text) for text in letters.values(bytes(element.value), vr)]
        if not any(values) and tag in NEVER_EMPTY:
            values = [REMOVED]
        return Element(tag, vr, letters.encoded(values, vr))

    def _text(self, tag: int, text: str) -> str:
        if tag in VERBATIM:
            return self._without_words(text)
        if tag in KEYED:
            return text if _SHORT_NUMBER.fullmatch(text) else self._key.tag(text)
        return self.cleaned(text)

    def _numbers(self, element: Element, vr: str, letters: Alphabet) -> Element:
        value = bytes(element.value)
        is_plain = vr == "DS" and _DECIMALS.fullmatch(value)  # contours have many
        if is_plain and not any(number in value for number in self._numbers_of):
            return element
        values = _parts(element)
        kept = [text if self._is_number(text, vr) else "" for text in values]
        return element if kept == values else _written(element.tag, vr, kept)

    def _is_number(self, text: str, vr: str) -> bool:
        is_whose = len(text) >= _LONG and text in self._who.words
        return _FORMS[vr].fullmatch(text) is not None and not is_whose

    def _terms(self, element: Element, vr: str, letters: Alphabet) -> Element:
        values, is_free = _parts(element), element.tag == _BODY_PART
        kept = [self._term(text, is_free=is_free) for text in values]
        return element if kept == values else _written(element.tag, vr, kept)

    def _term(self, text: str, *, is_free: bool) -> str:
        if not _FORMS["CS"].fullmatch(text):
            return self.cleaned(text)[:16]
        return self._without_words(text, is_free=is_free)

    def _without_words(self, text: str, *, is_free: bool = True) -> str:
        """A text without the words that tell who, and without long numbers.

        In one that is not free, short words are terms: SE, PER, NO.
        """
        if (text, is_free) not in self._terms_known:
            self._look_at(text)
            kept = (word for word in text.split(" ") if not self._tells(word, is_free=is_free))
            self._terms_known[text, is_free] = " ".join(kept)
        return self._terms_known[text, is_free]

    def _tells(self, word: str, *, is_free: bool) -> bool:
        if _LONG_NUMBER.search(word):
            return True
        short = self._short if is_free else ()
        return any(
            (part in self._who.words and not self.cleaned(part))
            or (part in short and not descriptors.cleaned(part))
            for part in _PARTS.findall(word.casefold())
        )


def _parts(element: Element) -> list[str]:
    """The values of a VR that has no letters but those of ASCII."""
    return split(bytes(element.value).decode("latin-1"))


def _written(tag: int, vr: str, values: list[str]) -> Element:
    return Element(tag, vr, alphabet(b"").encoded(values, vr))


def _emptied(element: Element, vr: str, letters: Alphabet) -> Element:
    return Element(element.tag, vr)
