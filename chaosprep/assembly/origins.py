"""Where the DICOM files of slices are: in a stage directory of split, or below a dataset root."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError
from chaosprep.files import read_regular, real


@dataclass(frozen=True)
class Origin:
    """Where the DICOM files of a case are: in a case of split, or below a dataset root."""

    case: Case | None = None
    root: Path | None = None

    def read(self, row: Slice) -> bytes:
        """The DICOM file of a slice.

        Raises:
            FileError: `dicom-missing`, or a file that is not as recorded.
        """
        if self.root is not None:
            return _below(self.root, row)
        for theirs in self.case.slices if self.case is not None else ():
            if self.case is not None and theirs.id == row.id and theirs.image.endswith(".dcm"):
                return self.case.read(theirs.image_file)
        raise _no_dicom(row.id)


def origins(directory: Path) -> Callable[[str], Origin]:
    """Case id -> where its DICOM files are, in a stage directory or a dataset root.

    Raises:
        ManifestError: it is a stage directory, but damaged.
    """
    if not is_stage_directory(directory):
        return lambda id: Origin(root=directory)
    dataset = open_dataset(directory)

    def find(id: str) -> Origin:
        try:
            return Origin(case=dataset.case(id))
        except KeyError:
            return Origin()

    return find


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
