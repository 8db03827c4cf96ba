"""The pairs of a dataset in an export: hard links to its files, checked where they then lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError, Problem, not_as_written
from chaosprep.running.folder import export_each
from chaosprep.running.options import RunOptions

Place = Callable[[Slice, str], str]
"""Where a file of a slice goes, relative to the export."""


@dataclass(frozen=True)
class Carried:
    """The cases whose files are in an export, and the problems of those that were left out."""

    dataset: Dataset
    ids: frozenset[str]
    slices: int
    skipped: tuple[Problem, ...]

    def rows(self) -> Iterator[Slice]:
        """Every row that is in the export, sorted by id, read a case at a time."""
        for case in self.dataset.cases:
            if case.id in self.ids:
                yield from (row.placed() for row in case.slices)


def same_place(row: Slice, path: str) -> str:
    """Every file keeps its path."""
    return path


def carry_pairs(
    dataset: Dataset,
    folder: Path,
    *,
    format: str,
    options: RunOptions,
    check: Callable[[Slice], None],
    place: Place = same_place,
) -> Carried:
    """Bring every image and mask into a folder: a hard link, a copy across file systems.

    Each is read again where it lies and compared with its recorded hash. `check` raises a
    `FileError` for a slice that the format cannot take; it and `place` must pickle.

    Raises:
        ProblemsError: there were problems, and they are not to be skipped.
        NothingFoundError: nothing is left.
    """
    work = partial(_carry_case, folder=folder, check=check, place=place)
    name = attrgetter("id")
    made, skipped = export_each(work, dataset.cases, name, options, format)
    slices = sum(count for _, count in made)
    return Carried(dataset, frozenset(id for id, _ in made), slices, skipped)


def no_dicom(row: Slice) -> None:
    """Refuse DICOM and whatever else came as it is: it tells who the patient is.

    Raises:
        FileError: `image-format`.
    """
    if not row.image.endswith((".png", ".npy")):
        raise FileError(
            f"the image of {row.id} is the original file, whose header may identify the patient",
            "Run chaosprep convert first, and export what it makes.",
            code="image-format",
        )


def _carry_case(
    case: Case, folder: Path, check: Callable[[Slice], None], place: Place
) -> tuple[str, int]:
    for row in case.slices:
        check(row)
    store = Store(folder)
    for row in case.slices:
        for file in row.files():
            made = store.carry(case.store, file, place(row, file.path))
            if not store.is_whole(made):
                raise not_as_written(made.path)
    return case.id, len(case.slices)
