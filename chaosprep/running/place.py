"""Where a stage may write: a directory that is new, empty, or its own and holds nothing else."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, SHARD, WORKSPACE
from chaosprep.dataset.naming import is_of_system
from chaosprep.dataset.opening import commit_of, is_descriptor, is_finished
from chaosprep.dataset.records import SPLITS
from chaosprep.dataset.store import Store
from chaosprep.dataset.table import TABLE, is_of_table, tables_in
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import check_own, writing
from chaosprep.running.workspace import LOCK, Workspace

PARTS = tuple(f"{name}.part" for name in (DESCRIPTOR, SHARD, TABLE))
"""What 0.1.0 called files of the directory itself before they were whole."""
_SHOWN = 3
T = TypeVar("T")


def check_output(output: Path, overwrite: bool = False) -> None:
    """Refuse a stage directory that must not be touched; one that is only read is not looked into.

    Raises:
        ChaosprepError: `output-foreign`, it is somebody else's, or holds files that are; `output`
            or `workspace`, something stands in it where a file or folder of its own should be.
    """
    with writing(output):
        if not output.exists():
            return
        if not output.is_dir():
            raise ChaosprepError(
                f"{output}: it is not a directory", "Give another output directory.", code="output"
            )
        Workspace.inside(output).check()
        _check_folders(output)
        if _strangers(output) and (found := _strangers(output)):  # a run may end between two looks
            raise _foreign(output, found)
        if overwrite or not is_finished(output):
            for name in (DESCRIPTOR, SHARD, *tables_in(output)):
                check_replaceable(output / name)
            _check_foreign(output)


def if_finished(output: Path, look: Callable[[], T]) -> T | None:
    """What `look` finds in a finished output, without its lock: one that is only read needs none.

    None where it is not finished, a run is at work, or one has replaced it or taken it back while
    it was looked at. An error that `look` then meets counts for nothing: it is of two commits.
    """
    commit = commit_of(output)
    if commit is None or Workspace.inside(output).path.exists():
        return None
    try:
        found = look()
    except ChaosprepError:
        if commit_of(output) == commit:
            raise
        return None
    return found if commit_of(output) == commit else None


def _check_folders(output: Path) -> None:
    if folder := Store(output).diverted():
        raise ChaosprepError(
            f"{output}: it holds a link where a folder of its own should be"
            if (output / folder).is_symlink()
            else f"{output}: it holds no folder where {folder} should be",
            "Remove it, or give another output directory.",
            code="output",
        )


def _strangers(output: Path) -> set[str]:
    """What makes a directory somebody else's; nothing where a run has begun or may begin."""
    names, kept = names_in(output), names_in(output / WORKSPACE)
    if found := names & {DESCRIPTOR, SHARD}:
        return {name for name in found if not is_descriptor(output / name)}
    if JOURNAL in kept:
        return set()
    own = {*SPLITS, *PARTS, *filter(is_of_table, names)} if LOCK in kept else ()
    return names - {WORKSPACE, *own}


def names_in(folder: Path) -> set[str]:
    """What a folder holds, but for what an operating system leaves; nothing where there is none."""
    try:
        return {path.name for path in folder.iterdir() if not is_of_system(path.name)}
    except FileNotFoundError:
        return set()


def check_replaceable(path: Path) -> None:
    """Refuse what stands where a file of a run goes and is a link, shared, or no regular file.

    Raises:
        ChaosprepError: `output`.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        try:
            check_own(found)
        except FileError as error:
            raise ChaosprepError(
                f"{path}: {error.reason}",
                "Put a copy in its place, or give another output directory."
                if error.code == "file-shared"  # without its descriptor it would be nobody's
                else "Move it away, or give another output directory.",
                code="output",
            ) from error


def _check_foreign(output: Path) -> None:
    found = Store(output).foreign()
    shown = list(islice(found, _SHOWN))
    if shown:
        raise _made_by_no_run(output, shown, len(shown) + sum(1 for _ in found))


def _foreign(output: Path, names: set[str]) -> ChaosprepError:
    if LOCK in names_in(output / WORKSPACE) and not names & {DESCRIPTOR, SHARD}:
        return _made_by_no_run(output, sorted(names)[:_SHOWN], len(names))
    return ChaosprepError(
        f"{output}: it is not empty, and not a stage directory",
        "Give an empty or a new directory.",
        code="output-foreign",
    )


def _made_by_no_run(output: Path, shown: list[str], count: int) -> ChaosprepError:
    listed = ", ".join(shown) + (", ..." if count > len(shown) else "")
    what = "what no run made" if count == 1 else f"{count} files or folders that no run made"
    return ChaosprepError(
        f"{output}: it holds {what}: {listed}",
        f"Move {'it' if count == 1 else 'them'} away, or give another output directory.",
        code="output-foreign",
    )
