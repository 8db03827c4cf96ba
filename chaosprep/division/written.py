"""What a run writes and what it reads of splits are apart; a split as a file, .csv or .json."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import UnsetType

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import is_stage_directory
from chaosprep.dataset.records import Split
from chaosprep.division.params import SplitParams
from chaosprep.division.sides import KnownSplit, Sides
from chaosprep.division.traits.tables import of_table
from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.files import read_regular, real
from chaosprep.running.options import RunOptions
from chaosprep.running.page import FileKind, check_place, check_standing, new_file
from chaosprep.running.workspace import Workspace

_OPTION = "--write-split"
_COLUMNS = ("patient", "side", "fold")
_KINDS = {
    kind.ending: kind
    for kind in (
        FileKind("split", ".csv", re.compile(rb"patient,side,fold(,folds)?\n")),
        FileKind("split", ".json", re.compile(rb'\[\n\{"patient": ')),
    )
}
_FILES = ("like", "split_file", "patients", "series", "labels", "pseudonymize")


class Placed(Protocol):
    """A case, or a row, that knows its patient's side and fold."""

    @property
    def patient(self) -> str:
        """The patient id."""

    @property
    def split(self) -> Split | None:
        """The side, where it is decided."""

    @property
    def fold(self) -> int | None:
        """The fold, where there are any."""

    @property
    def folds(self) -> tuple[int, ...] | UnsetType:
        """Those of each time, where the patients were divided several times."""


def check_kept(params: SplitParams, output: Path) -> None:
    """Refuse to make a stage directory anew out of the split that it holds, which would be lost.

    Raises:
        UsageError: `output`.
    """
    for name in ("like", "split_file"):
        path = getattr(params, name)
        if path is not None and real(output) in (real(Path(path)), *real(Path(path)).parents):
            raise UsageError(
                f"--{name.replace('_', '-')} {path}: it lies in the output directory, and would be "
                "lost when that is made",
                "Give another output directory.",
                code="output",
            )


def check_writable(
    params: SplitParams, root: Path, output: Path, cases: Iterable[Placed], options: RunOptions
) -> None:
    """Refuse, before the work begins, a file that could not be written at its end.

    Args:
        params: where the file is to be written; nothing is checked where nowhere.
        root: the input, which it must not lie in.
        output: the stage directory, which it must not lie in.
        cases: those of the run, each with its side and fold.
        options: how it is run.

    Raises:
        UsageError: `output`, its name or place will not do; `parameter`, of a shard.
        ChaosprepError: `output-foreign`, something else stands there; OutputError.
    """
    if params.write_split is None:
        return
    file = Path(params.write_split)
    kind = _kind(file)
    if options.part is not None:
        raise UsageError(
            f"{_OPTION}: a shard has only some of the patients",
            "Leave it out; after chaosprep merge, run split once more, without --shard, into the "
            "merged directory: nothing is left to do there, and the file is written.",
            code="parameter",
        )
    if real(file).parent not in real(output).parents:  # that is there, or will be made
        for directory in (output, root):
            check_place(file, directory, kind)
    if any(is_stage_directory(folder) for folder in real(file).parents):
        raise UsageError(
            f"{file}: it would lie inside a stage directory, whose manifest does not list it",
            "Write it next to the directory.",
            code="output",
        )
    if any(real(Path(path)) == real(file) for path in _read_from(params)):
        raise UsageError(
            f"{_OPTION} {file}: it is a file that the run reads", "Give another name.", "output"
        )
    if check_standing(file, kind, options.overwrite) and not options.overwrite:
        _check_same(file, _told(cases))


def write_split(dataset: Dataset, params: SplitParams, options: RunOptions) -> None:
    """Write who is where; a file that says it already stays as it is.

    Raises:
        ChaosprepError: `output-foreign`, another split stands there; OutputError.
    """
    if params.write_split is None:
        return
    file = Path(params.write_split)
    kind = _kind(file)
    text = split_text(_told(row for case in dataset.cases for row in case.slices), kind.ending)
    if _holds(file, text) and not Workspace.beside(file).path.exists():
        return
    with new_file(file, kind, options.overwrite) as save:
        if _holds(file, text):
            return  # by a run that was killed before it had tidied up
        if file.exists() and not options.overwrite:
            raise _another(file)
        save(text)


def split_text(split: KnownSplit, ending: str) -> bytes:
    """The bytes of a split (`.csv` or `.json`), sorted by patient id: the same for the same one."""
    lines = [(patient, *side) for patient, side in sorted(split.sides.items())]
    folds = [split.folds.get(patient, ()) for patient, *_ in lines]
    columns = (*_COLUMNS, "folds") if split.folds else _COLUMNS
    if ending == ".json":
        records = [
            json.dumps(dict(zip(columns, (*line, list(own)), strict=False)))
            for line, own in zip(lines, folds, strict=True)
        ]
        joined = ",\n".join(records)
        return f"[\n{joined}\n]\n".encode()
    cells = [
        (patient, side, "" if fold is None else str(fold), " ".join(map(str, own)))
        for (patient, side, fold), own in zip(lines, folds, strict=True)
    ]
    rows = (row[: len(columns)] for row in cells)
    return "".join(",".join(row) + "\n" for row in (columns, *rows)).encode()


def _read_from(params: SplitParams) -> Iterator[str]:
    """The files that the parameters name."""
    yield from (path for name in _FILES if (path := getattr(params, name)) is not None)
    yield from params.exclude
    yield from (place[0] for wish in params.stratify if (place := of_table(wish)) is not None)


def _told(placed: Iterable[Placed]) -> KnownSplit:
    sides: Sides = {}
    folds: dict[str, tuple[int, ...]] = {}
    for one in placed:
        if one.split is not None:
            sides[one.patient] = one.split, one.fold
        if one.folds:
            folds[one.patient] = one.folds
    return KnownSplit(sides, folds=folds)


def _kind(file: Path) -> FileKind:
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{_OPTION} {file}: its name is that of another kind of file",
            "End its name in .csv or .json.",
            code="output",
        )
    return kind


def _holds(file: Path, text: bytes) -> bool:
    try:
        return read_regular(file) == text
    except FileError:
        return False


def _check_same(file: Path, split: KnownSplit) -> None:
    """Refuse a file that stands there and says otherwise; cases may since have been left out."""
    from chaosprep.division.files.table import read_split

    try:
        found = read_split(file, _OPTION, None)
    except UsageError as error:
        raise _another(file) from error
    for patient, side in found.sides.items():
        now = split.sides.get(patient), split.folds.get(patient)
        if now != (side, found.folds.get(patient)):
            raise _another(file)


def _another(file: Path) -> ChaosprepError:
    return ChaosprepError(
        f"{file}: it holds another split",
        "Give another name, or use --overwrite to replace it.",
        code="output-foreign",
    )
