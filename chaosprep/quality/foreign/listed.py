"""Pairs that tables name: which files they are, on which side, whose, and what is missing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import msgspec

from chaosprep.errors import FileError, Problem, plural
from chaosprep.layouts.dataset_json import Inside, is_there
from chaosprep.layouts.sides import Tree, key_of, slice_endings
from chaosprep.quality.alike.leaks import SPLIT_AGAIN, on_several_sides
from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign.columns import (
    Columns,
    columns_of,
    path_in,
    patient_in,
    said_in,
    side_in,
)
from chaosprep.quality.foreign.pairs import Pair, problem
from chaosprep.quality.foreign.tables import Line, Listing, Table, list_tables, read_table

_SHOWN = 3  # names in a note


@dataclass
class Listed(Findings):
    """The pairs of all tables; ``unpaired`` are those whose masks no table names.

    ``claimed`` are all files that a table names, ``folders`` those in which a table names files;
    ``tables`` has for each image its masks, and which table names both,
    ``read`` are the tables themselves, ``others`` files that they name besides.
    """

    pairs: list[Pair] = field(default_factory=list)
    unpaired: dict[str, Pair] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    tables: dict[str, dict[str | None, str]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)


def find_listed(root: Path) -> Listed:
    """The pairs that the tables below a folder name; what is wrong with its lines is a fault."""
    endings = slice_endings()
    listing = list_tables(root, endings)
    found = Listed(read={*listing.tables, *listing.unread})
    for path in sorted(listing.tables, key=_depth):
        try:
            table = read_table(root, path)
        except FileError as error:
            found.faults.append(Problem.of(error, path, path))
            continue
        columns = columns_of(table, endings)
        if columns is None:
            found.notes.append(f"{path}: none of its columns names images, it was not compared")
            continue
        if lost := _lost(root, table, columns, listing):
            reason = (
                f"none of the {plural(lost, 'image')} that it names is there, but images of their "
                "names lie in other folders: it was not compared"
            )
            found.warnings.append(problem("table-apart", path, path, reason))
            continue
        _Reading(root, table, columns, endings, found).read()
    found.notes += (f"{path} was not read: save it as metadata.jsonl" for path in listing.unread)
    found.warnings += _unlisted(listing, found)
    found.faults += _on_two_sides(found)
    return found


def _depth(path: str) -> int:
    """The table nearest to its pictures comes first."""
    return -path.count("/")


def _lost(root: Path, table: Table, columns: Columns, listing: Listing) -> int:
    """How many images a table names whose paths start elsewhere; 0 where they are to be read.

    No file that it names is there, and each image has its name from a picture in another folder.
    """
    of_files = filter(None, columns[:2])
    named = {name: [path_in(line.get(name)) for _, line in table.lines] for name in of_files}
    images = [path for path in named[columns.image] if path]
    known = {PurePosixPath(path).name for path in listing.pictures}
    if not all(PurePosixPath(path).name in known for path in images):
        return 0
    every = (root / table.folder / path for paths in named.values() for path in paths if path)
    return 0 if any(map(is_there, every)) else len(images)


def take_out(tree: Tree, found: Listed) -> None:
    """Leave in a tree what is in no folder of a table, and what a table names without its mask."""
    tree.warnings = [one for one in tree.warnings if one.file not in found.read]
    paired = found.claimed - found.unpaired.keys() | {one.file for one in found.warnings}
    for kind in (tree.images, tree.masks):
        for key, paths in list(kind.items()):
            kind[key] = [path for path in paths if path not in paired]
            if not kind[key]:
                del kind[key]
    there = {path for paths in tree.images.values() for path in paths}
    found.pairs += (pair for path, pair in found.unpaired.items() if path not in there)


@dataclass
class _Reading:
    """One table as it is read, line by line."""

    root: Path
    table: Table
    columns: Columns
    endings: tuple[str, ...]
    found: Listed

    def read(self) -> None:
        self._inside = Inside(self.root)
        self._elsewhere = 0
        self._more, self._others = frozenset(self.columns.more), frozenset(self.columns.others)
        self.found.folders.add(self.table.folder)
        if more := self.columns.more:
            names = ", ".join(more[:_SHOWN]) + (", ..." if len(more) > _SHOWN else "")
            self.found.notes.append(
                f"{self.table.path}: of each image only the masks of {self.columns.mask} were "
                f"looked at, not those of {names}"
            )
        for number, line in self.table.lines:
            self._take(number, line)
        if self._elsewhere:
            many = f"{self._elsewhere} of its {plural(len(self.table.lines), 'line')}"
            self.found.notes.append(
                f"{self.table.path}: {many} name pairs that another table names, which was compared"
            )

    def _take(self, number: int, line: Line) -> None:
        place = f"{self.table.path}:{number}"
        image = path_in(line.get(self.columns.image))
        if image is None:
            self._tell("line-unnamed", place, None, "this line names no image")
            return
        cells = (path_in(value) for name, value in line.items() if name in self._others)
        self.found.others.update(self._joined(path) for path in cells if path)
        paths = [image, *map(path_in, self._of_masks(line))]
        here = [None if path is None else self._path(path) for path in paths]
        self.found.claimed.update(self._joined(path) for path in paths if path)
        for path, known in zip(paths, here, strict=True):
            if path is not None and known is None:
                reason = "this line has a path that leads out of the folder"
                self._tell("path-outside", place, None, reason)
                return
        self._pair(line, here[0] or "", here[1] if len(here) > 1 else None)

    def _of_masks(self, line: Line) -> Iterator[object]:
        yield from (line.get(name) for name in filter(None, (self.columns.mask,)))
        yield from (value for name, value in line.items() if name in self._more)

    def _path(self, text: str) -> str | None:
        return self._inside.path(os.path.join(self.table.folder, text))  # noqa: PTH118

    def _joined(self, text: str) -> str:
        return os.path.normpath(os.path.join(self.table.folder, text))  # noqa: PTH118

    def _pair(self, line: Line, image: str, mask: str | None) -> None:
        (side, name), _ = key_of(PurePosixPath(image), self.endings)
        told = side_in(line)
        id = f"{side or told}/{name}" if side or told else name
        before = self.found.tables.setdefault(image, {})
        if mask in before:
            if before[mask] == self.table.path:
                self._tell("line-twice", id, image, f"{self.table.path} has it twice")
            self._elsewhere += before[mask] != self.table.path
            return
        if side and told and side != told:
            reason = f"{self.table.path} says that it is in {told}, it lies in {side}"
            self._tell("sides-differ", id, image, reason)
        pair = Pair(
            root=str(self.root),
            id=id,
            side=side or told,
            image=image,
            mask=mask,
            said=said_in(line),
            patient=patient_in(line),
            again=bool(before),
        )
        before[mask] = self.table.path
        if self.columns.mask is None:
            self.found.unpaired[image] = pair
        else:
            self.found.pairs.append(pair)

    def _tell(self, code: str, id: str, file: str | None, reason: str) -> None:
        self.found.faults.append(problem(code, id, file or self.table.path, reason))


def _unlisted(listing: Listing, found: Listed) -> Iterator[Problem]:
    """Pictures in the folders of tables that none of them names."""
    masks_told, named = not found.unpaired, found.claimed | found.others
    for path in listing.pictures:
        around = {str(one) for one in PurePosixPath(path).parents} - {"."} | {""}
        if path in named or not around & found.folders:
            continue
        (side, name), kind = key_of(PurePosixPath(path), slice_endings())
        if kind != "mask" or masks_told:
            id = f"{side}/{name}" if side else name
            yield problem("file-unlisted", id, path, "no line of the table names this file")


def _on_two_sides(found: Listed) -> Iterator[Problem]:
    placed = ((one.patient, one.side) for one in (*found.pairs, *found.unpaired.values()))
    for patient, sides in on_several_sides(one for one in placed if all(one)):
        reason = f"the patient is on {sides}"
        yield Problem(code="leakage", id=patient, reason=reason, remedy=SPLIT_AGAIN)


def with_legend(pair: Pair, legend: dict[int, str] | None) -> Pair:
    """The pair with the names that a legend beside the masks has, where no table has them."""
    if legend is None or pair.said.labels is not None:
        return pair
    return replace(pair, said=msgspec.structs.replace(pair.said, labels=legend))
