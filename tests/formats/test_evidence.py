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


MAKERS: dict[str, tuple[int, str, int, str, object]] = {
    "Siemens": (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "800"),
    "GE": (0x0043, "GEMS_PARM_01", 0x39, "IS", ["1000000800", "8", "0", "0"]),
    "older GE": (0x0043, "GEMS_PARM_01", 0x39, "IS", ["800", "8", "0", "0"]),
    "Philips": (0x2001, "Philips Imaging DD 001", 0x03, "FL", 800.0),
    "United Imaging": (0x0065, "Image Private Header", 0x09, "FD", 800.0),
}


def private(group: int, owner: str, element: int, vr: str, value: object) -> Dataset:
    made = dataset(Manufacturer="A maker")
    made.private_block(group, owner, create=True).add_new(element, vr, value)
    return made


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("maker", list(MAKERS))
def test_a_makers_own_b_value_stands_in_for_the_standard_one(maker: str, syntax: UID) -> None:
    data = encoded(private(*MAKERS[maker]), syntax)
    assert agrees(data)
    assert read_header(data).evidence["DiffusionBValue"] == "800"


def test_the_standard_b_value_counts_before_a_makers_own() -> None:
    made = private(*MAKERS["Siemens"])
    made.DiffusionBValue = 50.0
    assert read_header(encoded(made, ExplicitVRLittleEndian)).evidence["DiffusionBValue"] == "50.0"


def test_a_b_value_of_another_owner_is_none() -> None:
    made = private(0x0019, "GEMS_ACQU_01", 0x0C, "IS", "800")
    evidence = read_header(encoded(made, ExplicitVRLittleEndian)).evidence
    assert "DiffusionBValue" not in evidence


@pytest.mark.parametrize(
    ("value", "component"),
    list(enumerate(("MAGNITUDE", "PHASE", "REAL", "IMAGINARY"))),
)
def test_ge_tells_magnitude_and_phase_by_a_number_of_its_own(value: int, component: str) -> None:
    data = encoded(private(0x0043, "GEMS_PARM_01", 0x2F, "SS", value), ExplicitVRLittleEndian)
    assert agrees(data)
    assert read_header(data).evidence["ComplexImageComponent"] == component


def test_frames_have_directions_and_places_among_all_dimensions() -> None:
    groups = [
        item(
            MRDiffusionSequence=item(
                DiffusionGradientDirectionSequence=item(DiffusionGradientOrientation=direction)
            ),
            FrameContentSequence=item(DimensionIndexValues=[1, place]),
        )[0]
        for place, direction in enumerate(([1.0, 0.0, 0.0], [0.0, 0.6, 0.8]), start=1)
    ]
    data = dicom(NumberOfFrames="2", PerFrameFunctionalGroupsSequence=Sequence(groups))
    keywords = "DiffusionGradientOrientation", "DimensionIndexValues"
    found = [tuple(h.evidence[keyword] for keyword in keywords) for h in read_headers(data)]
    assert found == [("1\\0\\0", "1\\1"), ("0\\0.6\\0.8", "1\\2")]
