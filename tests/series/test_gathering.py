"""What lies among slices and is none is passed over with a note, or refused: a table."""

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import UID

import chaosprep
from tests.series.scans import (
    IMAGES,
    Kept,
    Refused,
    Table,
    changed,
    check,
    objects,
    slices,
    write,
)

IM = "im{:03d}.dcm"
SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")
PARAMETRIC_MAP = UID("1.2.840.10008.5.1.4.1.1.30")
SEGMENTATION = UID("1.2.840.10008.5.1.4.1.1.66.4")
STRUCTURE_SET = UID("1.2.840.10008.5.1.4.1.1.481.3")
DOSE = UID("1.2.840.10008.5.1.4.1.1.481.2")
PRESENTATION = UID("1.2.840.10008.5.1.4.1.1.11.1")
REPORT = UID("1.2.840.10008.5.1.4.1.1.88.33")
NOT_STORAGE = UID("2.25.3")
CT = UID("1.2.840.10008.5.1.4.1.1.2")


def noted(*texts: str) -> Kept:
    return Kept(warnings=tuple(f"passed over, not a slice: {text}" for text in texts))


def grid(held: str, untold: str) -> Refused:
    return Refused(
        "im000.dcm",
        f"a grid of {held} in one picture (a mosaic): the header does not give {untold}. Export "
        "the series again with a file for each slice, or leave it out.",
    )


def siemens(one: Dataset, number: int) -> None:
    one.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 9)


def united_imaging(one: Dataset, number: int) -> None:
    one.private_block(0x0065, "Image Private Header", create=True).add_new(0x50, "DS", "16")


def another_maker(one: Dataset, number: int) -> None:
    one.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x0A, "US", 9)


def third_maker(one: Dataset, number: int) -> None:
    one.private_block(0x0065, "ACME", create=True).add_new(0x50, "DS", "16")


BESIDE: Table = {
    "a secondary capture": (
        {IM: slices(), "dose.dcm": objects(SECONDARY_CAPTURE)},
        noted("1 secondary capture (dose.dcm)"),
    ),
    "a secondary capture in colour": (
        {
            IM: slices(),
            "dose.dcm": objects(
                SECONDARY_CAPTURE, SamplesPerPixel=3, PhotometricInterpretation="RGB"
            ),
        },
        noted("1 secondary capture (dose.dcm)"),
    ),
    "a screen save under the SOP class of the images": (
        {
            IM: slices(),
            "shot.dcm": slices(count=1, edit=changed(ImageType=["DERIVED", "X", "SCREEN SAVE"])),
        },
        noted("1 screen save (shot.dcm)"),
    ),
    "secondary captures alone": (
        {IM: slices(edit=changed(SOPClassUID=SECONDARY_CAPTURE))},
        Kept(),
    ),
    "a segmentation": (
        {IM: slices(), "seg.dcm": objects(SEGMENTATION, Modality="SEG")},
        noted("1 segmentation (seg.dcm)"),
    ),
    "a segmentation that only its Modality tells": (
        {
            IM: slices(),
            "seg.dcm": objects(NOT_STORAGE, Modality="SEG", ImagePositionPatient=[0, 0, 99]),
        },
        noted("1 segmentation (seg.dcm)"),
    ),
    "segmentations alone": (
        {"seg.dcm": objects(SEGMENTATION, Modality="SEG")},
        Refused(
            "seg.dcm",
            "it is a segmentation, not a slice. Give the images that it was made on; a mask goes "
            "to --masks.",
        ),
    ),
    "a structure set": (
        {IM: slices(), "rs.dcm": objects(STRUCTURE_SET, pixels=False)},
        noted("1 RT structure set (rs.dcm)"),
    ),
    "a structure set that only its Modality tells": (
        {IM: slices(), "rs.dcm": objects(NOT_STORAGE, pixels=False, Modality="RTSTRUCT")},
        noted("1 RT structure set (rs.dcm)"),
    ),
    "a dose": (
        {IM: slices(), "rd.dcm": objects(DOSE, Modality="RTDOSE")},
        noted("1 RT dose (rd.dcm)"),
    ),
    "a dose that only its Modality tells": (
        {IM: slices(), "rd.dcm": objects(NOT_STORAGE, Modality="RTDOSE")},
        noted("1 RT dose (rd.dcm)"),
    ),
    "a report and a presentation state": (
        {
            IM: slices(),
            "ps.dcm": objects(PRESENTATION, pixels=False),
            "sr.dcm": objects(REPORT, pixels=False),
        },
        noted("1 presentation state (ps.dcm)", "1 report (sr.dcm)"),
    ),
    "a maker's own file without a picture": (
        {IM: slices(), "csa.dcm": objects(UID("1.3.12.2.1107.5.9.1"), pixels=False)},
        noted("1 object without a picture (csa.dcm)"),
    ),
    "a protocol": (
        {IM: slices(), "p.dcm": objects(UID("1.2.840.10008.5.1.4.1.1.200.2"), pixels=False)},
        noted("1 object without a picture (p.dcm)"),
    ),
    "a DICOMDIR by another name": (
        {IM: slices(), "dir.dcm": objects(UID("1.2.840.10008.1.3.10"), pixels=False)},
        noted("1 object without a picture (dir.dcm)"),
    ),
    "a slice that lost its picture": (
        {IM: slices(), "x.dcm": objects(CT, pixels=False)},
        Refused(
            "x.dcm",
            "the file holds no pixel data. Leave it out; if it should be an image, copy it again.",
        ),
    ),
    "a maker's own image that lost its pixels": (
        {IM: slices(), "x.dcm": objects(NOT_STORAGE, PixelData=None)},
        Refused(
            "x.dcm",
            "the file holds no pixel data. Leave it out; if it should be an image, copy it again.",
        ),
    ),
    "four parametric maps": (
        {IM: slices(), "map{}.dcm": objects(PARAMETRIC_MAP, 4)},
        noted("4 parametric maps (map0.dcm, map1.dcm, map2.dcm and 1 more)"),
    ),
    "parametric maps alone, as asked for": (
        {IM: slices(edit=changed(SOPClassUID=PARAMETRIC_MAP))},
        Kept(),
    ),
    "localizers": (
        {
            IM: slices(1, "ct"),
            "scout{}.dcm": slices(
                *(1, "ct", 2),
                edit=changed(
                    ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
                    ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
                    SeriesInstanceUID=UID("2.25.9"),
                ),
            ),
        },
        noted("2 localizers (scout0.dcm, scout1.dcm)"),
    ),
}

