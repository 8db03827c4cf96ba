"""Where the DICOM files of slices are: in a stage directory of split, or below a dataset root."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError
from chaosprep.files import read_regular, real
from chaosprep.formats.images import is_named_whole

Origin = Callable[[Slice], bytes]
"""Reads the DICOM file of a slice; pickles.

Raises:
    FileError: `dicom-missing`, or a file that is not as recorded.
"""


def origins(directory: Path) -> Callable[[str], Origin]:
    """Case id -> what reads its DICOM files, in a stage directory or a dataset root.

    Raises:
        ManifestError: it is a stage directory, but damaged.
    """
    if not is_stage_directory(directory):
        return lambda id: partial(_below, directory)
    dataset = open_dataset(directory)

    def find(id: str) -> Origin:
        try:
            return partial(_in_case, dataset.case(id))
        except KeyError:
            return partial(_in_case, None)

    return find


def _in_case(case: Case | None, row: Slice) -> bytes:
    if case is not None:
        for theirs in case.slices:
            if theirs.id == row.id and theirs.image.endswith(".dcm"):
                return case.read(theirs.image_file)
            if theirs.id == row.id and is_named_whole(theirs.image):
                raise FileError(
                    f"{row.id} came from a volume, and a DICOM SEG refers to DICOM files",
                    "Assemble it as NIfTI: leave --format and --dicom out.",
                    code="dicom-missing",
                )
    raise _no_dicom(row.id)


def _below(root: Path, row: Slice) -> bytes:
    path = root / row.source
    if not real(path).is_relative_to(real(root)):
        raise _no_dicom(row.id)
    try:
        return read_regular(path, follow=True)
    except FileError as error:
        if error.code == "file-missing":
            raise _no_dicom(row.id) from None
        raise


def _no_dicom(id: str) -> FileError:
    return FileError(
        f"the DICOM file of {id} is not there",
        "Give --dicom the split stage directory, or the dataset root that split was given.",
        code="dicom-missing",
    )
