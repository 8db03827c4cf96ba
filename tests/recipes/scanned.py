"""Examinations of phantoms: series of several scanners, by what they are called."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from tests.layouts.headers.scans import Scan

ROWS, COLS = 24, 32


def scan(patient: str, number: int, description: str, *, study: int = 1, **more: Any) -> Scan:
    """A series of a study of a patient; coronal if it is called so."""
    coronal = "COR" in description.upper().replace("_", " ").split()
    uid = generate_uid(entropy_srcs=[patient, "study", str(study)])
    said = {
        "StudyInstanceUID": uid,
        "StudyDate": f"2004021{study}",
        "PatientName": patient,
        "SeriesNumber": number,
        "SeriesDescription": description,
    }
    return Scan(
        patient=patient,
        series=f"{study}-{number}",
        orientation="coronal" if coronal else "axial",
        rows=ROWS,
        cols=COLS,
        frame=f"frame of {study}",
        more=said | more,
    )


def phases(of: Scan, count: int) -> list[Scan]:
    """The phases of a series that holds several, each a volume on the same grid."""
    return [
        replace(of, image=f"-{place}", more={**of.more, "TemporalPositionIdentifier": place})
        for place in range(1, count + 1)
    ]


def block(of: Scan, top: int, left: int, size: int) -> NDArray[np.uint8]:
    """(slices, rows, cols): a square on all slices but the first."""
    made = np.zeros((of.count, of.rows, of.cols), np.uint8)
    made[1:, top : top + size, left : left + size] = 1
    return made


def study_of(of: Scan) -> str:
    return str(of.more["StudyInstanceUID"])


def named(of: Scan) -> str:
    return str(of.more["SeriesDescription"])


def pictures(some: Sequence[Scan]) -> list[tuple[str, bytes]]:
    """(SOPInstanceUID, file) of each slice of some volumes."""
    return [(one.uid(place), one.slice(place)) for one in some for place in range(one.count)]