MOSAICS: Table = {
    "Siemens": (
        {IM: slices(count=1, edit=siemens)},
        grid("9 slices", "SliceNormalVector in the CSA header"),
    ),
    "United Imaging": (
        {IM: slices(count=1, edit=united_imaging)},
        grid("16 slices", "ImagePositionPatient of each slice"),
    ),
    "by ImageType": (
        {IM: slices(count=1, edit=changed(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]))},
        grid(
            "several slices",
            "NumberOfImagesInMosaic, SliceNormalVector in the CSA header",
        ),
    ),
    "another maker's private number": ({IM: slices(edit=another_maker)}, Kept()),
    "another maker's in United Imaging's place": ({IM: slices(edit=third_maker)}, Kept()),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_no_slice_does_not_become_one(name: str, tmp_path: Path) -> None:
    check(*BESIDE[name], tmp_path)


@pytest.mark.parametrize("name", MOSAICS)
def test_a_grid_of_slices_is_no_slice(name: str, tmp_path: Path) -> None:
    check(*MOSAICS[name], tmp_path)


def test_a_capture_does_not_take_the_place_of_damaged_slices(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "scans" / "a", objects(SECONDARY_CAPTURE), "shot.dcm")
    (root / "scans" / "a" / "im.dcm").write_bytes(bytes(128) + b"DICM" + bytes(50))
    write(root / "scans" / "b", slices(3))
    made = chaosprep.split(root, tmp_path / "out", images=IMAGES, val=0, on_error="skip")
    assert {row.patient for row in made.slices} == {"b"}


def beside(name: str, place: Path, **values: object) -> tuple[str, ...]:
    """What is said of a slice with a report beside it, whose header names nobody."""
    write(place / "scans" / "a", slices(edit=changed(**values)))
    report = objects(REPORT, pixels=False, PatientID="", PatientName="")
    write(place / "scans" / "a", report, name)
    made = chaosprep.split(place, place.parent / "out", images=IMAGES, val=0)
    return next(iter(made.slices)).warnings


def test_a_name_that_the_slices_forbid_is_not_said(tmp_path: Path) -> None:
    said = beside("Doe_Jane.dcm", tmp_path / "root", PatientName="Doe^Jane")
    assert said == ("passed over, not a slice: 1 report",)


def test_another_name_is_said(tmp_path: Path) -> None:
    said = beside("Doe_Jane.dcm", tmp_path / "root", PatientName="Roe^Richard")
    assert said == ("passed over, not a slice: 1 report (Doe_Jane.dcm)",)
