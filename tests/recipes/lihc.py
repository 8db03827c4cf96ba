"""A tree as `idc download-from-manifest` leaves it: TCGA-LIHC's MR with the SEG of BAMF's AIMI.

`collection_id/PatientID/StudyInstanceUID/Modality_SeriesInstanceUID/crdc_instance_uuid.dcm`, the
template that idc-index has by default.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from pydicom import dcmread

from tests.layouts.headers.scans import Scan, write_seg
from tests.recipes.scanned import block, phases, pictures, scan, study_of

AI = "AIMI liver AI segmentation"
CORRECTED = "AIMI liver radiologist 1 corrected segmentation"
SERIES = {
    "TCGA-DD-A1EK": ("T2 AX F/S BH",),
    "TCGA-DD-A4NB": ("mDIXON-W PRE", "mDIXON +C 1ST", "COR LAVA"),
    "TCGA-G3-A7M7": ("AX T1 VIBE FS PRE", *["AX T1 VIBE FS POST"] * 3),
    "TCGA-G3-AAV7": ("AX T1 FS VIBE PRE", *["AX T1 FS VIBE POST"] * 3),
    "TCGA-K7-AAU7": ("C+ AX 3D LATE PHAS20CC MAGNEVISTE",),
}
"""Patient -> what its segmented series are called. Two more are in `write_lihc`."""


def write_lihc(root: Path) -> Path:
    """Five patients: one was examined twice, one has three phases in a series, one is segmented."""
    for patient, names in SERIES.items():
        for number, name in enumerate(names, 1):
            one = scan(patient, number, name)
            _write(root, [one], one, CORRECTED if patient == "TCGA-G3-AAV7" else AI)
    later = scan("TCGA-DD-A4NB", 8, "Ax LAVA BH Asset", study=2)
    _write(root, [later], later, AI)
    dynamic = phases(scan("TCGA-DD-A1EK", 10, "T1 FAME AX+C"), 3)
    _write(root, dynamic, dynamic[1], AI)
    return root


def _write(root: Path, volumes: Sequence[Scan], segmented: Scan, said: str) -> None:
    """A series, and the SEG of one of its volumes: a liver of 8 x 8 pixels on three slices."""
    study = root / "tcga_lihc" / segmented.patient / study_of(segmented)
    folder = study / f"MR_{segmented.series_uid}"
    folder.mkdir(parents=True)
    for uid, file in pictures(volumes):
        (folder / f"{uuid5(NAMESPACE_OID, uid)}.dcm").write_bytes(file)
    made = write_seg(root / "seg", segmented.sources(), block(segmented, 8, 6, 8), ["Liver"])
    seg = dcmread(made)
    made.unlink()
    seg.SeriesDescription, seg.SeriesNumber = said, 300
    folder = study / f"SEG_{seg.SeriesInstanceUID}"
    folder.mkdir()
    seg.save_as(folder / f"{uuid5(NAMESPACE_OID, seg.SOPInstanceUID)}.dcm")
