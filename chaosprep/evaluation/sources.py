"""What PRED and REF are: each is recognised by what is in it."""

from pathlib import Path

from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import is_stage_directory
from chaosprep.errors import ChaosprepError, FileError, NothingFoundError, UsageError
from chaosprep.evaluation.chaos_sides import open_chaos, open_sets
from chaosprep.evaluation.nifti_side import nifti_files, open_nifti
from chaosprep.evaluation.picture_sides import open_pictures, pictures_below
from chaosprep.evaluation.sides import Organs, Side
from chaosprep.evaluation.stage_side import open_stage

UNDERSTOOD = (
    "A side can be a stage directory; a NIfTI file or a folder of them; a CHAOS root with Ground, "
    "or a submission of Results for it; a folder of PNG or npy masks."
)


_MOST = 255  # organs: `Masks` hold bytes


def open_reference(path: Path) -> Side:
    """Recognise the reference.

    Raises:
        UsageError: there is no such file or folder.
        NothingFoundError: `layout-unknown`.
        ChaosprepError: what is wrong with what it is.
    """
    return _recognise(path, None, ())


def open_prediction(path: Path, reference: Side, asked: Organs = ()) -> Side:
    """Recognise the prediction; what it does not say itself is taken from the reference.

    Where the reference does not say it either, an organ that is asked for alone does.

    Raises:
        UsageError: there is no such file or folder.
        NothingFoundError: `layout-unknown`.
        ChaosprepError: what is wrong with what it is.
    """
    return _recognise(path, reference, asked)


def _recognise(path: Path, reference: Side | None, asked: Organs) -> Side:
    try:
        side = _open(path, reference, asked)
        if len(side.organs) > _MOST:
            raise FileError(
                f"{path}: {len(side.organs)} organs or values are in it",
                "These look like images; give the folder of the masks.",
                code="mask-values",
            )
        return side
    except FileError as error:
        named = f"{error.file}: {error.reason}" if error.file else error.reason
        raise FileError(named, error.remedy, error.code) from error
    except OSError as error:
        raise ChaosprepError(
            f"{error.filename}: it cannot be listed ({error.strerror})",
            "Make it readable.",
            code="folder-unreadable",
        ) from error


def _open(path: Path, reference: Side | None, asked: Organs) -> Side:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder", "Check the path.", "root")
    if path.is_dir() and (is_stage_directory(path) or (path / WORKSPACE).exists()):
        return open_stage(path)
    if nifti_files(path):
        return open_nifti(path, reference)
    if path.is_dir():
        against_chaos = reference is not None and reference.kind == "CHAOS root"
        found = open_sets(path, reference) if against_chaos and reference else open_chaos(path)
        if found is not None:
            return found
        if pictures_below(path):
            return open_pictures(path, reference, asked)
    raise NothingFoundError(
        f"{path}: it is not known what this is", UNDERSTOOD, code="layout-unknown"
    )
