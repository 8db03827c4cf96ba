"""A tree as the NBIA Data Retriever leaves it: MR of EAY131, a file for each lesion of the liver.

`manifest/collection/PatientID/date-NA-description-digits/number-description-digits/1-01.dcm`, with
the table and the licence that it puts beside them.
"""

import shutil
from pathlib import Path
from zlib import crc32

import numpy as np
from pydicom import dcmread
from pydicom.uid import generate_uid

from tests.formats.structure_sets import Drawn, Structure, rtstruct
from tests.layouts.headers.scans import Scan, write_seg
from tests.recipes.scanned import block, named, pictures, scan, study_of

PATIENTS = ("1011541", "1475650", "1638204", "2290177", "2671530")
TOP, LEFT, SIZE = 8, 6, 4  # of the first lesion, in pixels; the second one is right of it


def write_eay131(root: Path) -> Path:
    """Five patients: three series of each, of which one is drawn on; a localizer, an ADC map."""
    for number, digits in enumerate(PATIENTS):
        patient = f"EAY131-{digits}"
        drawn = scan(patient, 7, "AX_THRIVE_PRE" if number % 2 else "WATER_AX_LAVA_FLEX")
        plain = [scan(patient, 4, "COR_T2_HASTE"), scan(patient, 5, "AX_T2_FS")]
        plain += [
            scan(patient, 1, "LOCALIZER_BH", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
            scan(patient, 9, "DADC", ImageType=["DERIVED", "PRIMARY", "ADC"]),
        ]
        for one in (drawn, *plain):
            folder = _folder(root, one, f"{one.more['SeriesNumber']}.000000-{named(one)}")
            for place, (_, file) in enumerate(pictures([one]), 1):
                (folder / f"1-{place:02d}.dcm").write_bytes(file)
        _lesion(root, drawn, 1, segmented=number == 3)
        if number:
            _lesion(root, drawn, 2, segmented=number == 3)
    (root / "liver" / "metadata.csv").write_text("Series UID,Collection,Subject ID,File Location\n")
    (root / "liver" / "EAY131" / "LICENSE").write_text(
        "Creative Commons Attribution 4.0 International\n"
    )
    return root


def _folder(root: Path, of: Scan, series: str) -> Path:
    digits = study_of(of)[-5:]
    made = root / "liver" / "EAY131" / of.patient / f"02-11-2004-NA-MR ABDOMEN-{digits}"
    folder = made / f"{series}-{crc32(series.encode()) % 100000:05d}"
    folder.mkdir(parents=True)
    return folder


def _lesion(root: Path, of: Scan, number: int, *, segmented: bool) -> None:
    """A lesion of 4 x 4 pixels on three slices, as contours or as a SEG."""
    said, left = f"LIVER - {number}", LEFT + 6 * (number - 1)
    path = _folder(root, of, f"NA-Pre-dose LIVER - {number}") / "1-1.dcm"
    if segmented:
        write_seg(path, of.sources(), block(of, TOP, left, SIZE), [said])
    else:
        path.write_bytes(rtstruct(Structure(said, _contours(of, TOP, left), frame=of.frame_uid)))
    made = dcmread(path)
    made.SeriesDescription = f"Pre-dose, {said}"
    made.PatientID = made.PatientName = of.patient
    made.StudyInstanceUID = study_of(of)
    made.SeriesInstanceUID = generate_uid(entropy_srcs=[of.patient, "drawn", said])
    made.save_as(path)


def _contours(of: Scan, top: int, left: int) -> list[Drawn]:
    """A square around the centres of 4 x 4 pixels on all slices but the first."""
    right, down, normal = of.axes
    low, high = -0.4, SIZE - 0.6
    corners = ((low, low), (low, high), (high, high), (high, low))
    found = []
    for place in range(1, of.count):
        corner = np.array(of.origin) + normal * of.step * place
        points = [
            corner + down * (top + row) * of.spacing[0] + right * (left + col) * of.spacing[1]
            for row, col in corners
        ]
        found.append(Drawn(np.array(points), uid=of.uid(place)))
    return found


def flatten(root: Path, to: Path) -> Path:
    """The same files as `nbia.downloadSeries` leaves them: a folder for each series."""
    for path in sorted(root.rglob("*.dcm")):
        folder = to / str(dcmread(path, stop_before_pixels=True).SeriesInstanceUID)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.name)
    return to
