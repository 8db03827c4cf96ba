"""Patterns such as `scans/{patient}/{slice}.dcm`: which files fit, and what stands for what."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import category, normalize

from chaosprep.errors import FileError, UsageError
from chaosprep.series.source import is_litter

PLACEHOLDERS = ("patient", "sequence", "slice", "organ")
Bound = dict[str, str]
_FIELD = re.compile(r"\{([^{}]*)\}")
_ENDING = re.compile(r"(?i)(\.nii\.gz|\.seg\.n(?:rrd|hdr)|\.[a-z][a-z0-9]{0,4})\Z")


@dataclass(frozen=True)
class Found:
    """A file that fits a pattern; the placeholders' texts, None where the pattern has none.

    Without `{slice}`, ``slice`` is the stem of a file in the folder that the pattern names, and
    None for a file that the pattern itself names. ``organ`` is the structure that a mask shows.
    """

    path: str
    patient: str | None = None
    sequence: str | None = None
    slice: str | None = None
    organ: str | None = None


@dataclass(frozen=True)
class Listing:
    """The files that fit a pattern, in any order, and what stands in the way of others."""

    files: tuple[Found, ...]
    errors: tuple[tuple[str, FileError], ...]


@dataclass(frozen=True)
class Pattern:
    """A pattern of paths below a dataset root, a text for each segment.

    Without any placeholder it names a folder: the first folders below it are the patients', and
    the rest of a path, without the ending, stands for the slice.
    """

    segments: tuple[str, ...]
    names: frozenset[str]

    @property
    def is_plain(self) -> bool:
        """Whether it has no placeholder at all."""
        return not self.names


def parse(option: str, text: str) -> Pattern:
    """Read a pattern; `option` is its name for messages.

    Raises:
        UsageError: it is not relative, has an unknown placeholder, or two without text between.
    """
    segments = tuple(normalize("NFC", text).removeprefix("./").rstrip("/").split("/"))
    if {"", ".", ".."} & set(segments) or any(category(sign) == "Cc" for sign in text):
        raise _wrong(option, f"{text!r} is not a relative path", "Write it relative to ROOT.")
    names = _FIELD.findall(text)
    unknown = sorted(set(names) - set(PLACEHOLDERS))
    if unknown or re.search(r"[{}]", _FIELD.sub("", text)):
        reason = f"{text!r} has something other than a placeholder in braces"
        remedy = "There are: {patient}, {sequence}, {slice} and, for masks, {organ}."
        raise _wrong(option, reason, remedy)
    if re.search(r"\}\{", text):
        reason = f"{text!r} has two placeholders side by side"
        raise _wrong(option, reason, "Put the text between them that the names have there.")
    return Pattern(segments, frozenset(names))


def list_pattern(pattern: Pattern, root: Path, *, patients: bool = True) -> Listing:
    """List the files below a root that fit a pattern; nothing is opened.

    Text matches in any case; a placeholder is at least one character of one segment. Links to
    folders are followed within the root only. ``patients`` says whether the first folders below a
    plain folder are the patients'.

    Raises:
        OSError: a folder cannot be listed.
    """
    walk = _Walk(pattern, root, patients)
    found = list(walk.tree() if pattern.is_plain else walk.level(root, 0, {}))
    return Listing(tuple(found), tuple(walk.errors))


def stem(name: str) -> str:
    """A file's name without its ending (`.nii.gz`, `.seg.nrrd`); the numbers of a UID are none."""
    return _ENDING.sub("", name) or name


