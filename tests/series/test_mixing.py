"""A case is one series of one person, whatever lies in its folder: a table, kind by kind."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import UID

import chaosprep
from chaosprep.errors import ProblemsError
from tests.series.scans import (
    IMAGES,
    Edit,
    Kept,
    Refused,
    Table,
    alternating,
    both,
    changed,
    check,
    each,
    from_third,
    new_uid,
    own_uids,
    raised,
    slices,
    write,
)

IM, V = "im{:03d}.dcm", "v{:03d}.dcm"
OTHER = UID("2.25.7")
SAME_PERSON = {"PatientID": "TEST-MR-1", "PatientName": "CHAOS^MR_SET_1"}


def people(file: str, parts: str, keyword: str) -> Refused:
    sort = "Sort the files by patient, and give each patient a folder."
    return Refused(file, f"{parts}: they differ in {keyword}. {sort}")


def series(file: str, parts: str, keywords: str) -> Refused:
    sort = "Sort the files by series, and give each series a folder of its own."
    return Refused(file, f"{parts}: they differ in {keywords}. {sort}")


def contrasts(file: str, parts: str, keywords: str) -> Refused:
    return volumes(file, f"{parts}: they differ in {keywords}")


def volumes(file: str, text: str) -> Refused:
    return Refused(file, f"{text}. Move the files of each volume to a folder of its own.")


def again(count: int, **differ: Callable[[int], object]) -> list[Dataset]:
    """One stack, scanned several times over."""
    found: list[Dataset] = []
    for volume in range(count):
        values = {keyword: value(volume) for keyword, value in differ.items()}
        for one in slices(edit=changed(**values)):
            one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = new_uid(one, volume)
            one.PixelData = bytes([volume, 1]) + one.PixelData[2:]
            found.append(one)
    return found


PEOPLE: Table = {
    "appended": (
        {IM: slices(1), V: slices(2, edit=raised(33))},
        people("v000.dcm", "12 files are 2 people (6 and 6)", "PatientID"),
    ),
    "one slice of another": (
        {IM: slices(1)[:5], V: slices(2)[5:]},
        people("v000.dcm", "6 files are 2 people (5 and 1)", "PatientID"),
    ),
    "two names under one placeholder": (
        {
            IM: slices(1, edit=changed(PatientID="ANONYMOUS")),
            V: slices(2, edit=both(raised(33), changed(PatientID="ANONYMOUS"))),
        },
        people("v000.dcm", "12 files are 2 people (6 and 6)", "PatientName"),
    ),
    "one name with two dates of birth": (
        {IM: slices(edit=alternating(PatientBirthDate=("19500101", "19800101")))},
        people("im001.dcm", "6 files are 2 people (3 and 3)", "PatientBirthDate"),
    ),
    "one date of birth in two forms": (
        {IM: slices(edit=each(PatientBirthDate=("19500101", "1950.01.01") * 3))},
        Kept(),
    ),
    "a date of birth that stands for none in some": (
        {IM: slices(edit=alternating(PatientBirthDate=("19500101", "19000101")))},
        Kept(),
    ),
    "a number that stands for none in some": (
        {IM: slices(edit=alternating(PatientID=("TEST-MR-1", "0000")))},
        Kept(warnings=("PatientID is empty or a placeholder in 3 of 6 slices",)),
    ),
    "one name in two spellings": (
        {IM: slices(edit=alternating(PatientName=("DOE^Jane", "doe^ jane^")))},
        Kept(),
    ),
    "a number that some do not have": (
        {IM: slices(edit=from_third(changed(PatientID="")))},
        Kept(warnings=("PatientID is empty or a placeholder in 3 of 6 slices",)),
    ),
    "a placeholder in one": (
        {IM: slices(edit=lambda one, n: changed(PatientID="ANON")(one, n) if n == 1 else None)},
        Kept(warnings=("PatientID is empty or a placeholder in 1 of 6 slices",)),
    ),
    "nobody's name and number": (
        {IM: slices(edit=changed(PatientID="", PatientName=""))},
        Kept(),
    ),
}

SERIES: Table = {
    "MR and CT of one person": (
        {IM: slices(), V: slices(1, "ct", edit=changed(**SAME_PERSON))},
        series(
            "v000.dcm",
            "12 files are 2 kinds of images (6 and 6)",
            "Modality, EchoTime, EchoNumbers, ImageType",
        ),
    ),
    "one slice of another modality": (
        {IM: slices(edit=lambda one, n: changed(Modality="PT")(one, n) if n == 3 else None)},
        series("im003.dcm", "6 files are 2 kinds of images (5 and 1)", "Modality"),
    ),
    "interleaved, half a step apart": (
        {
            IM: slices(),
            V: slices(edit=both(raised(2.75), changed(SeriesInstanceUID=OTHER, SeriesNumber=2))),
        },
        series("v000.dcm", "12 files are 2 series (6 and 6)", "SeriesInstanceUID, SeriesNumber"),
    ),
    "appended": (
        {IM: slices(), V: slices(edit=both(raised(33), changed(SeriesInstanceUID=OTHER)))},
        series("v000.dcm", "12 files are 2 series (6 and 6)", "SeriesInstanceUID"),
    ),
    "a half of each": (
        {IM: slices(edit=from_third(changed(SeriesInstanceUID=OTHER, FlipAngle=30)))},
        series("im003.dcm", "6 files are 2 series (3 and 3)", "SeriesInstanceUID, FlipAngle"),
    ),
    "one slice of another": (
        {IM: slices()[:5], V: slices(edit=changed(SeriesInstanceUID=OTHER))[5:]},
        series("v000.dcm", "6 files are 2 series (5 and 1)", "SeriesInstanceUID"),
    ),
    "two studies": (
        {IM: slices(edit=from_third(changed(StudyInstanceUID=OTHER)))},
        series("im003.dcm", "6 files are 2 series (3 and 3)", "StudyInstanceUID"),
    ),
    "two frames of reference": (
        {IM: slices(edit=from_third(changed(FrameOfReferenceUID=OTHER)))},
        series("im003.dcm", "6 files are 2 series (3 and 3)", "FrameOfReferenceUID"),
    ),
    "two contrasts under one UID": (
        {IM: slices(edit=from_third(changed(EchoTime=2.3)))},
        contrasts("im003.dcm", "6 files are 2 volumes (3 and 3)", "EchoTime"),
    ),
    "one slice of the other phase": (
        {IM: slices()[:5], V: slices(1, "t1-out")[5:]},
        contrasts("v000.dcm", "6 files are 2 volumes (5 and 1)", "EchoTime, EchoNumbers"),
    ),
    "two kernels": (
        {IM: slices(1, "ct", edit=alternating(ConvolutionKernel=("B30f", "B70f")))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "ConvolutionKernel"),
    ),
    "two b-values": (
        {IM: slices(edit=alternating(DiffusionBValue=(0.0, 800.0)))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "DiffusionBValue"),
    ),
    "two repetition times": (
        {IM: slices(edit=alternating(RepetitionTime=(500.0, 900.0)))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "RepetitionTime"),
    ),
    "two points of time": (
        {IM: slices(edit=alternating(TemporalPositionIdentifier=(1, 2)))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "TemporalPositionIdentifier"),
    ),
    "two voltages of the tube": (
        {IM: slices(1, "ct", edit=alternating(KVP=(80, 140)))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "KVP"),
    ),
    "an echo time that is no number in some": (
        {IM: slices(edit=each(EchoTime=("nan", 2.3, 4.6, 2.3, 4.6, "nan")))},
        contrasts("im002.dcm", "4 files are 2 volumes (2 and 2)", "EchoTime"),
    ),
    "magnitude and phase by another keyword": (
        {IM: slices(edit=alternating(ComplexImageComponent=("MAGNITUDE", "PHASE")))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "ComplexImageComponent"),
    ),
    "magnitude and phase": (
        {IM: slices(edit=from_third(changed(ImageType=["ORIGINAL", "PRIMARY", "P"])))},
        contrasts("im003.dcm", "6 files are 2 volumes (3 and 3)", "ImageType"),
    ),
    "two contrasts, and a UID for each slice": (
        {
            IM: slices(
                edit=both(own_uids("SeriesInstanceUID"), alternating(EchoTime=(4.6, 2.3))),
            )
        },
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "EchoTime"),
    ),
    "a UID for each slice": (
        {IM: slices(edit=own_uids("SeriesInstanceUID"))},
        Kept(),
    ),
    "every UID for each slice": (
        {IM: slices(edit=own_uids("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"))},
        Kept(),
    ),
    "a repetition time measured for each slice": (
        {IM: slices(edit=lambda one, n: changed(RepetitionTime=4000.0 + 300 * n)(one, n))},
        Kept(),
    ),
    "repetition times that two slices share by chance": (
        {IM: slices(edit=each(RepetitionTime=(3200, 3210, 6500, 6550, 9900, 9950)))},
        Kept(),
    ),
    "packages that breath triggered": (
        {IM: slices(edit=each(RepetitionTime=(3200, 3900, 3200, 3900, 3200, 3900)))},
        Kept(warnings=("RepetitionTime differs within the series: 3200 to 3900 ms",)),
    ),
    "an echo time rounded in some headers": (
        {IM: slices(edit=alternating(EchoTime=(4.6, 4.605)))},
        Kept(),
    ),
    "original and derived slices": (
        {
            IM: slices(
                edit=alternating(
                    ImageType=(["ORIGINAL", "PRIMARY", "M"], ["DERIVED", "PRIMARY", "M"])
                )
            )
        },
        Kept(),
    ),
    "CT of two acquisitions between each other": (
        {IM: slices(1, "ct", edit=alternating(AcquisitionNumber=(1, 2)))},
        contrasts("im001.dcm", "6 files are 2 volumes (3 and 3)", "AcquisitionNumber"),
    ),
    "a CT acquisition within another": (
        {IM: slices(1, "ct", 8, each(AcquisitionNumber=(1, 1, 1, 2, 1, 2, 1, 1)))},
        contrasts("im003.dcm", "8 files are 2 volumes (6 and 2)", "AcquisitionNumber"),
    ),
    "CT of two acquisitions one above the other": (
        {IM: slices(1, "ct", edit=from_third(changed(AcquisitionNumber=2)))},
        Kept(),
    ),
    "MR that scans every other slice in turns": (
        {IM: slices(edit=alternating(AcquisitionNumber=(1, 2)))},
        Kept(warnings=("slices of 2 acquisitions alternate (AcquisitionNumber)",)),
    ),
    "a rotation of the tube for each pair of slices": (
        {IM: slices(1, "ct", edit=lambda one, n: changed(AcquisitionNumber=n // 2)(one, n))},
        Kept(),
    ),
}

VOLUMES: Table = {
    "echoes": (
        {IM: again(2, EchoTime=lambda volume: 2.3 * (volume + 1))},
        volumes("im006.dcm", "12 files are 6 positions x 2 volumes; they differ in EchoTime"),
    ),
    "b-values": (
        {IM: again(2, DiffusionBValue=lambda volume: 800.0 * volume)},
        volumes(
            "im006.dcm", "12 files are 6 positions x 2 volumes; they differ in DiffusionBValue"
        ),
    ),
    "two energies": (
        {IM: again(2, KVP=lambda volume: (80, 140)[volume])},
        volumes("im006.dcm", "12 files are 6 positions x 2 volumes; they differ in KVP"),
    ),
    "original and derived": (
        {IM: again(2, ImageType=lambda volume: [("ORIGINAL", "DERIVED")[volume], "PRIMARY", "M"])},
        volumes("im006.dcm", "12 files are 6 positions x 2 volumes; they differ in ImageType"),
    ),
    "dynamics": (
        {IM: again(4, AcquisitionNumber=lambda volume: volume + 1)},
        volumes(
            "im018.dcm", "24 files are 6 positions x 4 volumes; they differ in AcquisitionNumber"
        ),
    ),
    "dynamics with a file missing": (
        {IM: again(4, TriggerTime=lambda volume: 100.0 * volume)[:-1]},
        volumes(
            "im018.dcm", "23 files lie at 6 positions, up to 4 at one; they differ in TriggerTime"
        ),
    ),
    "dynamics that only a clock tells apart": (
        {IM: again(3, AcquisitionTime=lambda volume: f"1000{volume:02d}")},
        volumes(
            "im012.dcm", "18 files are 6 positions x 3 volumes; they differ in AcquisitionTime"
        ),
    ),
    "repeats that nothing tells apart": (
        {IM: again(2)},
        volumes(
            "im006.dcm",
            "12 files are 6 positions x 2 volumes; nothing that is compared tells them apart",
        ),
    ),
}

GRIDS: Table = {
    "two pixel spacings": (
        {IM: slices(edit=from_third(changed(PixelSpacing=["15", "15"])))},
        Refused(
            "im003.dcm",
            "PixelSpacing differs in 3 of 6 slices. Keep the slices of one spacing only.",
        ),
    ),
    "one slice of another pixel spacing": (
        {IM: slices(edit=lambda one, n: n or changed(PixelSpacing=["16.667", "16.8"])(one, n))},
        Refused(
            "im000.dcm",
            "PixelSpacing differs in 1 of 6 slices. Keep the slices of one spacing only.",
        ),
    ),
    "a pixel spacing rounded in some headers": (
        {IM: slices(edit=from_third(changed(PixelSpacing=["16.667", "16.667"])))},
        Kept(),
    ),
    "two slice thicknesses": (
        {IM: slices(edit=from_third(changed(SliceThickness="3")))},
        Kept(warnings=("SliceThickness differs within the series: 3 to 5 mm",)),
    ),
    "one slice of another thickness": (
        {IM: slices(edit=lambda one, n: n or changed(SliceThickness="7.5")(one, n))},
        Kept(warnings=("SliceThickness differs within the series: 5 to 7.5 mm",)),
    ),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_case_is_of_one_person(name: str, tmp_path: Path) -> None:
    check(*PEOPLE[name], tmp_path)


@pytest.mark.parametrize("name", SERIES)
def test_a_case_is_one_series(name: str, tmp_path: Path) -> None:
    check(*SERIES[name], tmp_path)


@pytest.mark.parametrize("name", VOLUMES)
def test_a_case_is_one_volume(name: str, tmp_path: Path) -> None:
    check(*VOLUMES[name], tmp_path)


@pytest.mark.parametrize("name", GRIDS)
def test_a_case_has_one_grid(name: str, tmp_path: Path) -> None:
    check(*GRIDS[name], tmp_path)


@pytest.mark.parametrize("edit", [changed(), changed(Rows=None)])
def test_a_problem_does_not_say_a_name_that_identifies(edit: Edit, tmp_path: Path) -> None:
    """One slice of another person, sound or damaged, whose file is called as she is."""
    write(tmp_path / "root" / "scans" / "a", slices()[:5])
    named = both(changed(PatientName="Doe^Jane"), edit)
    write(tmp_path / "root" / "scans" / "a", slices(2, edit=named)[5:], "x Doe Jane {}.dcm")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(tmp_path / "root", tmp_path / "out", images=IMAGES, val=0)
    assert {problem.file for problem in caught.value.problems} == {None}
