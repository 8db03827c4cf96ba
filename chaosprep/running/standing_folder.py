"""What may stand where a folder is to be made: nothing, or one that was made here, untouched."""

import os
from pathlib import Path

import msgspec

from chaosprep.dataset.naming import is_of_system
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import check_apart, read_regular, real, sha256
from chaosprep.running.place import names_in

RECORD = "chaosprep-export.json"
"""What made an export; also the mark of a folder that --overwrite may replace."""


def listing(folder: Path) -> str:
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
    return isinstance(record, dict) and record.get("files_sha256") == listing(folder)


def check_movable(output: Path) -> None:
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


def check_standing(source: Path | None, output: Path, overwrite: bool, noun: str) -> None:
    """Refuse an output that is the input, inside or around it, or that holds something.

    Raises:
        UsageError: `output-place`.
        ChaosprepError: `output-foreign` or `output`.
    """
    if source is not None:
        check_apart(source, output)
    if not output.exists() or (output.is_dir() and not names_in(output)):
        return
    if not (output.is_dir() and (output / RECORD).exists()):
        raise ChaosprepError(
            f"{output}: it is not empty, and not {noun}",
            "Give an empty or a new directory.",
            code="output-foreign",
        )
    if not overwrite:
        raise ChaosprepError(
            f"{output}: it holds {noun} already",
            "Use --overwrite to make it again, or give another directory.",
            code="output",
        )
    if not _is_untouched(output):
        raise ChaosprepError(
            f"{output}: it holds files that chaosprep did not make, or has lost some of its own",
            "Move them, or the folder, away: --overwrite would delete them.",
            code="output-foreign",
        )
