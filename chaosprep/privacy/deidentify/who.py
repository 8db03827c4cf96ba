"""The words of a file that tell who: of names of persons and of numbers of the patient."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from chaosprep.errors import FileError
from chaosprep.privacy.common_words import PLACEHOLDERS
from chaosprep.privacy.deidentify.elements import Element, Elements, dictionary_vr
from chaosprep.privacy.deidentify.texts import Alphabet, alphabet

_CHARACTER_SET = 0x00080005
_MOST_NAMES = 2**8
_NUMBERS = (0x00080050, 0x00100020, 0x00101000)  # AccessionNumber, PatientID, OtherPatientIDs


class Who(NamedTuple):
    """Names of persons as they stand in a file, and the words of them and of numbers."""

    names: tuple[str, ...]
    words: frozenset[str]


def who_is_in(elements: Elements) -> Who:
    """What tells who, wherever it stands in a data set.

    Raises `FileError` ``too-large`` for a file of more names than any has.
    """
    found = dict.fromkeys(_texts(elements, alphabet(b"")))
    if sum(is_name for is_name, _ in found) > _MOST_NAMES:
        raise FileError("its header has too many names", "Check the file.", "too-large")
    words = frozenset(word for _, text in found for word in words_of(text)) - PLACEHOLDERS
    return Who(tuple(text for is_name, text in found if is_name and text), words)


def _texts(elements: Elements, above: Alphabet) -> Iterator[tuple[bool, str]]:
    """Whether it is a name, and the text."""
    named = elements.get(_CHARACTER_SET)
    letters = alphabet(bytes(named.value)) if named else above
    for tag, element in elements.items():
        if element.items is not None:
            for item in element.items:
                yield from _texts(item, letters)
        elif (is_name := _is_name(tag, element)) or tag in _NUMBERS:
            yield from ((is_name, text) for text in letters.values(bytes(element.value), "PN"))


def _is_name(tag: int, element: Element) -> bool:
    return element.vr == "PN" or (not tag >> 16 & 1 and dictionary_vr(tag) == "PN")


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: of four letters or digits and more, without case.

    Of a script that writes words with fewer signs, one of two signs counts.
    """
    found = re.findall(r"[^\W_]+", text.casefold())
    return [word for word in found if len(word) >= (4 if word.isascii() else 2)]
