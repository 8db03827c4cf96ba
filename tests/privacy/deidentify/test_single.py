"""`chaosprep.deidentify`: what belongs to a data set's images goes on referring to them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

import chaosprep
from chaosprep.errors import FileError, UsageError
from tests.privacy import canaries
from tests.stages.deidentified import pixels_at, planted, read, split, write_key, write_root


@pytest.fixture
def key(tmp_path: Path) -> str:
    return write_key(tmp_path / "secret.key")


def test_a_file_becomes_what_split_makes_of_it(tmp_path: Path, key: str) -> None:
    made = split(write_root(tmp_path / "root"), tmp_path / "out", pseudonymize=key)
    files = {(made.directory / row.image).read_bytes() for row in made.slices}
    patients = {row.patient for row in made.slices}
    source = tmp_path / "root/scans/Roe_R/1.dcm"
    alone = {chaosprep.deidentify(source, key=key, patient=one) for one in patients}
    assert len(alone & files) == 1
    assert chaosprep.deidentify(source.read_bytes(), key=Path(key), patient=made.patients[0]) in (
        alone
    )


def test_a_segmentation_refers_to_the_images_of_the_data_set(tmp_path: Path, key: str) -> None:
    pytest.importorskip("highdicom")
    from tests.layouts.headers.scans import Scan, write_seg

    scan = Scan()
    scan.write(tmp_path / "root")
    seg = write_seg(tmp_path / "seg.dcm", scan.sources(), scan.labels(1))
    made = chaosprep.split(
        tmp_path / "root", tmp_path / "out", val=0, deidentify=True, pseudonymize=key
    )
    (patient,) = made.patients
    data = chaosprep.deidentify(seg, key=key, patient=patient)
    found = dcmread(BytesIO(data))
    named = {str(one.value) for one in found.iterall() if one.keyword == "ReferencedSOPInstanceUID"}
    uids = {str(read(made, row.image).SOPInstanceUID) for row in made.slices}
    assert named
    assert named <= uids
    assert found.StudyInstanceUID == read(made, made.slices[0].image).StudyInstanceUID
    assert np.array_equal(found.pixel_array, dcmread(seg).pixel_array)


def test_pixels_stay_and_nothing_else_that_identifies(tmp_path: Path, key: str) -> None:
    data = chaosprep.deidentify(planted(0), key=key, patient="P0123456789")
    assert np.array_equal(dcmread(BytesIO(data)).pixel_array, pixels_at(0, 1))
    assert [one for one in canaries.CANARIES if canaries.holds(data, one)] == []


def test_a_pseudonym_has_letters_and_digits(key: str) -> None:
    for patient in ("", "Doe^Jane", "a\\b", "é", "x" * 65):
        with pytest.raises(UsageError) as caught:
            chaosprep.deidentify(planted(0), key=key, patient=patient)
        assert caught.value.code == "parameter"


def test_what_cannot_be_read_is_named(tmp_path: Path, key: str) -> None:
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    with pytest.raises(FileError) as caught:
        chaosprep.deidentify(tmp_path / "a.dcm", key=key, patient="P1")
    assert (caught.value.code, caught.value.file) == ("not-dicom", str(tmp_path / "a.dcm"))
    with pytest.raises(UsageError):
        chaosprep.deidentify(planted(0), key=tmp_path / "no.key", patient="P1")


def test_text_in_pixels_is_refused_unless_accepted(key: str) -> None:
    data = planted(0, BurnedInAnnotation="YES")
    with pytest.raises(FileError) as caught:
        chaosprep.deidentify(data, key=key, patient="P1")
    assert caught.value.code == "burned-in"
    assert chaosprep.deidentify(data, key=key, patient="P1", accept_burned_in=True)
