"""Whose a name in a split of others is: by ids, by what the files and folders are called."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath

from chaosprep.division.sides import KnownSplit
from chaosprep.layouts.names import make_ids
from chaosprep.layouts.patterns import stem
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import normalized
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase

Patients = dict[str, set[str]]
"""A name -> the patients that may be called so."""

_CHANNEL = re.compile(r"_\d{4}\Z")  # behind a case's name in the files of nnU-Net


class Names:
    """What the patients of a root are called.

    With a ``key``, names are also those from which it makes the ids.
    """

    def __init__(self, root: Root, key: Key | None) -> None:
        self._root = root
        self._key = key
        self._patients = {*root.patients}

    def _by_id(self, id: str) -> set[str]:
        """The patient of an id, or of the pseudonym that the key makes of it."""
        made = [id] if self._key is None else [id, self._key.patient(id)]
        return self._patients.intersection(made)

    def of(self, known: KnownSplit, name: str) -> set[str]:
        """The patients that a name of a split stands for: by id alone where all names are ids.

        An id of one patient that is the name of another's volume stands for the one where the names
        are of patients; else as `find` has it.
        """
        if known.are_ids:
            return self._by_id(name)
        if known.of_patients and name in self._patients:
            return {name}
        return self.find(name)

    def find(self, name: str) -> set[str]:
        """The patients that a name may stand for: one, none, or several that may be meant.

        Ids of patients and cases come first, and PatientIDs; then names of volumes, then those of
        folders. An id of one patient that is the name of another's volume stands for both.
        """
        bare = _bare(name)
        return self._find(name) or self._find(bare) or self._find(PurePosixPath(bare).name)

    def _find(self, name: str) -> set[str]:
        ids = self._ids(name)
        places = next((found for path in _ends(name) if (found := self._volumes.get(path))), set())
        if ids:
            return ids | places if len(places) == 1 else ids
        if places:
            return places
        folders = next((found for path in _ends(name) if (found := self._folders.get(path))), set())
        return folders or self._patients.intersection([name.partition("_")[0]])

    def _ids(self, name: str) -> set[str]:
        made = make_ids([name], "P", digits=3)[name]
        texts = [text for text in (name, made) if text]
        found = {one for text in texts for one in self._by_id(text)}
        found |= self._cases.get(name, set())
        return found | self._headers.get(normalized(name), set())

    @cached_property
    def _cases(self) -> Patients:
        return {case.id: {case.patient} for case in self._root.cases}

    @cached_property
    def _headers(self) -> Patients:
        """PatientID -> patients, where the layout has read headers."""
        found: Patients = defaultdict(set)
        for patient, identities in (self._root.people or {}).items():
            for identity in identities:
                text = normalized(identity.get("PatientID", ""))
                if text:
                    found[text].add(patient)
        return found

    @cached_property
    def _volumes(self) -> Patients:
        """What files of whole volumes, and their masks, are called, without ending or channel."""
        found: Patients = defaultdict(set)
        for case in self._root.cases:
            for path in _volume_files(case):
                for name in {_without_ending(path), _bare(path)}:
                    for end in _ends(name):
                        found[end].add(case.patient)
        return found

    @cached_property
    def _folders(self) -> Patients:
        found: Patients = defaultdict(set)
        for case in self._root.cases:
            for folder in {PurePosixPath(path).parent for path in case.images}:
                for inner in (folder, *folder.parents):
                    for end in _ends(inner.as_posix()):
                        found[end].add(case.patient)
        return found


def _without_ending(path: str) -> str:
    place = PurePosixPath(path.replace("\\", "/"))
    return (place.parent / stem(place.name)).as_posix()


def _bare(path: str) -> str:
    """A path as a case may be called, without the file's ending or the number of its channel."""
    return _CHANNEL.sub("", _without_ending(path))


def _volume_files(case: SourceCase) -> Iterator[str]:
    if len(case.images) == 1:
        yield case.images[0]
        if case.masks is not None and len(case.masks) == 1:
            yield case.masks[0]


def _ends(path: str) -> Iterator[str]:
    """A path, and what is left of it from each of its folders on, the longest first."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    for at in range(len(parts)):
        yield "/".join(parts[at:])
