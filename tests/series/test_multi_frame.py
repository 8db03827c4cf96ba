"""Files of several frames: frames are counted as frames, files as files, and the advice fits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

from tests.formats.samples import dataset, item
from tests.formats.test_frames import ROOT, group
from tests.series.scans import Kept, Refused, check

AXIAL = group(
    PixelMeasuresSequence=item(PixelSpacing=[1.25, 1.5], SliceThickness=5),
    PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
)
Frame = Mapping[str, object]
LOW, HIGH = range(3), range(3, 6)
TWICE = (0, 0, 1, 1, 2, 2)
EXPORT = "Export each volume as a file of its own."


def image(heights: Sequence[int], *frames: Frame, seed: int = 0, **root: object) -> Dataset:
    """An enhanced MR image of noise; its frames, 5 mm apart, have groups of their own in turns."""
    groups = [
        group(
            PlanePositionSequence=item(ImagePositionPatient=[0, 0, 5 * height]),
            **(frames[number % len(frames)] if frames else {}),
        )
        for number, height in enumerate(heights)
    ]
    pixels = np.random.default_rng(seed).integers(0, 4000, (len(heights), 3, 4), dtype=np.uint16)
    values: dict[str, object] = {
        **ROOT,
        "NumberOfFrames": len(heights),
        "SOPInstanceUID": f"2.25.{seed + 1}",
        "PerFrameFunctionalGroupsSequence": Items(groups),
        "SharedFunctionalGroupsSequence": Items([AXIAL]),
    }
    return dataset(pixels, **(values | root))


def volumes(difference: str, file: str = "im0.dcm", remedy: str = EXPORT) -> Refused:
    return Refused(file, f"6 frames are 3 positions x 2 volumes; {difference}. {remedy}")


def echo(time: float) -> Frame:
    return {"MREchoSequence": item(EffectiveEchoTime=time)}


def component(name: str) -> Frame:
    return {"MRImageFrameTypeSequence": item(ComplexImageComponent=name)}


def delay(time: float) -> Frame:
    return {"CardiacSynchronizationSequence": item(NominalCardiacTriggerDelayTime=time)}


def voltage(kv: int) -> Frame:
    return {"CTXRayDetailsSequence": item(KVP=kv)}


def clock(seconds: int) -> Frame:
    return {"FrameContentSequence": item(FrameAcquisitionDateTime=f"201801011200{seconds:02d}")}


def kind(name: str) -> Frame:
    return {"MRImageFrameTypeSequence": item(FrameType=["ORIGINAL", "PRIMARY", "M", name])}


def spacing(mm: float) -> Frame:
    return {"PixelMeasuresSequence": item(PixelSpacing=[mm, mm], SliceThickness=5)}


TABLE: dict[str, tuple[Sequence[Dataset], Refused | Kept]] = {
    "one volume": ([image(range(6))], Kept()),
    "a volume in two files": ([image(LOW), image(HIGH, seed=1)], Kept()),
    "a trigger delay for each slice": ([image(LOW, delay(0), delay(90), delay(180))], Kept(3)),
    "two echoes": ([image(TWICE, echo(2.3), echo(4.6))], volumes("they differ in EchoTime")),
    "magnitude and phase": (
        [image(TWICE, component("MAGNITUDE"), component("PHASE"))],
        volumes("they differ in ComplexImageComponent"),
    ),
    "two phases of the heart": (
        [image(TWICE, delay(100), delay(500))],
        volumes("they differ in TriggerTime"),
    ),
    "two energies": ([image(TWICE, voltage(80), voltage(140))], volumes("they differ in KVP")),
    "two times that only a clock tells": (
        [image(TWICE, clock(1), clock(2))],
        volumes("they differ in AcquisitionTime"),
    ),
    "two echoes between each other": (
        [image(range(6), echo(2.3), echo(4.6))],
        Refused("im0.dcm", f"6 frames are 2 volumes (3 and 3): they differ in EchoTime. {EXPORT}"),
    ),
    "two files of one stack": (
        [image(LOW), image(LOW, seed=1)],
        volumes(
            "nothing that is compared tells them apart",
            "im1.dcm",
            "Move the files of each volume to a folder of its own.",
        ),
    ),
    "two files of two series": (
        [image(LOW, SeriesInstanceUID="2.25.7"), image(HIGH, seed=1, SeriesInstanceUID="2.25.8")],
        Refused(
            "im1.dcm",
            "2 files are 2 series (1 and 1): they differ in SeriesInstanceUID. Sort the files by "
            "series, and give each series a folder of its own.",
        ),
    ),
    "two files of two people": (
        [image(LOW, PatientID="TEST-1"), image(HIGH, seed=1, PatientID="TEST-2")],
        Refused(
            "im1.dcm",
            "2 files are 2 people (1 and 1): they differ in PatientID. Sort the files by patient, "
            "and give each patient a folder.",
        ),
    ),
    "a frame whose position is another's": (
        [image((0, 1, 2, 3, 4, 4))],
        Refused(
            "im0.dcm",
            "2 frames lie at 1 position; nothing that is compared tells them apart. Export the "
            "file again, with one frame for each position.",
        ),
    ),
    "frames of two spacings": (
        [image(range(6), spacing(1.5), spacing(1.6))],
        Refused(
            "im0.dcm",
            "PixelSpacing differs in 3 of 6 slices. Keep the slices of one spacing only.",
        ),
    ),
    "frames that are grids": (
        [image(range(6), kind("MOSAIC"))],
        Refused(
            "im0.dcm",
            "a grid of several slices in one picture (a mosaic): it is one of several frames. "
            "Export the series again with a file for each slice, or leave it out.",
        ),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_frames_are_slices_of_one_series_or_refused(name: str, tmp_path: Path) -> None:
    files, expected = TABLE[name]
    check({"im{}.dcm": files}, expected, tmp_path)
