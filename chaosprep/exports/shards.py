"""Tar shards of WebDataset: which cases each holds, and how one is written and read back."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.records import SPLITS, Slice, Split
from chaosprep.errors import ChaosprepError, Problem, RefusedError, not_as_written
from chaosprep.exports.pairs import no_dicom
from chaosprep.exports.samples import END, contents, encoded, in_tar, names, size, values
from chaosprep.files import sha256, writing

ENDING = ".tar"


@dataclass(frozen=True)
class Planned:
    """A shard to write: its side, and the places of its cases among the dataset's."""

    split: Split
    cases: tuple[int, ...]


@dataclass
class Plan:
    """The shards of a dataset, and what of it they tell.

    `columns` are those that have a value in some row, `organs` is organ -> mask value, `folds` are
    those that may validate: where something was learned, none that it was learned from.
    """

    shards: list[Planned]
    columns: tuple[str, ...]
    organs: dict[str, int]
    folds: tuple[int, ...]


@dataclass(frozen=True)
class Task:
    """A shard for a worker: the file to make, the side whose slices it takes, and its cases."""

    file: Path
    split: Split
    cases: tuple[Case, ...]
    columns: frozenset[str]


@dataclass
class Written:
    """A shard as it was written and read back; `cases` are the ids of those that are in it."""

    split: Split
    file: Path
    cases: list[str] = field(default_factory=list)
    slices: int = 0
    bytes: int = 0
    sha256: str = ""
    problems: list[Problem] = field(default_factory=list)


def plan(dataset: Dataset, most: int) -> Plan:
    """Divide a dataset into shards of at most so many bytes, a case at a time.

    A shard is of one side. Patients stand in it whole, in the order of the table; one who is larger
    than a shard has several to himself, and a case is never divided. Its folds are those that can
    be validated on: none that it was learned from.
    """
    sizes: dict[tuple[Split, str], dict[int, int]] = {}
    held: dict[str, bool] = {}
    labels: dict[str, dict[int, str]] = {}
    folds: set[int] = set()
    trained: set[int] = set()
    for place, case in enumerate(dataset.cases):
        for row in case.slices:
            cases = sizes.setdefault((row.split, row.patient), {})
            told = values(row)
            cases[place] = cases.get(place, 0) + size(row, told)
            for name, value in told.items():
                held[name] = held.get(name, False) or value is not None
            labels.setdefault(repr(row.labels), row.labels)
            if row.fold is not None:
                folds.add(row.fold)
                if row.split == "train":
                    trained.add(row.fold)
    shards = [
        Planned(split, cases)
        for split in SPLITS
        for cases in _packed([sizes[key] for key in sizes if key[0] == split], most - len(END))
    ]
    columns = tuple(name for name in held if held[name])
    organs = organ_values(dataset.label_map, labels.values())
    folds -= trained if dataset.has_learned else set()
    return Plan(shards, columns, organs, tuple(sorted(folds)))


def _packed(patients: Iterable[dict[int, int]], most: int) -> Iterator[tuple[int, ...]]:
    """The cases of each shard, of the sizes of the cases of each patient."""
    taken: list[int] = []
    left = most
    for cases in patients:
        alone = sum(cases.values()) > most
        if taken and (alone or sum(cases.values()) > left):
            yield tuple(taken)
            taken, left = [], most
        for place, length in cases.items():
            if taken and length > left:
                yield tuple(taken)
                taken, left = [], most
            taken.append(place)
            left -= length
        left = 0 if alone else left
    if taken:
        yield tuple(taken)


def write_shard(task: Task) -> Written:
    """Write a shard and read it back; a case with a problem is left out of it.

    Raises:
        FileError: `not-as-written`; OutputError: it cannot be written.
    """
    made = Written(task.split, task.file)
    with writing(task.file), task.file.open("xb") as new:
        for case in task.cases:
            start = new.tell()
            try:
                for row in _rows(case, task.split):
                    new.writelines(_sample(case, row, task.columns))
            except RefusedError:
                raise
            except ChaosprepError as error:
                made.problems.append(Problem.of(error, case.id))
                new.seek(start)
                new.truncate()
            else:
                made.cases.append(case.id)
                made.slices += len(_rows(case, task.split))
        new.write(END)
        made.bytes = new.tell()
    made.sha256 = _read_back(task, {*made.cases})
    return made


def _rows(case: Case, split: Split) -> list[Slice]:
    return [row for row in case.slices if row.split == split]


def _sample(case: Case, row: Slice, columns: frozenset[str]) -> Iterator[bytes]:
    no_dicom(row)
    for name, data in zip(names(row), contents(case, row, columns), strict=True):
        yield in_tar(name, data)


def _read_back(task: Task, there: set[str]) -> str:
    """The SHA-256 of a shard, in which every member is what the table says of it."""
    cases = (case for case in task.cases if case.id in there)
    expected = _expected([row for case in cases for row in _rows(case, task.split)], task.columns)
    with task.file.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for (name, digest), member in zip_longest(expected, tar):
            data = None if member is None else tar.extractfile(member)
            if member is None or member.name != name or data is None:
                raise not_as_written(name or member.name)
            if sha256(data.read()) != digest:
                raise not_as_written(name)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expected(rows: Iterable[Slice], columns: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    """The name and the SHA-256 of every member."""
    for row in rows:
        told = sha256(encoded(row, columns))
        hashes = [row.image_sha256, told, row.mask_sha256]
        yield from zip(names(row), hashes, strict=False)
