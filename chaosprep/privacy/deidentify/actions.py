"""What the profile does to each element of a data set, and to all that is nested in it.

The table has the word where it names an attribute. Where it does not, the VR decides, so that what
the table's edition leaves out, or does not know yet, tells nobody more than what it names.
"""

from chaosprep.privacy.deidentify import private
from chaosprep.privacy.deidentify.codes import coded
from chaosprep.privacy.deidentify.elements import Element, Elements, dictionary_vr, items_of
from chaosprep.privacy.deidentify.labels import told_apart
from chaosprep.privacy.deidentify.profile import Rule, rules
from chaosprep.privacy.deidentify.texts import Alphabet, alphabet, is_known
from chaosprep.privacy.deidentify.values import DATED, READABLE, TEXTS, Values
from chaosprep.privacy.deidentify.vocabulary import dummy, is_dropped
from chaosprep.privacy.deidentify.who import Who
from chaosprep.privacy.pseudonyms import Key

_CHARACTER_SET = 0x00080005
_PATIENT = (0x00100010, 0x00100020)  # PatientName, PatientID
_PIXELS = 0x7FE0  # the group of pixels, and of what tells where their frames are

# PS3.5 7.8.1: the numbers of private creators, and what those of their blocks begin by.
_CREATORS = range(0x10, 0x100)
_NEVER_RAW = ("AE", "DA", "DT", "PN", "UI", "UR")


class Cleaner:
    """De-identifies data sets of one patient by one key.

    ``who`` is what of them tells who: no text that stays may hold it.
    """

    def __init__(self, patient: str, key: Key, who: Who, *, is_little: bool) -> None:
        self._patient = patient
        self._key = key
        self._values = Values(patient, key, who)
        self._is_little = is_little

    def data_set(
        self, elements: Elements, above: Alphabet | None = None, *, blank: bool = False
    ) -> Elements:
        """The data set without what identifies; ``above`` are the character sets around it.

        With ``blank`` no text stays, coded or not: it is all about a person.
        """
        named = elements.get(_CHARACTER_SET)
        letters = alphabet(bytes(named.value)) if named else above or alphabet(b"")
        codes = {} if blank else coded(elements, letters, self._key, self._values.cleaned)
        found: Elements = {}
        for tag, element in elements.items():
            if tag in codes:
                changed: Element | None = codes[tag]
            elif tag >> 16 & 1:
                changed = None if blank else self._private(element, elements, letters)
            elif above is not None and tag >> 16 == _PIXELS:
                changed = None
            else:
                changed = self._public(element, letters, blank)
            if changed is not None:
                found[tag] = changed
        return _without_empty_blocks(found)

    def _public(self, element: Element, letters: Alphabet, blank: bool) -> Element | None:
        tag = element.tag
        vr, rule = dictionary_vr(tag), rules().get(tag)
        is_unknown = vr == "UN" and rule is None
        is_odd = vr != "SQ" and element.items is not None
        if is_dropped(tag) or is_unknown or is_odd:
            return None
        if tag == _CHARACTER_SET:
            return element if is_known(bytes(element.value)) else None
        if tag in _PATIENT:
            return Element(tag, vr, letters.encoded((self._patient,), vr))
        if vr == "SQ":
            return self._sequence(element, rule, letters, blank)
        if rule and (element.value or rule.settled == "X"):
            return self._listed(element, vr, rule, letters, blank)
        return self._unlisted(element, vr, letters, blank) if element.value else Element(tag, vr)

    def _sequence(
        self, element: Element, rule: Rule | None, letters: Alphabet, blank: bool
    ) -> Element | None:
        settled = "U" if rule is None or rule.is_cleaned else rule.settled
        if settled == "X":
            return None
        kept = element.items if settled in "UD" and element.items else ()
        blank = blank or settled == "D"
        items = [self.data_set(item, letters, blank=blank) for item in kept]
        items = told_apart(element.tag, kept, items, letters, self._key)
        return Element(element.tag, "SQ", items=items)

    def _listed(
        self, element: Element, vr: str, rule: Rule, letters: Alphabet, blank: bool
    ) -> Element | None:
        if rule.is_dated and vr in DATED and (kept := self._values.shifted(element, vr)):
            return kept
        if rule.is_cleaned and vr in TEXTS and not blank:
            texts = letters.values(bytes(element.value), vr)
            values = [self._values.cleaned(text) for text in texts]
            if any(values):
                return Element(element.tag, vr, letters.encoded(values, vr))
        if vr == "UI" and rule.settled in "UD":
            return self._values.uid(element, vr, letters)
        made = {"X": None, "Z": Element(element.tag, vr)}
        return made.get(rule.settled, Element(element.tag, vr, dummy(vr)))

    def _unlisted(
        self, element: Element, vr: str, letters: Alphabet, blank: bool
    ) -> Element | None:
        if blank and vr in READABLE and vr not in (*DATED, "UI"):
            return Element(element.tag, vr, dummy(vr))
        return self._values.kept(element, vr, letters)

    def _private(self, element: Element, elements: Elements, letters: Alphabet) -> Element | None:
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if number in _CREATORS:
            return element if element.items is None else None
        owner = elements.get(group << 16 | number >> 8)
        if number >> 8 not in _CREATORS or owner is None:
            return None
        creator = bytes(owner.value).decode("latin-1").strip(" \0")
        return self._of_block(element, creator, letters)

    def _of_block(self, element: Element, creator: str, letters: Alphabet) -> Element | None:
        group, low, vr = element.tag >> 16, element.tag & 0xFF, element.vr
        if not private.is_safe(creator, group, low):
            return None
        if private.is_sequence(creator, group, low):
            there = items_of(element)
            items = [self.data_set(item, letters) for item in there or ()]
            return None if there is None else Element(element.tag, "SQ", items=items)
        if element.items is not None:
            return None
        if vr in _NEVER_RAW:
            return self._values.kept(element, vr, letters) if element.value else element
        big = not self._is_little
        value = private.cleaned(creator, group, low, bytes(element.value), big_endian=big)
        return None if value is None else element._replace(value=value)


def _without_empty_blocks(elements: Elements) -> Elements:
    """The elements without private creators that nothing has any more."""
    used = {tag >> 16 << 16 | (tag & 0xFFFF) >> 8 for tag in elements if tag >> 16 & 1}
    return {
        tag: element
        for tag, element in elements.items()
        if not tag >> 16 & 1 or tag & 0xFFFF not in _CREATORS or tag in used
    }
