"""A series is divided into the volumes that it was made of, whatever tells them apart."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

import chaosprep
from chaosprep.errors import ProblemsError
from tests.layouts.headers.scanned import (
    Picture,
    catalog,
    frame_parts,
    in_turns,
    numbered,
    parts,
    stack,
    write_classic,
    write_enhanced,
)

Expected = dict[str, tuple[int, str]]
"""Name -> how many slices, and the volume that they were made for."""
Kinds = dict[str, tuple[list[Picture], Expected]]

LAVA = {"SeriesDescription": "LAVA"}


def b_value(owner: str, group: int, element: int, vr: str, value: object) -> object:
    def edit(one: Dataset) -> None:
        one.private_block(group, owner, create=True).add_new(element, vr, value)

    return edit


def siemens(value: int) -> object:
    return b_value("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", str(value))


def ge(value: int) -> object:
    return b_value("GEMS_PARM_01", 0x0043, 0x39, "IS", [str(10**9 + value), "8", "0", "0"])


def jittered(value: float) -> Callable[[int], object]:
    return lambda place: round(value + 0.003 * place, 4)


def beside(x: float) -> Callable[[int], object]:
    return lambda place: [x, 0, 4 * place]


# What enhanced files say too, frame by frame.
BOTH: Kinds = {
    "two echoes": (
        stack("in", EchoTime=4.6) + stack("out", EchoTime=2.3),
        {"mr-ax-te4.6": (5, "in"), "mr-ax-te2.3": (5, "out")},
    ),
    "six echoes, slice by slice": (
        in_turns(*(stack(f"e{n}", EchoTime=1.2 * n) for n in range(1, 7))),
        {f"mr-ax-te{1.2 * n:.1f}": (5, f"e{n}") for n in range(1, 7)},
    ),
    "three b-values": (
        [one for b in (0, 50, 800) for one in stack(f"b{b}", DiffusionBValue=float(b))],
        {f"mr-ax-b{b}": (5, f"b{b}") for b in (0, 50, 800)},
    ),
    "magnitude and phase": (
        in_turns(
            stack("mag", ComplexImageComponent="MAGNITUDE"),
            stack("phase", ComplexImageComponent="PHASE"),
        ),
        {"mr-ax": (5, "mag"), "mr-ax-phase": (5, "phase")},
    ),
    "all four components": (
        [
            one
            for letter in "MPRI"
            for one in stack(letter, ImageType=["ORIGINAL", "PRIMARY", letter, "FFE"])
        ],
        {
            "mr-ax": (5, "M"),
            "mr-ax-phase": (5, "P"),
            "mr-ax-real": (5, "R"),
            "mr-ax-imaginary": (5, "I"),
        },
    ),
    "water and fat": (
        [
            one
            for kind in ("WATER", "FAT")
            for one in stack(kind, ImageType=["DERIVED", "PRIMARY", "DIXON", kind])
        ],
        {"mr-ax-dixon-water": (5, "WATER"), "mr-ax-dixon-fat": (5, "FAT")},
    ),
    "two phases of contrast": (
        [one for n in (1, 2) for one in stack(f"p{n}", TemporalPositionIdentifier=n)],
        {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (5, "p2")},
    ),
    "phases of different length": (
        stack("p1", TemporalPositionIdentifier=1) + stack("p2", 3, TemporalPositionIdentifier=2),
        {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (3, "p2")},
    ),
    "a slice of one phase is missing": (
        stack("p1", TemporalPositionIdentifier=1)
        + stack("p2", [0, 1, 3, 4], TemporalPositionIdentifier=2),
        {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (4, "p2")},
    ),
    "acquisitions of one stack": (
        [one for n in (1, 2, 3) for one in stack(f"a{n}", AcquisitionNumber=n)],
        {f"mr-ax-t{n}": (5, f"a{n}") for n in (1, 2, 3)},
    ),
    "cine": (
        in_turns(*(stack(f"c{n}", TriggerTime=40.0 * n) for n in range(8))),
        {f"mr-ax-t{n + 1}": (5, f"c{n}") for n in range(8)},
    ),
    "three planes": (
        stack("a", 4) + stack("c", 5, "coronal") + stack("s", 6, "sagittal"),
        {"mr-ax": (4, "a"), "mr-cor": (5, "c"), "mr-sag": (6, "s")},
    ),
    "stacks": (
        stack("low", StackID="1") + stack("high", range(10, 15), StackID="2"),
        {"mr-ax-stack1": (5, "low"), "mr-ax-stack2": (5, "high")},
    ),
    "echoes of each phase": (
        [
            one
            for n in (1, 2)
            for echo in (2.3, 4.6)
            for one in stack(f"{n},{echo}", TemporalPositionIdentifier=n, EchoTime=echo)
        ],
        {f"mr-ax-te{echo}-t{n}": (5, f"{n},{echo}") for n in (1, 2) for echo in (2.3, 4.6)},
    ),
    "nothing but the order of the numbers": (
        numbered(stack("first") + stack("second")),
        {"mr-ax-t1": (5, "first"), "mr-ax-t2": (5, "second")},
    ),
    "nothing but the order of the numbers, slice by slice": (
        numbered(in_turns(stack("first"), stack("second"), stack("third"))),
        {"mr-ax-t1": (5, "first"), "mr-ax-t2": (5, "second"), "mr-ax-t3": (5, "third")},
    ),
}
SLICED = [0, 2, 4, 1, 3]  # every other slice first
CLASSIC: Kinds = {
    "b-values as Siemens writes them": (
        [one for b in (0, 800) for one in stack(f"b{b}", edit=siemens(b))],  # type: ignore[arg-type]
        {"mr-ax-b0": (5, "b0"), "mr-ax-b800": (5, "b800")},
    ),
    "b-values as GE writes them": (
        [one for b in (0, 800) for one in stack(f"b{b}", edit=ge(b))],  # type: ignore[arg-type]
        {"mr-ax-b0": (5, "b0"), "mr-ax-b800": (5, "b800")},
    ),
    "two kernels": (
        [
            one
            for kernel in ("B30f", "B70f")
            for one in stack(kernel, Modality="CT", EchoTime=None, ConvolutionKernel=kernel)
        ],
        {"ct-ax-b30f": (5, "B30f"), "ct-ax-b70f": (5, "B70f")},
    ),
    "as it came and made even": (
        [
            one
            for kind in (["ND"], ["ND", "NORM"])
            for one in stack("+".join(kind), ImageType=["ORIGINAL", "PRIMARY", "M", *kind])
        ],
        {"mr-ax-nd": (5, "ND"), "mr-ax-nd-norm": (5, "ND+NORM")},
    ),
    "two matrices": (
        stack("wide", PixelSpacing=[2, 2]) + stack("close", range(5, 12), PixelSpacing=[1, 1]),
        {"mr-ax-2mm": (5, "wide"), "mr-ax-1mm": (7, "close")},
    ),
    "one time for each phase": (
        [one for n in (1, 2) for one in stack(f"p{n}", AcquisitionTime=f"10000{n}.5")],
        {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (5, "p2")},
    ),
    "over midnight": (
        stack("late", AcquisitionTime="235950") + stack("early", AcquisitionTime="000010"),
        {"mr-ax-t1": (5, "late"), "mr-ax-t2": (5, "early")},
    ),
    "a time for each slice, every other slice first": (
        [
            one
            for n in (1, 2)
            for at, place in enumerate(SLICED)
            for one in stack(f"p{n}", [place], AcquisitionTime=f"10{n:02}{at:02}", InstanceNumber=1)
        ],
        {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (5, "p2")},
    ),
    "cine of which each slice has its own beats": (
        [
            one
            for place in range(5)
            for n in range(4)
            for one in stack(f"c{n}", [place], TriggerTime=10 * place + 103.7 * n + n * place)
        ],
        {f"mr-ax-t{n + 1}": (5, f"c{n}") for n in range(4)},
    ),
    "numbers that run on where slices are missing": (
        [
            one
            for n in range(3)
            for place in range(6)
            if (n, place) not in ((0, 0), (1, 5), (2, 2))
            for one in stack(f"p{n}", [place], InstanceNumber=3 * place + n + 1)
        ],
        {f"mr-ax-t{n + 1}": (5, f"p{n}") for n in range(3)},
    ),
    "times of whole sweeps, of which one lacks slices": (
        [
            one
            for n in (1, 2)
            for place in range(6)
            if (n, place) not in ((1, 0), (1, 5))
            for one in stack(
                f"p{n}", [place], AcquisitionTime=f"10{n:02}{place:02}", InstanceNumber=1
            )
        ],
        {"mr-ax-t1": (4, "p1"), "mr-ax-t2": (6, "p2")},
    ),
    "echo times that are measured": (
        [one for echo in (2.3, 4.6) for one in stack(str(echo), EchoTime=jittered(echo))],
        {"mr-ax-te2.3": (5, "2.3"), "mr-ax-te4.6": (5, "4.6")},
    ),
    "CT of two acquisitions, half a step apart": (
        stack("a", [0, 2, 4, 6, 8], Modality="CT", EchoTime=None, AcquisitionNumber=1)
        + stack("v", [1, 3, 5, 7, 9], Modality="CT", EchoTime=None, AcquisitionNumber=2),
        {"ct-ax-t1": (5, "a"), "ct-ax-t2": (5, "v")},
    ),
    "packages of slices, in both phases": (
        [
            one
            for n in (0, 1)
            for at, place in enumerate([0, 2, 4, 1, 3])
            for one in stack(
                f"p{n}", [place], AcquisitionNumber=place % 2, InstanceNumber=5 * n + at + 1
            )
        ],
        {"mr-ax-t1": (5, "p0"), "mr-ax-t2": (5, "p1")},
    ),
    "side by side": (
        [one for side in (-120, 20) for one in stack(str(side), ImagePositionPatient=beside(side))],
        {"mr-ax-t1": (5, "-120"), "mr-ax-t2": (5, "20")},
    ),
    "directions of diffusion": (
        [
            one
            for axis in range(3)
            for one in stack(
                f"d{axis}",
                DiffusionBValue=800.0,
                DiffusionGradientOrientation=[float(axis == n) for n in range(3)],
                InstanceNumber=axis + 1,
            )
        ],
        {f"mr-ax-t{n + 1}": (5, f"d{n}") for n in range(3)},
    ),
}
ONE: dict[str, list[Picture]] = {
    "a time for each slice": stack("v", AcquisitionTime=lambda n: f"1000{10 + n}"),
    "an acquisition for each slice": stack("v", AcquisitionNumber=lambda n: n),
    "a trigger time for each slice": stack("v", TriggerTime=lambda n: 500 + 31 * n),
    "a repetition time for each slice": stack("v", RepetitionTime=lambda n: 3000 + 400 * n),
    "packages of slices": stack("v", 8, AcquisitionNumber=lambda n: n % 2, EchoTime=4.6),
    "a measured echo time": stack("v", EchoTime=lambda n: 4.6 + 0.002 * n),
    "rounded cosines": stack(
        "v", ImageOrientationPatient=lambda n: [1, 0, 0, 0, round(1 - 1e-6 * n, 6), 0]
    ),
    "a UID for each slice": stack(
        "v", SeriesInstanceUID=lambda n: f"1.2.9.{n}", FrameOfReferenceUID=lambda n: f"1.2.8.{n}"
    ),
    "a UID for each slice, of its study too": stack(
        "v", SeriesInstanceUID=lambda n: f"1.2.9.{n}", StudyInstanceUID=lambda n: f"1.2.7.{n}"
    ),
}


def with_numbers(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures as they are, or with one number for all where their order would tell them."""
    if any("InstanceNumber" in one.values for one in pictures):
        return list(pictures)
    return [
        Picture(one.volume, one.place, one.plane, {**one.values, "InstanceNumber": 1}, one.edit)
        for one in pictures
    ]


