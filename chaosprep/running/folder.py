"""The folder that an export makes: new, whole or not there at all, with the data's licence."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.naming import is_of_system
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import (
    ChaosprepError,
    FileError,
    NothingFoundError,
    Problem,
    ProblemsError,
    plural,
)
from chaosprep.files import (
    check_apart,
    read_regular,
    real,
    sha256,
    write_json,
    write_new,
    writing,
)
from chaosprep.paper.text import methods
from chaosprep.printable import printable
from chaosprep.running.exchange import bring_back, settle_folder, take_name
from chaosprep.running.mapping import map_cases
from chaosprep.running.options import Event, RunOptions
from chaosprep.running.place import names_in
from chaosprep.running.workspace import Workspace
from chaosprep.version import __version__

LICENSE = "LICENSE-DATA.txt"
METHODS = "METHODS.md"
"""What was done to the data, in sentences for a paper."""
RECORD = "chaosprep-export.json"
"""What made an export; also the mark of a folder that --overwrite may replace."""

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
        "files_sha256": _listing(folder),
    }
    write_json(folder / RECORD, record)


@contextmanager
def whole_folder(source: Path, output: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to fill, in the workspace beside `output`; it takes that name when all went well.

    It is on the disk before it has its name; an earlier export keeps the name until then. Whoever
    fills it calls `describe_folder` or `write_record`, and may work beside it, in folders with
    names as its own: the workspace is left empty.

    Raises:
        UsageError: `output` is the source, inside or around it.
        ChaosprepError: it holds something, or another run writes there (`locked`).
        OutputError: it cannot be written.
    """
    with writing(output):
        check_apart(source, output)
        _check_movable(output)
        place = real(output)
        workspace = Workspace.beside(place)
        with workspace.held(), _left_clean(workspace, place):
            _check_standing(source, output, overwrite)
            folder = workspace.path / uuid.uuid4().hex
            folder.mkdir()
            yield folder
            settle_folder(folder)
            _check_standing(source, output, overwrite)
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
            f"{left[0]}: it is an earlier export, and something else has its name by now",
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
            "Settle them, or leave these cases out with --on-error skip.",
            tuple(problems),
        )
    if not any_left:
        raise NothingFoundError(f"{title}: no case is left", "Settle the problems.", "empty")
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


def _listing(folder: Path) -> str:
    """The SHA-256 of the names of all files in an export, its record left out.

    What an operating system leaves in any folder counts for nothing.
    """
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() and not is_of_system(path.name)
    )
    return sha256("\n".join(name for name in names if name != RECORD).encode())


def _is_untouched(folder: Path) -> bool:
    """Whether a folder holds an export, and nothing that somebody added to it."""
    try:
        record = msgspec.json.decode(read_regular(folder / RECORD))
    except (FileError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return isinstance(record, dict) and record.get("files_sha256") == _listing(folder)


def _check_movable(output: Path) -> None:
    """Refuse an empty folder whose name the system will let no other folder take."""
    if not output.is_dir() or any(output.iterdir()):
        return
    place = real(output)
    if os.path.ismount(place):
        why = "a disk is mounted there"
    elif not os.access(place.parent, os.W_OK):
        why = "the folder around it cannot be written"
    else:
        return
    raise ChaosprepError(
        f"{output}: a new folder is to take its name, and {why}",
        "Give the name of a new folder in it.",
        code="output",
    )


def _check_standing(source: Path, output: Path, overwrite: bool) -> None:
    """Refuse an output that is the input, inside or around it, or that holds something.

    Raises:
        UsageError: `output-place`.
        ChaosprepError: `output-foreign` or `output`.
    """
    check_apart(source, output)
    if not output.exists() or (output.is_dir() and not names_in(output)):
        return
    if not (output.is_dir() and (output / RECORD).exists()):
        raise ChaosprepError(
            f"{output}: it is not empty, and not an export",
            "Give an empty or a new directory.",
            code="output-foreign",
        )
    if not overwrite:
        raise ChaosprepError(
            f"{output}: it holds an export already",
            "Use --overwrite to make it again, or give another directory.",
            code="output",
        )
    if not _is_untouched(output):
        raise ChaosprepError(
            f"{output}: it holds files that the export did not make, or has lost some of its own",
            "Move them, or the folder, away: --overwrite would delete them.",
            code="output-foreign",
        )
