"""Names and codes of the segments that are written: read back by highdicom, pydicom and split."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

import chaosprep
from chaosprep.assembly.origins import Origin, origins
from chaosprep.assembly.segmentation import write_segmentation
from chaosprep.assembly.segments import shortened_note
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError
from chaosprep.facts import Code, Label
from chaosprep.formats.seg import SEG
from chaosprep.phantom import Patient, write_chaos

hd = pytest.importorskip("highdicom")

CASE = "MR001_t1-in"
AMOS = {  # name -> SNOMED CT code and laterality
    "spleen": ("78961009", None),
    "right kidney": ("9846003", None),
    "left kidney": ("18639004", None),
    "gall bladder": ("28231008", None),
    "esophagus": ("32849002", None),
    "liver": ("10200004", None),
    "stomach": ("69695003", None),
    "aorta": ("15825003", None),
    "postcava": ("64131007", None),
    "pancreas": ("15776009", None),
    "right adrenal gland": ("23451007", "24028007"),
    "left adrenal gland": ("23451007", "7771000"),
    "duodenum": ("38848004", None),
    "bladder": ("89837001", None),
    "prostate/uterus": (None, None),
}
SEGMENT = Code("SCT", "277956007", "Couinaud hepatic segment II")


class Series:
    """A series of the phantom, and segmentations of it with any names."""

    def __init__(self, root: Path, edit: Callable[[Dataset], None] | None = None) -> None:
        patient = Patient(id=1, slices=4, matrix=32, sequences=("t1-in",))
        self.place = write_chaos(root / "root", [patient])
        for path in self.place.rglob("*.dcm") if edit else ():
            image = dcmread(path)
            edit(image) if edit else None
            image.save_as(path)
        pairs = chaosprep.split(self.place, root / "pairs", val=0.0)
        self.rows: tuple[Slice, ...] = pairs.case(CASE).slices
        found = origins(pairs.directory)(CASE)
        self.origin: Origin = found

    def planes(self, values: list[int]) -> NDArray[np.uint16]:
        draw = np.random.default_rng(0)
        first = self.rows[0]
        shape = (len(self.rows), first.rows, first.cols)
        return draw.choice(np.array([0, *values], np.uint16), shape)

    def write(
        self, file: Path, names: list[str], codes: Mapping[str, Code] | None = None
    ) -> tuple[Path, int]:
        labels = {name: number for number, name in enumerate(names, start=1)}
        planes = self.planes([*labels.values()][-15:])  # a mask shows 256 values at most
        count = write_segmentation(
            file, self.rows, planes, labels, self.origin, automatic=False, codes=codes or {}
        )
        return file, count


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return Series(tmp_path_factory.mktemp("series"))


Write = Callable[..., Path]


@pytest.fixture
def write(series: Series, tmp_path: Path) -> Write:
    def one(*names: str, codes: Mapping[str, Code] | None = None) -> Path:
        file = tmp_path / f"{len([*tmp_path.iterdir()])}.dcm"
        return series.write(file, [*names], codes)[0]

    return one


def kinds(file: Path) -> dict[str, Dataset]:
    """SegmentLabel -> the item of the property type, as pydicom reads it."""
    segments = dcmread(file).SegmentSequence
    return {one.SegmentLabel: one.SegmentedPropertyTypeCodeSequence[0] for one in segments}


def triple(item: Dataset) -> tuple[str, str, str]:
    return item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning


def test_amos_reads_back_with_its_names_codes_and_pixels(series: Series, write: Write) -> None:
    file = write(*AMOS)
    seg = hd.seg.segread(file)
    for number, (name, (value, side)) in enumerate(AMOS.items(), start=1):
        described = seg.get_segment_description(number)
        assert described.segment_label == name
        kind = described.segmented_property_type
        if value is not None:
            assert (kind.scheme_designator, kind.value) == ("SCT", value)
        sides = kinds(file)[name].get("SegmentedPropertyTypeModifierCodeSequence") or ()
        assert [(one.CodingSchemeDesignator, one.CodeValue) for one in sides] == (
            [("SCT", side)] if side else []
        )
        assert described.segmented_property_category.value == "123037004"
    volume = seg.get_volume(combine_segments=True)
    assert np.array_equal(
        np.sort(volume.array.ravel()), np.sort(series.planes([*range(1, 16)]).ravel())
    )


def test_a_name_without_a_code_gets_a_private_one_and_never_anothers(write: Write) -> None:
    names = ["liver tumour", "prostate/uterus", "label-3", "liver"]
    found = kinds(write(*names))
    private = {name: triple(found[name]) for name in names[:3]}
    for name, (scheme, value, meaning) in private.items():
        assert (scheme, meaning) == ("99CHAOSPREP", name)
        assert 0 < len(value) <= 16
        assert value.isalnum()
    assert len({value for _, value, _ in private.values()}) == 3
    assert triple(kinds(write("aorta", "label-3"))["label-3"]) == private["label-3"]
    assert triple(found["liver"]) == ("SCT", "10200004", "Liver")


def test_the_private_scheme_is_declared_where_it_is_used(write: Write) -> None:
    (scheme,) = dcmread(write("label-3")).CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99CHAOSPREP"
    assert "CodingSchemeIdentificationSequence" not in dcmread(write("liver"))


def test_no_part_of_any_code_is_empty(write: Write) -> None:
    file = write("liver", "x", "tumour", "right lung", codes={"x": Code("99X", "1", "")})
    for segment in dcmread(file).SegmentSequence:
        for group in ("Category", "Type"):
            (item,) = segment[f"SegmentedProperty{group}CodeSequence"].value
            assert all(triple(item))
    assert triple(kinds(file)["x"]) == ("99X", "1", "x")


def test_a_code_that_is_given_goes_first(write: Write) -> None:
    codes = {"liver": SEGMENT}
    assert triple(kinds(write("liver", codes=codes))["liver"]) == SEGMENT


def test_a_given_code_of_a_pair_keeps_its_side(write: Write) -> None:
    """As a segmentation by dcmqi has it; the side stands beside the code."""
    found = kinds(write("right lung", codes={"right lung": Code("SCT", "39607008", "Lung")}))
    (side,) = found["right lung"].SegmentedPropertyTypeModifierCodeSequence
    assert side.CodeValue == "24028007"
    other = kinds(write("right lung", codes={"right lung": SEGMENT}))["right lung"]
    assert "SegmentedPropertyTypeModifierCodeSequence" not in other


def test_two_structures_of_one_code_stay_apart_by_their_labels(write: Write) -> None:
    file = write("lesion a", "lesion b", codes={"lesion a": SEGMENT, "lesion b": SEGMENT})
    assert {name: triple(item) for name, item in kinds(file).items()} == {
        "lesion a": SEGMENT,
        "lesion b": SEGMENT,
    }
    assert SEG.legend is not None
    assert SEG.legend(file.read_bytes()) == {
        1: Label("lesion a", SEGMENT),
        2: Label("lesion b", SEGMENT),
    }


def test_a_lesion_is_no_anatomical_structure(write: Write) -> None:
    segments = dcmread(write("kidney", "tumor", "cyst")).SegmentSequence
    found = {
        one.SegmentLabel: one.SegmentedPropertyCategoryCodeSequence[0].CodeValue for one in segments
    }
    assert found == {"kidney": "123037004", "tumor": "49755003", "cyst": "49755003"}


def test_a_private_code_is_none_when_it_is_read_again(write: Write) -> None:
    assert SEG.legend is not None
    assert SEG.legend(write("liver", "label-3").read_bytes()) == {
        1: Label("liver", Code("SCT", "10200004", "Liver")),
        2: Label("label-3"),
    }


def test_a_long_name_is_shortened_to_one_of_its_own(series: Series, tmp_path: Path) -> None:
    names = ["x" * 64, "x" * 65, "x" * 66, "a\\b", "a/b"]
    file, count = series.write(tmp_path / "a.dcm", names)
    assert count == 3
    segments = dcmread(file).SegmentSequence
    labels = [one.SegmentLabel for one in segments]
    assert labels[0] == names[0]
    assert len({*labels}) == 5
    assert all(len(label) <= 64 for label in labels)
    described = [one.get("SegmentDescription") for one in segments]
    assert described == [None, *names[1:4], None]
    (note,) = shortened_note(count)
    assert note.startswith("3 names of more than 64 characters")
    assert shortened_note(0) == ()


def test_names_of_any_script_are_read_back(write: Write) -> None:
    names = ["Lebergefäße", "肝臓", "печень"]
    file = write(*names)
    assert [*kinds(file)] == names
    seg = hd.seg.segread(file)
    assert [seg.get_segment_description(n).segment_label for n in (1, 2, 3)] == names
    assert SEG.legend is not None
    assert [label.name for label in SEG.legend(file.read_bytes()).values()] == names


def test_a_code_of_any_script_is_read_back(write: Write) -> None:
    code = Code("99LOCAL", "L1", "Foie gâché 肝")
    assert triple(kinds(write("liver", codes={"liver": code}))["liver"]) == code


def test_the_patients_name_stays_what_it_is_in_another_character_set(tmp_path: Path) -> None:
    def latin(image: Dataset) -> None:
        image.SpecificCharacterSet, image.PatientName = "ISO_IR 100", "Müller^Jörg"

    file, _ = Series(tmp_path, latin).write(tmp_path / "a.dcm", ["肝臓"])
    assert dcmread(file).PatientName == "Müller^Jörg"


def test_more_structures_than_8_bits_have_values(series: Series, tmp_path: Path) -> None:
    file, _ = series.write(tmp_path / "a.dcm", [f"part {n}" for n in range(300)])
    assert hd.seg.segread(file).number_of_segments == 300


def test_a_value_that_stands_for_nothing_is_refused(series: Series, tmp_path: Path) -> None:
    labels: dict[str, int] = {"liver": 1, "spleen": 3}
    with pytest.raises(FileError, match="1 value of its masks, 2 the lowest") as caught:
        write_segmentation(
            tmp_path / "a.dcm",
            series.rows,
            series.planes([1, 2, 3]),
            labels,
            series.origin,
            automatic=False,
            codes={},
        )
    assert caught.value.code == "mask-values"


@pytest.mark.parametrize(
    "code", [Code("S" * 17, "1", "x"), Code("99A\\B", "1", "x"), Code("99A", "1\n", "x")]
)
def test_a_code_that_dicom_cannot_hold_is_refused(write: Write, code: Code) -> None:
    with pytest.raises(FileError) as caught:
        write("liver", codes={"liver": code})
    assert caught.value.code == "seg"


def test_other_codes_are_another_instance(write: Write) -> None:
    files = [write("liver"), write("liver"), write("liver", codes={"liver": SEGMENT})]
    one, same, other = (str(dcmread(file).SOPInstanceUID) for file in files)
    assert one == same
    assert one != other
