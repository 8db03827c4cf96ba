"""What tells people, series and volumes apart is read from the header as it stands there."""

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_header, read_headers
from tests.formats.differential import agrees
from tests.formats.samples import dataset, dicom, encoded, item


def test_texts_of_the_root_are_kept_as_they_are() -> None:
    said = {
        "PatientID": "TEST-1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.4",
        "FrameOfReferenceUID": "1.2.5",
        "SeriesNumber": "7",
        "ConvolutionKernel": "B30f",
        "AcquisitionNumber": "3",
        "RepetitionTime": "2.50",
    }
    evidence = read_header(dicom(**said)).evidence
    assert {keyword: evidence[keyword] for keyword in said} == said


def test_a_name_in_any_alphabet_keeps_its_bytes() -> None:
    named = dataset(SpecificCharacterSet="ISO_IR 144", PatientName="Дюж")
    evidence = read_header(encoded(named, ExplicitVRLittleEndian)).evidence
    assert evidence["PatientName"].encode("latin-1").decode("iso8859_5") == "Дюж"


def test_what_is_not_there_is_not_in_it() -> None:
    assert "ConvolutionKernel" not in read_header(dicom(ConvolutionKernel="")).evidence


def test_frames_of_an_enhanced_file_have_their_own() -> None:
    groups = [
        item(
            MREchoSequence=item(EffectiveEchoTime=echo),
            MRDiffusionSequence=item(DiffusionBValue=b),
            FrameContentSequence=item(TemporalPositionIndex=time),
            CardiacSynchronizationSequence=item(NominalCardiacTriggerDelayTime=90.0 * time),
            CTXRayDetailsSequence=item(KVP=kv),
        )[0]
        for echo, b, time, kv in ((2.3, 0.0, 1, 80), (4.6, 800.0, 2, 140))
    ]
    data = dicom(NumberOfFrames="2", PerFrameFunctionalGroupsSequence=Sequence(groups))
    keywords = "EchoTime", "DiffusionBValue", "TemporalPositionIdentifier", "TriggerTime", "KVP"
    found = [tuple(h.evidence[keyword] for keyword in keywords) for h in read_headers(data)]
    assert found == [("2.3", "0.0", "1", "90.0", "80.0"), ("4.6", "800.0", "2", "180.0", "140.0")]


def siemens(count: int) -> Dataset:
    made = dataset()
    made.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", count)
    return made


def uih(count: int) -> Dataset:
    made = dataset()
    made.private_block(0x0065, "Image Private Header", create=True).add_new(0x50, "DS", str(count))
    return made


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("maker", [siemens, uih])
def test_a_grid_of_slices_is_known_by_its_makers_number(
    maker: Callable[[int], Dataset], syntax: UID
) -> None:
    data = encoded(maker(9), syntax)
    assert not agrees(data)  # the plain reader leaves it to pydicom's
    with pytest.raises(FileError, match="a grid of 9 slices"):
        read_header(data)


@pytest.mark.parametrize("kind", ["MOSAIC", "VFRAME"])
def test_a_grid_of_slices_is_known_by_its_image_type(kind: str) -> None:
    with pytest.raises(FileError, match="a grid of several slices"):
        read_header(dicom(ImageType=["ORIGINAL", "PRIMARY", "M", kind]))


def test_another_makers_private_number_is_no_grid() -> None:
    made = dataset()
    made.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x0A, "US", 9)
    assert read_header(encoded(made, ExplicitVRLittleEndian)).frames == 1
    assert read_header(dicom()).frames == 1
