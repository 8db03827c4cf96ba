"""The forms of a split as a file: a line each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaosprep.division.files import cells, lists, nnunet, records, stage
from chaosprep.division.files.content import Content
from chaosprep.division.files.said import useless
from chaosprep.division.sides import KnownSplit
from chaosprep.errors import FileError, UsageError
from chaosprep.files import sha256

Takes = Callable[[Content], bool]
Read = Callable[[Content, int | None], KnownSplit]


@dataclass(frozen=True)
class SplitFile:
    """A form: what it is called, whether a content has it, and the sides that this then says."""

    what: str
    takes: Takes
    read: Read


SPLIT_FILES = (
    SplitFile("a stage directory or its datapackage.json", stage.takes, stage.read),
    SplitFile("nnU-Net's splits_final.json", nnunet.takes, nnunet.read),
    SplitFile("a dataset.json that lists the sides", lists.takes, lists.read),
    SplitFile("JSON (patient, side, fold)", records.takes, records.read),
    SplitFile("CSV (patient, side, fold)", cells.takes, cells.read),
)
"""The first that takes a content reads it."""

_REMEDY = f"Give one of: {', '.join(one.what for one in SPLIT_FILES)}."


def read_split(path: str | Path, option: str, fold: int | None) -> KnownSplit:
    """The split that a file or a stage directory tells, by the names that it has.

    Args:
        path: where it is.
        option: what gave the path, for messages.
        fold: the fold that is to validate, where one was chosen.

    Raises:
        UsageError: `split-file`, it cannot be used; `split-file-leak`, `fold-unknown`.
        ManifestError: the stage directory is unfinished or damaged.
    """
    content = Content(Path(path))
    try:
        form = next((one for one in SPLIT_FILES if one.takes(content)), None)
        if form is None:
            raise useless("it is not a split of a known form", _REMEDY)
        return form.read(content, fold)
    except FileError as error:
        kept = ("split-file-leak", "fold-unknown")
        code = error.code if error.code in kept else "split-file"
        remedy = _REMEDY if error.code in ("file-missing", "file-kind") else error.remedy
        raise UsageError(f"{option}: {path}: {error.reason}", remedy, code) from error


def fingerprint(path: str | Path, option: str) -> str:
    """8 hexadecimal digits that tell what a split says from what another does.

    They are the same wherever it is and in whatever form; of a file of several splits, all count.

    Raises:
        UsageError, ManifestError: as `read_split` does.
    """
    known = read_split(path, option, None)
    said = sorted((name, *map(str, side)) for name, side in known.sides.items())
    times = (sorted(known.folds.items()),) if known.folds else ()
    return sha256(repr((said, known.key, known.others, *times)).encode("utf-8", "surrogatepass"))[
        :8
    ]
