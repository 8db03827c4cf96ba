"""The folder that an export makes: new, whole or not there at all, with the data's licence."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import (
    ChaosprepError,
    NothingFoundError,
    Problem,
    ProblemsError,
    plural,
)
from chaosprep.files import (
    check_apart,
    real,
    write_json,
    write_new,
    writing,
)
from chaosprep.paper.text import methods
from chaosprep.printable import printable
from chaosprep.running.exchange import bring_back, take_name
from chaosprep.running.mapping import map_cases
from chaosprep.running.options import Event, RunOptions
from chaosprep.running.standing_folder import RECORD, check_movable, check_standing, listing
from chaosprep.running.workspace import Workspace
from chaosprep.systems.flushing import flush_folder
from chaosprep.version import __version__

LICENSE = "LICENSE-DATA.txt"
METHODS = "METHODS.md"
"""What was done to the data, in sentences for a paper."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Exported:
    """What an export made: the folder, how much it holds, and what was left out."""

    format: str
    path: Path
    cases: int
    slices: int
    skipped: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def opened(source: str | Path | Dataset) -> Dataset:
    """The dataset to export: opened, where only its directory is given."""
    return source if isinstance(source, Dataset) else open_dataset(source)


@contextmanager
def new_folder(
    dataset: Dataset, output: Path, format: str, parameters: dict[str, Any], overwrite: bool
) -> Iterator[Path]:
    """A `whole_folder` of what is made of a dataset, with its licence and its record.

    Raises what `whole_folder` raises.
    """
    with whole_folder(dataset.directory, output, overwrite) as folder:
        yield folder
        describe_folder(folder, dataset, format, parameters)


def describe_folder(
    folder: Path, dataset: Dataset, format: str, parameters: dict[str, Any]
) -> None:
    """Write `LICENSE-DATA.txt`, `METHODS.md` and `chaosprep-export.json`: what it was made from."""
    write_new(folder / LICENSE, license_text(dataset).encode())
    write_new(folder / METHODS, methods(dataset).encode())
    made_from = {
        "descriptor_sha256": dataset.descriptor_sha256,
        "history": [past.stage for past in dataset.history],
    }
    write_record(folder, format, parameters, made_from)


def write_record(
    folder: Path, format: str, parameters: dict[str, Any], made_from: dict[str, Any]
) -> None:
    """Write `chaosprep-export.json`, as the last file: it lists the others."""
    record = {
        "format": format,
        "chaosprep": __version__,
        "parameters": parameters,
        **made_from,
        "files_sha256": listing(folder),
    }
    write_json(folder / RECORD, record)


_REHEARSED = ContextVar("rehearsed", default=False)


@contextmanager
def rehearsed() -> Iterator[None]:
    """In here no `whole_folder` takes its name: it is made, told of, and removed again."""
    token = _REHEARSED.set(True)
    try:
        yield
    finally:
        _REHEARSED.reset(token)


def _remove(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, as far as nobody has put anything there."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


@contextmanager
def whole_folder(
    source: Path | None, output: Path, overwrite: bool, noun: str = "an export"
) -> Iterator[Path]:
    """A folder to fill, in the workspace beside `output`; it takes that name when all went well.

    `source` is what it is made of, where it is made of anything; `noun` is for messages.

    It is on the disk before it has its name; an earlier export keeps the name until then. Whoever
    fills it calls `describe_folder` or `write_record`, and may work beside it, in folders with
    names as its own: the workspace is left empty.

    Raises:
        UsageError: `output` is the source, inside or around it.
        ChaosprepError: it holds something, or another run writes there (`locked`).
        OutputError: it cannot be written.
    """
    with writing(output), ExitStack() as stack:
        if source is not None:
            check_apart(source, output)
        check_movable(output)
        place = real(output)
        workspace = Workspace.beside(place)
        if _REHEARSED.get():
            stack.callback(_remove, [above for above in place.parents if not above.exists()])
        with workspace.held(), _left_clean(workspace, place):
            check_standing(source, output, overwrite, noun)
            folder = workspace.path / uuid.uuid4().hex
            folder.mkdir()
            yield folder
            if _REHEARSED.get():
                return
            flush_folder(folder)
            check_standing(source, output, overwrite, noun)
            take_name(folder, place)


@contextmanager
def _left_clean(workspace: Workspace, place: Path) -> Iterator[None]:
    """Settle what a killed run has left in the workspace, and leave nothing there."""
    _restore(workspace, place)
    workspace.sweep()
    try:
        yield
    finally:
        with suppress(OSError, ChaosprepError):  # what was raised in here is told, or all is done
            _restore(workspace, place)
            workspace.clear()


def _restore(workspace: Workspace, place: Path) -> None:
    left = bring_back(workspace.path, place)
    if left and not (place / RECORD).exists():
        raise ChaosprepError(
            f"{left[0]}: it is an earlier export, but something else has taken its name",
            "Move it to where you want it, and run the same command again.",
            code="workspace",
        )


def export_each(
    function: Callable[[T], R],
    tasks: Sequence[T],
    name: Callable[[T], str],
    options: RunOptions,
    export: str,
    verb: str = "export",
) -> tuple[list[R], tuple[Problem, ...]]:
    """Do the work of every case, in workers; give the results in the order of the tasks.

    A `ChaosprepError` is a problem of its case, which `options.on_error` decides on. `function` and
    each task must pickle.

    Raises:
        ProblemsError: there were problems, and they are not to be skipped.
        NothingFoundError: nothing is left.
    """
    title = f"{verb} {export}".strip()

    def tell(case: str, done: int, total: int) -> None:
        options.tell(Event("done", title, done, total, case))

    made, problems = map_cases(function, tasks, name, options.processes, tell)
    return made, stop_or_skip(problems, bool(made), options, title)


def stop_or_skip(
    problems: Sequence[Problem], any_left: bool, options: RunOptions, title: str
) -> tuple[Problem, ...]:
    """The problems of cases, where the export goes on without these; `title` is `export nifti`.

    Raises:
        ProblemsError: there were problems, and they are not to be skipped.
        NothingFoundError: nothing is left.
    """
    if problems and options.on_error == "stop":
        raise ProblemsError(
            f"{title}: {plural(len(problems), 'problem')}, nothing was written",
            "Resolve them, or leave these cases out with --on-error skip.",
            tuple(problems),
        )
    if not any_left:
        raise NothingFoundError(f"{title}: no case is left", "Resolve the problems.", "empty")
    return tuple(problems)


def license_text(dataset: Dataset) -> str:
    """The licence and the sources of the data, to read."""
    lines = ["Licence of the data", ""]
    lines += _titled((one.title or one.name, one.path) for one in dataset.licenses)
    lines += ["", "Where they come from; cite them", ""]
    lines += _titled((one.title, one.path) for one in dataset.sources)
    lines += [
        "",
        "Derived with chaosprep: " + " > ".join(printable(one.stage) for one in dataset.history),
    ]
    return "\n".join(lines) + "\n"


def _titled(found: Iterable[tuple[str | None, str | None]]) -> list[str]:
    lines = [printable(" ".join(part for part in pair if part)) for pair in found]
    return lines or ["not stated in the manifest: ask whoever gave you the data"]
