"""The data that the pages of docs/have and docs/train begin with, made of the sample data."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread
from pydicom.fileset import FileSet

import chaosprep
from tests.documents import HOME

CHAOS = HOME / "sample_data/CHAOS_Train_Sets"


def chaos(place: Path) -> None:
    """CHAOS as it was downloaded."""
    (place / "CHAOS_Train_Sets").symlink_to(CHAOS)


def pacs(place: Path) -> None:
    """The MR of the sample data as a file set with its DICOMDIR; the phases are told by echo."""
    media = FileSet()
    for path in sorted((CHAOS / "Train_Sets/MR").rglob("*.dcm")):
        image = dcmread(path)
        image.PatientID = f"PACS-{image.PatientName}"  # a DICOMDIR must have one
        image.StudyDate, image.StudyTime = "20000101", "120000"
        media.add(image)
    media.write(place / "pacs")
    vars(media)["_stage"]["t"].cleanup()  # pydicom leaves it to the collector, which warns


def volumes(place: Path) -> None:
    """Images and label maps as NIfTI, with a legend."""
    split = chaosprep.split(CHAOS, place / "first/split", jobs=1)
    organs = chaosprep.extract_liver(split, place / "first/organs", all_organs=True, jobs=1)
    made = chaosprep.assemble(organs, place / "SET").path
    (made / "masks").rename(made / "labels")


def structures(place: Path) -> None:
    """T2 of the sample data as one folder without names, and masks as DICOM SEG in another."""
    split = chaosprep.split(CHAOS, place / "first/split", sequence=["t2-spir"], val=0, jobs=1)
    organs = chaosprep.extract_liver(split, place / "first/organs", all_organs=True, jobs=1)
    made = chaosprep.assemble(organs, place / "first/seg", format="seg", dicom=str(CHAOS)).path
    (place / "segs").mkdir()
    for file in sorted(made.rglob("*.dcm")):
        file.rename(place / "segs" / file.name)
    (place / "scans").mkdir()
    for number, file in enumerate(sorted(CHAOS.rglob("T2SPIR/DICOM_anon/*.dcm"))):
        shutil.copy(file, place / f"scans/IM{number:04}")


PLACES: dict[str, Callable[[Path], None]] = {
    "have/chaos": chaos,
    "have/pacs": pacs,
    "have/volumes": volumes,
    "have/structures": structures,
    "train/nnunet": chaos,
    "train/monai": chaos,
    "train/pytorch": chaos,
    "train/huggingface": chaos,
}
