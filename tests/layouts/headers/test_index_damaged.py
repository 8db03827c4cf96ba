"""Damaged files in the index: an entry each, soon, in little memory, and nothing is said.

CHAOSPREP_MUTATIONS sets how many are tried.
"""

import random
import time
import warnings
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from chaosprep.errors import FileError
from chaosprep.formats.dicom.objects import what_else
from chaosprep.formats.dicom.reading import read_headers
from chaosprep.layouts.headers.batches import Pool
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.index import read_batch
from tests import memory
from tests.attacks.grammars import batches, draws, scratched
from tests.attacks.test_dicom_structure import damaged
from tests.formats.samples import dicom
from tests.formats.structure_sets import rtstruct
from tests.formats.test_mutations import SEEDS
from tests.formats.test_segmentations import seg

FEW = 300
MASKS = [seg(), seg(kind="LABELMAP"), rtstruct(), rtstruct(undefined_lengths=True)]
DEFINED = [dicom(PatientID="7"), *SEEDS, *MASKS]


def entry_of(folder: Path, data: bytes) -> Entry:
    """The entry of a file, by the way on which all go."""
    (folder / "file").write_bytes(data)
    start = time.process_time()
    (entry,) = Pool().unpack(read_batch(folder, ["file"]))
    assert time.process_time() - start < 2
    return entry


def mutated(draw: random.Random) -> bytes:
    """A file cut, scratched, or spliced with another."""
    data = draw.choice(DEFINED)
    match draw.randrange(4):
        case 0:
            return data[: draw.randrange(len(data))]
        case 1:
            return scratched(data, draw, 132)
        case 2:
            at = draw.randrange(132, len(data))
            return data[:at] + draw.choice([b"\xff" * 4, bytes(4)]) + data[at + 4 :]
    other = draw.choice(DEFINED)
    return data[: draw.randrange(132, len(data))] + other[draw.randrange(132, len(other)) :]


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_file_is_one_entry(
    tmp_path: Path, batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("index", batch, FEW):
        entry = entry_of(tmp_path, damaged(draw) if draw.random() < 0.5 else mutated(draw))
        assert entry.path == "file"
        assert (entry.kind == "image") == bool(entry.heads)
        assert entry.kind in ("image", "foreign") or entry.what
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**20


@pytest.mark.parametrize("batch", batches(FEW))
def test_what_is_read_of_a_damaged_file_is_what_its_header_says(tmp_path: Path, batch: int) -> None:
    for draw in draws("index-headers", batch, FEW):
        data = damaged(draw) if draw.random() < 0.5 else mutated(draw)
        heads = entry_of(tmp_path, data).heads
        try:
            headers = read_headers(data)
        except FileError:
            continue  # the index does not look behind the pixels
        if heads:
            assert [head.sop_instance_uid for head in heads] == [
                header.sop_instance_uid for header in headers
            ]
            for head, header in zip(heads, headers, strict=True):
                assert (head.rows, head.cols) == (header.rows, header.cols)
                assert head.position == header.image_position_patient
                assert head.orientation == header.image_orientation_patient
                assert head.pixel_spacing == header.pixel_spacing
                assert dict(head.evidence) == dict(header.evidence)
        else:
            assert what_else(headers[0].evidence) is not None


@pytest.mark.parametrize("batch", batches(FEW))
def test_what_is_read_of_a_damaged_slice_is_what_pydicom_reads(tmp_path: Path, batch: int) -> None:
    for draw in draws("index-pydicom", batch, FEW):
        data = scratched(dicom(PatientID="7", InstanceNumber="12"), draw, 132)
        for head in entry_of(tmp_path, data).heads:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = dcmread(BytesIO(data), stop_before_pixels=True)
                assert (head.rows, head.cols) == (expected.Rows, expected.Columns)
                if expected.get_item("PatientID") is not None and (
                    expected.get_item("PatientID").VR != "LO"
                ):
                    continue  # pydicom cannot convert it
                assert head.evidence.get("PatientID", "") == (expected.get("PatientID") or "")


def test_enough_damaged_files_are_images(tmp_path: Path) -> None:
    found = [
        entry_of(tmp_path, damaged(draw)).kind
        for batch in range(2)
        for draw in draws("index", batch, 100)
    ]
    assert 10 < found.count("image") < len(found) - 10
