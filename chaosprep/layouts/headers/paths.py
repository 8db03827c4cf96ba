"""Whose a file is by its path, where more than its header is needed to tell."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations_with_replacement
from pathlib import PurePosixPath
from typing import TypeVar
from unicodedata import normalize

from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.patterns import stem

_PART = re.compile(r"[^\W_]+")
_MOST = 24  # parts of a name that are put together
_NUMBER = 3  # digits of the least number that counts as a part of a name

T = TypeVar("T")


class Paths:
    """What the paths of masks tell: the patient, and which of a patient's volumes is meant.

    A patient is named by the folder that holds nobody else's files, and by PatientID; a volume by
    the folders of its files, its SeriesInstanceUID and StudyInstanceUID, its SeriesNumber and its
    name. What names several says nothing.
    """

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self._volumes = volumes
        self._words: dict[Volume, set[str]] = {}

    @cached_property
    def _persons(self) -> Mapping[str, str]:
        """Word -> the one person that it names."""
        owners: dict[PurePosixPath, set[str]] = defaultdict(set)
        for volume in self._volumes:
            for folder in _folders(volume):
                for place in (folder, *folder.parents):
                    owners[place].add(volume.person)
        named: dict[str, set[str]] = defaultdict(set)
        for place, persons in owners.items():
            if place.name and len(persons) == 1 and len(owners[place.parent]) > 1:
                named[_folded(place.name)] |= persons
        for volume in self._volumes:
            said = volume.heads[0].evidence
            for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID"):
                named[_folded(said.get(keyword, ""))].add(volume.person)
        named.pop("", None)
        return {word: min(persons) for word, persons in named.items() if len(persons) == 1}

    def persons(self, path: str) -> set[str]:
        """Who is named by a folder or the whole name of a file."""
        return {self._persons[word] for word in _whole(path) if word in self._persons}

    def person(self, path: str, among: Mapping[str, object]) -> str | None:
        """The one of some people that a file's path names; None where that is open."""
        if len(among) == 1:
            return next(iter(among))
        for words in (_whole(path), _parts(path)):
            found: dict[str, set[str]] = defaultdict(set)
            for word in words & self._persons.keys():
                found[self._persons[word]].add(word)
            if (one := _most({who: found[who] for who in found if who in among})) is not None:
                return one
        return None

    def volume(self, path: str, among: Sequence[Volume]) -> Volume | None:
        """The one of a person's volumes that a file's path names; None where that is open."""
        if len(among) == 1:
            return among[0]
        words = self._words
        words |= {volume: _words(volume) for volume in among if volume not in words}
        for said in (self._of_volumes(_whole(path)), self._of_volumes(_parts(path))):
            if (one := _most({volume: words[volume] & said for volume in among})) is not None:
                return one
        return None

    def _of_volumes(self, words: set[str]) -> set[str]:
        """The same words without numbers that are a patient's: they are not a series' too."""
        return {word for word in words if not (word.isdecimal() and word in self._persons)}


def _most(found: Mapping[T, set[str]]) -> T | None:
    """What all that was found of the others was found of too, and more."""
    ordered = sorted(found, key=lambda one: -len(found[one]))
    if not ordered or not found[ordered[0]]:
        return None
    return ordered[0] if all(found[one] < found[ordered[0]] for one in ordered[1:]) else None


def _words(volume: Volume) -> set[str]:
    said = volume.heads[0].evidence
    words = {part for folder in _folders(volume) for part in folder.parts}
    words |= {said.get(keyword, "") for keyword in ("StudyInstanceUID", "SeriesInstanceUID")}
    words |= {said.get("SeriesNumber", ""), volume.name}
    return {_folded(word) for word in words} - {""}


def _folders(volume: Volume) -> set[PurePosixPath]:
    return {PurePosixPath(place) for place in {path.rpartition("/")[0] for path in volume.paths}}


def _whole(path: str) -> set[str]:
    """The folders of a path, and the file's name without its ending."""
    place = PurePosixPath(path)
    return {_folded(word) for word in (*place.parent.parts, stem(place.name))}


def _parts(path: str) -> set[str]:
    """The same, and what stands in them between signs; numbers of one or two digits are none."""
    return _whole(path) | {
        word
        for name in _whole(path)
        for word in _cuts(name)
        if not word.isdecimal() or len(word) >= _NUMBER
    }


def _cuts(name: str) -> Iterable[str]:
    found = [*_PART.finditer(name)][:_MOST]
    return (
        name[first.start() : last.end()] for first, last in combinations_with_replacement(found, 2)
    )


def _folded(text: str) -> str:
    return normalize("NFC", text).casefold().strip()