class _Walk:
    """One walk over a tree; what goes wrong is collected on the way."""

    def __init__(self, pattern: Pattern, root: Path, patients: bool) -> None:
        self.errors: list[tuple[str, FileError]] = []
        self._pattern = pattern
        self._root = root
        self._real = root.resolve()
        self._patients = patients

    def level(self, folder: Path, at: int, bound: Bound) -> Iterator[Found]:
        """The files below a folder that fit the pattern from one of its segments on."""
        segment, *rest = self._pattern.segments[at:]
        for entry in self._entries(folder):
            is_folder = entry.is_dir()
            name = normalize("NFC", entry.name)
            if not rest and not is_folder and segment.endswith("}"):
                name = stem(name)
            match = self._match(segment, name, bound, entry)
            if match is None or (is_folder and self._leads_out(entry)):
                continue
            if not rest:
                yield from self._take(entry, is_folder, match)
            elif is_folder:
                yield from self.level(entry, at + 1, match)

    def tree(self) -> Iterator[Found]:
        """Every file below a plain folder."""
        base = self._root.joinpath(*self._pattern.segments)
        if base.is_dir() and not self._leads_out(base):
            yield from self._below(base, ())

    def _below(self, folder: Path, above: tuple[str, ...]) -> Iterator[Found]:
        for entry in self._entries(folder):
            parts = (*above, normalize("NFC", entry.name))
            if not entry.is_dir():
                yield from self._in_tree(entry, parts)
            elif entry.is_symlink():
                self._link(entry)
            else:
                yield from self._below(entry, parts)

    def _in_tree(self, file: Path, parts: tuple[str, ...]) -> Iterator[Found]:
        path = self._path(file)
        name = "/".join((*parts[:-1], stem(parts[-1])))
        if not self._patients:
            yield Found(path, slice=name)
        elif len(parts) > 1:
            yield Found(path, patient=parts[0], slice=name.partition("/")[2])
        else:
            self._fail(
                file,
                "the file is in no patient's folder",
                "Say where the patient is in its path, such as 'scans/{patient}_{slice}.dcm'.",
                "patient-missing",
            )

    def _take(self, entry: Path, is_folder: bool, bound: Bound) -> Iterator[Found]:
        texts = (bound.get("patient"), bound.get("sequence"), bound.get("slice"))
        found = Found(self._path(entry), *texts, organ=bound.get("organ"))
        if "slice" in self._pattern.names or not is_folder:
            yield found
            return
        for inner in self._entries(entry):
            if inner.is_dir():
                self._fail(
                    inner,
                    "a folder is where the files of a series should be",
                    "Name its level in the pattern, such as 'scans/{patient}/{sequence}'.",
                    "folder-inside",
                )
            else:
                name = stem(normalize("NFC", inner.name))
                yield replace(found, path=self._path(inner), slice=name)

    def _match(self, segment: str, name: str, bound: Bound, entry: Path) -> Bound | None:
        """What the placeholders of a segment stand for; more than one reading is an error."""
        expressions = (_expression(segment, bound, sign) for sign in ("", "?"))
        most, least = (re.fullmatch(one, name, re.IGNORECASE) for one in expressions)
        if not most or not least:
            return None
        if most.groupdict() == least.groupdict():
            return {**bound, **most.groupdict()}
        self._fail(
            entry,
            "the pattern fits this name in more than one way",
            "Write more of the name's own text into the pattern, or rename the file.",
            "name-ambiguous",
        )
        return None

    def _entries(self, folder: Path) -> list[Path]:
        """What is in a folder, without system litter and names that no manifest can hold."""
        kept = []
        for entry in sorted(folder.iterdir()):
            if any(category(sign) in ("Cc", "Cs") for sign in entry.name):
                reason = "a file name holds control characters, or is not UTF-8"
                self._fail(entry, reason, "Rename the file.", "name-broken")
            elif not is_litter(entry.name):
                kept.append(entry)
        return kept

    def _leads_out(self, folder: Path) -> bool:
        """Whether a folder is a link out of the root, which is an error, or round in a circle."""
        if not folder.is_symlink():
            return False
        real = Path(os.path.realpath(folder))
        if real.is_relative_to(self._real):
            return False
        self._link(folder)
        return True

    def _path(self, file: Path) -> str:
        return file.relative_to(self._root).as_posix()

    def _link(self, folder: Path) -> None:
        reason = "a folder that is a link is not followed here"
        self._fail(folder, reason, "Copy the folder in.", "folder-link")

    def _fail(self, place: Path, reason: str, remedy: str, code: str) -> None:
        self.errors.append((self._path(place), FileError(reason, remedy, code)))


def _expression(segment: str, bound: Bound, sign: str) -> str:
    """The regular expression of a segment; ``sign`` `?` lets placeholders stand for the least."""
    texts = _FIELD.split(segment)
    made = [re.escape(texts[0])]
    for name, text in zip(texts[1::2], texts[2::2], strict=True):
        if name in bound:
            made.append(re.escape(bound[name]))
        elif f"(?P<{name}>" in "".join(made):
            made.append(f"(?P={name})")
        else:
            made.append(f"(?P<{name}>[^/]+{sign})")
        made.append(re.escape(text))
    return "".join(made)


def _wrong(option: str, reason: str, remedy: str) -> UsageError:
    return UsageError(f"--{option}: {reason}", remedy, code="pattern")