@pytest.mark.parametrize("kind", [*BOTH, *CLASSIC])
def test_classic_files_are_divided_as_they_were_made(tmp_path: Path, kind: str) -> None:
    pictures, expected = (BOTH | CLASSIC)[kind]
    made = write_classic(tmp_path / "in", with_numbers(pictures))
    assert parts(catalog(tmp_path / "in"), made) == expected


@pytest.mark.parametrize("kind", list(BOTH))
def test_frames_of_one_file_are_divided_as_they_were_made(tmp_path: Path, kind: str) -> None:
    pictures, expected = BOTH[kind]
    made = write_enhanced(tmp_path / "in", pictures)
    assert frame_parts(catalog(tmp_path / "in"), made) == expected


@pytest.mark.parametrize("kind", list(ONE))
def test_what_differs_from_slice_to_slice_is_one_volume(tmp_path: Path, kind: str) -> None:
    made = write_classic(tmp_path / "in", with_numbers(ONE[kind]))
    assert parts(catalog(tmp_path / "in"), made) == {"mr-ax": (len(made), "v")}


@pytest.mark.parametrize("kind", [*BOTH, *CLASSIC, *ONE])
def test_what_is_divided_passes_the_reading_of_series(tmp_path: Path, kind: str) -> None:
    pictures = (BOTH | CLASSIC)[kind][0] if kind not in ONE else ONE[kind]
    write_classic(tmp_path / "in", with_numbers(pictures))
    dataset = chaosprep.split(tmp_path / "in", tmp_path / "out", layout="headers", val=0)
    assert len(dataset.slices) == len(pictures)


