"""Files that others made: each is de-identified, or refused by name; and it is the same image.

Of pydicom's own files each is tried. The public series of `make test-peers` are where they were
downloaded.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pydicom.data
import pytest
from pydicom import Dataset, dcmread

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_frames, read_headers
from chaosprep.imaging.header import Header
from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.deidentify.left import left
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.groups import KIND, LOOSE, SERIES, STRICT
from tests.layouts.headers.peers_volumes import CLONED, DATA, kind_of

Made = TypeVar("Made")
KEY = Key(b"k" * 32)
PATIENT = "P0123456789"
ROOT = Path(pydicom.data.__file__).parent / "test_files"
FILES = [
    path for path in sorted(ROOT.rglob("*")) if path.is_file() and "__pycache__" not in str(path)
]
IDS = [str(path.relative_to(ROOT)) for path in FILES]
CODES = {
    *("not-dicom", "dicom-truncated", "dicom-broken", "deidentify-kind", "transfer-syntax"),
    "too-large",
}
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
PLACE = {*KIND, *STRICT, *LOOSE, "TriggerTime", "DimensionIndexValues", "AcquisitionTime"}
"""Evidence that tells slices and volumes apart, and nobody's."""
WHO = (
    *("PatientID", "PatientName", "OtherPatientIDs", "AccessionNumber", "ReferringPhysicianName"),
    *("InstitutionName", "StationName", "OperatorsName", "SOPInstanceUID", "StudyInstanceUID"),
    *("SeriesInstanceUID", "FrameOfReferenceUID", "ReferencedSOPInstanceUID"),
)


def passed_on(data: bytes) -> bytes:
    return deidentified(data, PATIENT, KEY, accept_burned_in=True)


def attempt(read: Callable[[bytes], Made], data: bytes) -> tuple[Made | None, str]:
    """What is made of a file, or the code of the error."""
    try:
        return read(data), ""
    except FileError as error:
        return None, error.code


def parsed(data: bytes) -> Dataset:
    return dcmread(BytesIO(data), force=True)


def elements(dataset: Dataset) -> Iterator[Any]:
    for element in dataset:
        yield element
        for item in element.value if element.VR == "SQ" else ():
            yield from elements(item)


def values(dataset: Dataset) -> set[str]:
    """What identifies in a header, but values that are in any: short ones."""
    found: set[str] = set()
    for element in elements(dataset):
        if element.keyword in WHO:
            several = element.value if element.VM > 1 else [element.value]
            found.update(str(one) for one in several or ())
    # A maker's name stays, and an institution may be called so.
    makers = [str(one.value) for one in elements(dataset) if one.keyword == "Manufacturer"]
    return {one for one in found if len(one) > 6 and not any(one in maker for maker in makers)}


def telling(header: Header) -> dict[str, str]:
    return {keyword: text for keyword, text in header.evidence.items() if keyword in PLACE}


def nameless(header: Header) -> Header:
    """A header without what changes: UIDs, and what is said of people and series."""
    return replace(header, sop_instance_uid="", evidence=telling(header))


@pytest.mark.parametrize("path", FILES, ids=IDS)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_file_of_pydicoms_is_the_same_image_or_refused_by_name(path: Path) -> None:
    data = path.read_bytes()
    made, code = attempt(passed_on, data)
    if made is None:
        assert code in CODES
        return
    was, now = parsed(data), parsed(made)
    assert left(made, PATIENT) == ()
    for keyword in PIXELS:
        assert now.get(keyword) == was.get(keyword)
    assert [value for value in sorted(values(was)) if value.encode() in made] == []
    frames, again = attempt(read_frames, data), attempt(read_frames, made)
    assert again[1] == frames[1] or frames[1] == "not-dicom"  # for want of a preamble
    if frames[0] and again[0]:
        assert again[0][1].tobytes() == frames[0][1].tobytes()
        assert list(map(nameless, again[0][0])) == list(map(nameless, frames[0][0]))


def public() -> list[Path]:
    """The files of public series that were downloaded."""
    folders = [DATA / name / place for name, place in CLONED.items()]
    return [path for one in folders for path in sorted(one.rglob("*")) if path.is_file()]


@pytest.mark.peers
@pytest.mark.skipif(not public(), reason="no public series: make test-peers")
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom", "ignore::UserWarning:highdicom")
def test_highdicom_reads_every_segmentation_that_it_read_before() -> None:
    segread = pytest.importorskip("highdicom").seg.segread
    tried = 0
    for path in public():
        data = path.read_bytes()
        if kind_of(path) != "SEG":
            continue
        was, now = segread(BytesIO(data)), segread(BytesIO(passed_on(data)))
        assert now.number_of_segments == was.number_of_segments
        assert now.PixelData == was.PixelData
        tried += 1
    assert tried > 10


@pytest.mark.peers
@pytest.mark.skipif(not public(), reason="no public series: make test-peers")
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_slices_of_public_series_are_told_apart_as_before() -> None:
    series: dict[str, dict[str, str]] = defaultdict(dict)
    tried = 0
    for path in public():
        data = path.read_bytes()
        headers, _ = attempt(read_headers, data)
        if headers is None:
            continue
        made = passed_on(data)
        assert left(made, PATIENT) == ()
        now = read_headers(made)
        assert list(map(nameless, now)) == list(map(nameless, headers)), path
        assert [value for value in sorted(values(parsed(data))) if value.encode() in made] == []
        for keyword in (*SERIES[:3], "SeriesNumber"):
            text = headers[0].evidence.get(keyword, "")
            series[keyword].setdefault(text, now[0].evidence.get(keyword, ""))
            assert series[keyword][text] == now[0].evidence.get(keyword, "")
        tried += 1
    assert tried > 100
    for keyword, found in series.items():
        assert len(set(found.values())) == len(found), keyword
