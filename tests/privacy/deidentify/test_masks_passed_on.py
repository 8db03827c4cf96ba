"""SEG and structure sets, de-identified with their images: they refer to them as before."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.deidentify.left import left
from chaosprep.privacy.pseudonyms import Key
from tests.formats.structure_sets import Drawn, Structure, rtstruct
from tests.layouts.headers.scans import Scan, split, square, write_seg, write_structures

hd = pytest.importorskip("highdicom")
KEY = Key(b"another key, of 32 bytes and more")
ONE = Scan()
TWO = Scan(patient="B-2", orientation="oblique", origin=(5.0, -7.5, 31.0))


def passed_on(root: Path, *, key: Key = KEY) -> Path:
    """A copy of a tree with each file de-identified, of a patient for each folder."""
    copy = root.parent / "passed on"
    for path in sorted(root.rglob("*")):
        if path.is_file():
            patient = key.patient(path.relative_to(root).parts[0])
            place = copy / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(deidentified(path.read_bytes(), patient, key))
    return copy


def planes(root: Path) -> list[NDArray[np.uint8]]:
    return sorted(split(root).values(), key=lambda one: one.tobytes())


def named(names: list[str], tmp_path: Path) -> list[str]:
    """The labels of a SEG with these, once it is passed on."""
    path = write_seg(tmp_path / "seg", ONE.sources(), ONE.labels(*range(1, len(names) + 1)), names)
    made = dcmread(BytesIO(deidentified(path.read_bytes(), "P1", KEY)))
    return [str(segment.SegmentLabel) for segment in made.SegmentSequence]


def test_masks_find_their_images_as_before(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    TWO.write(root / "b")
    write_seg(root / "a" / "IM0001", ONE.sources(), ONE.labels(1, 2), ["liver", "spleen"])
    write_structures(root / "b" / "x", TWO)
    expected = sorted([ONE.labels(1, 2), square(TWO)], key=lambda one: one.tobytes())
    for found, wanted in zip(planes(passed_on(root)), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_every_reference_is_to_a_file_that_was_passed_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "a" / "seg", ONE.sources(), ONE.labels(1))
    write_structures(root / "a" / "rt", ONE)
    files = [dcmread(path) for path in passed_on(root).rglob("*") if path.is_file()]
    images = {one.SOPInstanceUID for one in files if one.Modality not in ("SEG", "RTSTRUCT")}
    assert len(images) == ONE.count
    assert images.isdisjoint(map(ONE.uid, range(ONE.count)))

    def referred(item: Dataset) -> set[str]:
        found = (
            {str(item.ReferencedSOPInstanceUID)} if "ReferencedSOPInstanceUID" in item else set()
        )
        nested = (one for element in item if element.VR == "SQ" for one in element.value)
        return found.union(*map(referred, nested))

    masks = [one for one in files if one.Modality in ("SEG", "RTSTRUCT")]
    assert len(masks) == 2
    assert all(referred(one) and referred(one) <= images for one in masks)
    (frame,) = {one.FrameOfReferenceUID for one in files if "FrameOfReferenceUID" in one}
    (drawn,) = (one for one in masks if one.Modality == "RTSTRUCT")
    assert drawn.StructureSetROISequence[0].ReferencedFrameOfReferenceUID == frame
    assert frame != ONE.frame_uid


def test_highdicom_reads_a_seg_that_was_passed_on(tmp_path: Path) -> None:
    labels = ONE.labels(1, 2)
    path = write_seg(tmp_path / "seg", ONE.sources(), labels, ["liver", "spleen"])
    made = hd.seg.segread(BytesIO(deidentified(path.read_bytes(), "P1", KEY)))
    was = hd.seg.segread(path)
    assert made.PixelData == was.PixelData
    assert made.number_of_segments == 2
    described = [made.get_segment_description(number) for number in (1, 2)]
    assert [one.segment_label for one in described] == ["liver", "spleen"]
    code = described[0].segmented_property_type
    assert (code.value, code.scheme_designator) == ("10200004", "SCT")
    uids = [uids[2] for uids in made.get_source_image_uids()]
    assert len(uids) == len(was.get_source_image_uids())
    frames = made.get_pixels_by_source_instance(uids, combine_segments=True)
    np.testing.assert_array_equal(frames, labels[-len(uids) :])


def test_names_of_structures_that_cleaning_makes_equal_stay_apart(tmp_path: Path) -> None:
    found = named(["Lesion Smith", "Lesion Jones", "liver"], tmp_path)
    assert found[2] == "liver"
    assert len(set(found)) == 3
    assert all(re.fullmatch(r"Lesion [0-9a-f]{8}", one) for one in found[:2])


def test_names_of_which_nothing_stays_are_the_same_in_all_files_of_a_key(tmp_path: Path) -> None:
    first = named(["liver", "Smithoma", "Jonesoma"], tmp_path)
    second = named(["Jonesoma", "smithoma", "liver"], tmp_path)
    assert len(set(first)) == 3
    assert sorted(first) == sorted(second)
    assert all(re.fullmatch(r"structure [0-9a-f]{8}", one) for one in first[1:])
    assert not any("oma" in one for one in first)


def test_names_that_were_the_same_before_are_so_afterwards(tmp_path: Path) -> None:
    assert named(["Lesion Smith", "lesion  smith"], tmp_path)[0].startswith("Lesion")
    assert len({one.casefold() for one in named(["Lesion Smith", "lesion smith"], tmp_path)}) == 1


def test_of_a_mask_that_was_passed_on_nothing_is_left(tmp_path: Path) -> None:
    names = ["Lesion Smith", "Lesion Jones", "Smithoma", "liver", "Tumor 19650312"]
    labels = ONE.labels(*range(1, 6))
    path = write_seg(tmp_path / "seg", ONE.sources(), labels, names)
    made = deidentified(path.read_bytes(), "P1", KEY)
    assert b"19650312" not in made
    assert left(made, "P1") == ()


def test_rois_of_a_structure_set_stay_apart(tmp_path: Path) -> None:
    points = np.array([[0.0, 0, 0], [5, 0, 0], [5, 5, 0]])
    names = ["GTV Smith", "GTV Jones", "Smithoma"]
    drawn = rtstruct(*(Structure(name, [Drawn(points)]) for name in names))
    made = dcmread(BytesIO(deidentified(drawn, "P1", KEY)))
    found = [str(roi.ROIName) for roi in made.StructureSetROISequence]
    assert [name.split(" ")[0] for name in found] == ["GTV", "GTV", "structure"]
    assert len(set(found)) == 3