@pytest.mark.parametrize("kind", list(BOTH))
def test_frames_that_are_divided_pass_the_reading_of_series(tmp_path: Path, kind: str) -> None:
    pictures, expected = BOTH[kind]
    write_enhanced(tmp_path / "in", pictures)
    dataset = chaosprep.split(tmp_path / "in", tmp_path / "out", layout="headers", val=0)
    assert Counter(row.sequence for row in dataset.slices) == {
        name: count for name, (count, _) in expected.items()
    }


def test_a_file_of_frames_for_each_time_is_a_volume(tmp_path: Path) -> None:
    for time in "ab":
        write_enhanced(tmp_path / "in", stack(time), time)
    found = catalog(tmp_path / "in").volumes
    assert [(volume.paths, len(volume.heads)) for volume in found] == [(("a",), 5), (("b",), 5)]


def test_a_series_in_two_orders_of_files_is_divided_alike(tmp_path: Path) -> None:
    pictures, _ = BOTH["echoes of each phase"]
    found = []
    for seed in (1, 2):
        made = write_classic(tmp_path / str(seed), with_numbers(pictures), seed)
        found.append(parts(catalog(tmp_path / str(seed)), made))
    assert found[0] == found[1]


REFUSED: dict[str, tuple[list[Picture], str]] = {
    "the same places twice, and nothing differs": (
        stack("a", InstanceNumber=1) + stack("b", InstanceNumber=1),
        "volumes",
    ),
    "numbers in no order": (
        [
            one
            for number, (volume, place) in enumerate(
                [("a", 0), ("a", 2), ("b", 2), ("b", 1), ("a", 1), ("b", 0), ("a", 3), ("b", 3)]
            )
            for one in stack(volume, [place], InstanceNumber=number)
        ],
        "volumes",
    ),
    "a place twice at one time": (
        [
            one
            for volume, times in (("a", (2, 1, 1, 1, 1)), ("b", (2, 3, 3, 3, 3)))
            for place, time in enumerate(times)
            for one in stack(volume, [place], AcquisitionTime=f"10000{time}", InstanceNumber=1)
        ],
        "volumes",
    ),
    "an echo time for each slice": (
        stack("a", EchoTime=lambda place: 4.0 + 0.5 * place),
        "series-mixed",
    ),
    "one slice that is there again": (
        numbered(stack("a", 6) + stack("a", [3])),
        "position-twice",
    ),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_what_nothing_tells_apart_stays_together_and_is_refused(tmp_path: Path, kind: str) -> None:
    pictures, code = REFUSED[kind]
    write_classic(tmp_path / "in", pictures)
    (volume,) = catalog(tmp_path / "in").volumes
    assert len(volume.heads) == len(pictures)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(tmp_path / "in", tmp_path / "out", layout="headers", val=0)
    assert {problem.code for problem in caught.value.problems} == {code}


def test_the_same_file_twice_goes_with_its_volume(tmp_path: Path) -> None:
    pictures, _ = BOTH["two phases of contrast"]
    made = write_classic(tmp_path / "in", pictures)
    for path in list(made):
        (tmp_path / "in" / f"copy-{path}").write_bytes((tmp_path / "in" / path).read_bytes())
        made[f"copy-{path}"] = made[path]
    found = catalog(tmp_path / "in")
    assert parts(found, made) == {"mr-ax-t1": (10, "p1"), "mr-ax-t2": (10, "p2")}
    assert [volume.facts["slices"] for volume in found.volumes] == ["5", "5"]
    dataset = chaosprep.split(tmp_path / "in", tmp_path / "out", layout="headers", val=0)
    assert len(dataset.slices) == 10


def test_one_uid_for_all_pictures_tells_nothing(tmp_path: Path) -> None:
    pictures = [
        one
        for n in (1, 2)
        for one in stack(f"p{n}", AcquisitionNumber=n, InstanceNumber=1, SOPInstanceUID="1.2.3.4")
    ]
    made = write_classic(tmp_path / "in", pictures)
    assert parts(catalog(tmp_path / "in"), made) == {"mr-ax-t1": (5, "p1"), "mr-ax-t2": (5, "p2")}
