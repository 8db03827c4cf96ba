"""A case as files below a dataset root: what a layout finds, before anything is read."""

import hashlib
import json
import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from chaosprep.dataset.records import Split
from chaosprep.errors import FileError
from chaosprep.facts import Label
from chaosprep.files import read_regular, real, sha256
from chaosprep.formats.images import part_of
from chaosprep.formats.label_table import LabelTable
from chaosprep.formats.masks import beside
from chaosprep.params import differing
from chaosprep.series.pairing import Rule, natural_key
from chaosprep.structures import folded

JUNK = frozenset({"dicomdir", "thumbs.db", "desktop.ini", "__macosx"})


def is_litter(name: str) -> bool:
    """Whether a file or folder was left by the system, not put there by a person."""
    return name.startswith(".") or name.casefold() in JUNK


def list_files(folder: Path, root: Path) -> tuple[str, ...]:
    """The entries of a folder relative to the root, in natural order, without system litter."""
    place = folder.relative_to(root).as_posix()
    above = "" if place == "." else f"{place}/"
    names = (path.name for path in folder.iterdir())
    paths = (f"{above}{name}" for name in names if not is_litter(name))
    return tuple(sorted(paths, key=natural_key))


class SourceCase(msgspec.Struct, frozen=True, kw_only=True):
    """One patient's one sequence as files below a dataset root; paths are relative to it.

    ``keys`` are what the rule `key` pairs by; ``aliases`` stand for the paths wherever they are
    written, and where there are any, a path without one is not written at all. ``frames`` are those
    that the case has of a file which holds others too, counted from 0; of any other file it has
    all. ``masks_root`` is the folder, relative to the root, that masks may lie in as well, where it
    is not below the root. ``organs`` are the structures that masks show which are files of one
    structure each. ``levels`` names the table of grey levels (of `known.LEVELS`) that the masks
    have; ``legend`` is what a file beside them says that their values stand for, and is lost where
    that cannot be understood; ``labels`` what values stand for in the whole dataset, of which the
    case can show those of ``shows``; ``table`` is the table of labels by which masks of numbers,
    grey levels or colours are to be read. Of masks that name their structures, those that fit one
    of ``roi`` are taken; names that are ``hidden``, folded, would identify a patient and are
    written nowhere; fractional masks show a structure from ``threshold`` on. ``notes`` are to be
    said of all its slices. ``beside`` are the other cases that have any of its masks. Nothing is
    made of a case that is ``refused``: a problem of its root says why. ``left_out`` are the ids of
    slices that a person leaves out. ``split`` and ``fold`` are
    given where the data set has sides or folds of its own: `split` keeps them, and decides all
    others. ``folds`` are those of each time that the patients were divided, where it was repeated.
    """

    root: str
    id: str
    patient: str
    sequence: str
    pool: Literal["train", "test"]
    images: tuple[str, ...]
    masks: tuple[str, ...] | None
    rule: Rule
    keys: dict[str, str] = {}
    aliases: dict[str, str] = {}
    frames: dict[str, tuple[int, ...]] = {}
    levels: str | None = None
    organs: dict[str, str] = {}
    legend: dict[int, Label] = {}
    is_legend_lost: bool = False
    labels: dict[int, Label] = {}
    shows: tuple[int, ...] = ()
    table: LabelTable | None = None
    roi: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    threshold: float | None = None
    notes: tuple[str, ...] = ()
    beside: "tuple[SourceCase, ...]" = ()
    split: Split | None = None
    fold: int | None = None
    folds: tuple[int, ...] = ()
    refused: bool = False
    left_out: tuple[str, ...] = ()
    masks_root: str = ""

    def takes(self, name: str) -> bool:
        """Whether a structure is wanted: it fits one of ``roi``, or none is asked for."""
        return not self.roi or any(
            folded(one) == folded(name) or fnmatchcase(name.casefold(), one.casefold())
            for one in self.roi
        )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The masks without those of one structure that is not wanted; these are not read."""
        masks = self.masks or ()
        if not self.organs:
            return masks
        return tuple(mask for mask in masks if self.takes(self.organs.get(mask, "")))

    def shown(self, path: str) -> str | None:
        """What to write for a path, in a table or a message."""
        return self.aliases.get(path) if self.aliases else path

    def content(self) -> bytes:
        """The case without the place of its root, and without those beside it."""
        found = differing(self.alone())
        try:
            return msgspec.json.encode(found)
        except UnicodeEncodeError:  # the name of a file is no UTF-8
            return json.dumps(msgspec.to_builtins(found)).encode()

    def alone(self) -> "SourceCase":
        """The same, wherever it is and whatever is beside it."""
        return msgspec.structs.replace(self, root="", beside=())

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold."""
        return Files(self).digest


class Files:
    """The bytes of a case's files, read once; what cannot be read is an error in its place.

    Of a file of several volumes, ``cut`` has the path where its bytes are of the case's alone.
    ``read`` takes a file's path, and raises `FileError`.
    """

    def __init__(self, case: SourceCase, read: Callable[[Path], bytes] = read_regular) -> None:
        self.data: dict[str, bytes] = {}
        self.errors: dict[str, FileError] = {}
        self.cut: set[str] = set()
        self._root = real(Path(case.root))
        more = (real(self._root / case.masks_root),) if case.masks_root else ()
        self._roots = (self._root, *more)
        self._folders: dict[str, tuple[Path, bool]] = {}
        self._hashes: dict[str, str] = {}
        self._masks = case.wanted
        self._legend = case.legend
        for path in (*case.images, *self._masks):
            try:
                data = read(self._inside(path))
                own = None if path not in case.frames else part_of(path, data, case.frames[path])
                self.cut |= set() if own is None else {path}
                self.data[path] = data if own is None else own
            except FileError as error:
                self.errors[path] = error

    def _inside(self, path: str) -> Path:
        """Where a file is, links followed; its folder is looked up once for all that are in it."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            place = real(self._root / folder)
            self._folders[folder] = place, self._is_below(place)
        place, is_below = self._folders[folder]
        file = place / name
        if name == ".." or file.is_symlink():
            file, is_below = real(file), False
        if not (is_below or self._is_below(file)):
            reason = "it is a link out of the dataset"
            raise FileError(reason, "Copy the file in.", code="file-link")
        return file

    def _is_below(self, file: Path) -> bool:
        return any(file.is_relative_to(root) for root in self._roots)

    def sha256(self, path: str) -> str:
        """The SHA-256 of a file that could be read."""
        if path not in self._hashes:
            self._hashes[path] = sha256(self.data[path])
        return self._hashes[path]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over all that tells what the case is.

        That is the path and content of every file, and of those that masks go on in; and what a
        file beside the masks says of them.
        """
        lines = [f"{path} {self.sha256(path)}\n" for path in self.data]
        lines += [f"{path} {error.code}\n" for path, error in self.errors.items()]
        for path in (more for mask in self._masks for more in self._beside(mask)):
            try:
                lines.append(f"{path} {sha256(read_regular(self._inside(path)))}\n")
            except FileError as error:
                lines.append(f"{path} {error.code}\n")
        if self._legend:
            lines.append(f"/ {sha256(msgspec.json.encode(self._legend))}\n")  # as no file is called
        return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()

    def _beside(self, mask: str) -> tuple[str, ...]:
        return beside(mask, self.data[mask]) if mask in self.data else ()
