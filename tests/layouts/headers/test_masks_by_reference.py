"""SEG and structure sets find the volumes that they refer to, wherever they lie."""

import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from chaosprep.errors import FileError
from chaosprep.imaging.header import Orientation
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.head import Head, Refers
from chaosprep.layouts.headers.references import References
from chaosprep.layouts.headers.refers import read_refers
from tests.layouts.headers.scans import (
    Scan,
    cases,
    codes,
    found,
    split,
    square,
    take_first,
    write_seg,
    write_structures,
)

pytest.importorskip("highdicom")

ONE = Scan()
TWO = Scan(patient="B-2", orientation="oblique", origin=(5.0, -7.5, 31.0))


def edited(path: Path, *keywords: str) -> Path:
    """A file without some of its elements, in its sequences too."""

    def drop(item: Dataset, element: object) -> None:
        for keyword in keywords:
            if keyword in item:
                delattr(item, keyword)

    made = dcmread(path)
    drop(made, None)
    made.walk(drop)
    made.save_as(path)
    return path


def test_they_find_their_images_wherever_they_lie_and_whatever_they_are_called(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    TWO.write(root / "b")
    seg = write_seg(root / "b" / "IM0001", ONE.sources(), ONE.labels(1))
    structures = write_structures(root / "deep" / "er" / "x", TWO)
    made = cases(root)
    assert made["a/1-0.dcm"].masks == (seg.relative_to(root).as_posix(),)
    assert made["b/1-0.dcm"].masks == (structures.relative_to(root).as_posix(),)


def test_moved_and_renamed_they_make_the_same_labels(tmp_path: Path) -> None:
    made = []
    for turn in range(2):
        root = tmp_path / f"{turn}" / "root"
        ONE.write(root / "a")
        TWO.write(root / "b")
        names = random.Random(turn).sample(["b/00", "q/r/s", "a/IM", "zz.bin", "7/7.dcm"], 2)
        write_seg(root / names[0], ONE.sources(), ONE.labels(1, 2), ["liver", "spleen"])
        write_structures(root / names[1], TWO)
        key = root.parent / "key"
        key.write_bytes(b"k" * 32)
        made.append(split(root, pseudonymize=str(key)))
    first, second = made
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[case], second[case]) for case in first)
    sums = sorted(int((planes == 1).sum()) for planes in first.values())
    assert sums == sorted([int((ONE.labels(1, 2) == 1).sum()), int(square(TWO).sum())])


def test_split_writes_what_was_drawn(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "seg", ONE.sources(), ONE.labels(1, 2), ["liver", "spleen"])
    (planes,) = split(root).values()
    assert np.array_equal(planes, ONE.labels(1, 2))


def test_contours_on_oblique_slices_are_written_as_they_were_drawn(tmp_path: Path) -> None:
    root = tmp_path / "root"
    TWO.write(root / "a")
    write_structures(root / "rt", TWO)
    (planes,) = split(root).values()
    assert np.array_equal(planes, square(TWO))


ECHOES = [Scan(image=echo, more={"EchoTime": echo}) for echo in ("2.3", "4.6")]


def test_a_mask_of_one_echo_of_a_series_is_of_no_other(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for echo in ECHOES:
        echo.write(root / "a")
    write_seg(root / "seg", ECHOES[1].sources(), ONE.labels(1))
    assert [*cases(root)] == ["a/14.6-0.dcm"]


def test_a_mask_of_all_images_of_a_series_is_of_all_its_volumes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for echo in ECHOES:
        echo.write(root / "a")
    path = write_seg(root / "seg", ECHOES[0].sources(), ONE.labels(1))
    edited(path, "ReferencedInstanceSequence", "SourceImageSequence", "DerivationImageSequence")
    made = cases(root)
    assert [case.masks for case in made.values()] == [("seg",), ("seg",)]
    assert all(np.array_equal(planes, ONE.labels(1)) for planes in split(root).values())


def test_a_mask_of_a_series_is_of_the_volumes_on_its_grid_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    Scan(image="x", orientation="coronal", more={"EchoTime": 9}).write(root / "a")
    path = write_seg(root / "seg", ONE.sources(), ONE.labels(1))
    edited(path, "ReferencedInstanceSequence", "SourceImageSequence", "DerivationImageSequence")
    assert [*cases(root)] == ["a/1-0.dcm"]


def test_a_mask_of_images_that_are_not_there_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "seg", ONE.sources(), ONE.labels(1))
    write_seg(root / "other", TWO.sources(), TWO.labels(1))
    (problem,) = found(root).problems
    assert problem.code == "mask-surplus"
    assert "other" not in problem.text


def test_a_mask_that_refers_to_nothing_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    path = write_seg(root / "seg", ONE.sources(), ONE.labels(1))
    lists = ("ReferencedSeriesSequence", "SourceImageSequence", "DerivationImageSequence")
    edited(path, *lists, "FrameOfReferenceUID")
    assert codes(root) == ["mask-reference"]


def without_references(root: Path, scan: Scan, lift: float = 0.0) -> None:
    write_structures(root / "rt", scan, refers=False, lift=lift)


def test_of_one_frame_of_reference_the_volume_in_whose_planes_contours_lie(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    other = Scan(series="2", orientation="coronal", origin=(-20.0, 30.5, 120.0)).write(root / "b")
    without_references(root, other)
    assert [*cases(root)] == ["b/2-0.dcm"]


def test_of_several_volumes_in_the_same_planes_none_is_guessed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    Scan(series="2").write(root / "b")
    without_references(root, ONE)
    assert codes(root) == ["mask-ambiguous"]
    assert all(case.refused for case in found(root).cases)


def test_a_mask_of_a_series_that_is_not_taken_is_no_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "seg", ONE.sources(), ONE.labels(1))
    TWO.write(root / "b")
    write_seg(root / "other", TWO.sources(), TWO.labels(1))
    take_first(monkeypatch)
    made = found(root)
    assert made.problems == ()
    assert [case.masks for case in made.cases] == [("seg",)]


PLANE: Orientation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def frames(*numbers: int) -> Volume:
    """A volume of some frames of one file."""
    heads = [
        Head("f", n, 4, 4, (0.0, 0.0, float(n)), PLANE, (1.0, 1.0), "1.2", None, {})
        for n in numbers
    ]
    return Volume("p", "s", "r", tuple(heads), f"v{numbers[0]}")


def test_a_mask_of_some_frames_of_a_file_is_of_their_volume() -> None:
    first, second = frames(0, 1), frames(2, 3)
    references = References([first, second])
    refers = Refers(instances=frozenset({"1.2"}), frames=frozenset({("1.2", 3), ("1.2", 4)}))
    assert references.find(refers).volumes == (second,)
    assert references.find(Refers(instances=frozenset({"1.2"}))).volumes == (first, second)


def test_what_contours_were_drawn_on_is_more_than_a_list_of_a_series(tmp_path: Path) -> None:
    path = write_structures(tmp_path / "rt", ONE)
    made = dcmread(path)
    listed, study, series = Dataset(), Dataset(), Dataset()
    listed.FrameOfReferenceUID = generate_uid()
    series.SeriesInstanceUID = ONE.series_uid
    series.ContourImageSequence = [Dataset(), Dataset()]
    for item, uid in zip(series.ContourImageSequence, (ONE.uid(1), TWO.uid(1)), strict=True):
        item.ReferencedSOPInstanceUID = uid
    study.RTReferencedSeriesSequence = [series]
    listed.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [listed]
    made.save_as(path)
    refers = read_refers(path.read_bytes())
    assert refers.instances == {ONE.uid(place) for place in (1, 2, 3)}
    assert refers.series == {ONE.series_uid}
    del made.ROIContourSequence
    made.save_as(path)
    assert read_refers(path.read_bytes()).instances == {ONE.uid(1), TWO.uid(1)}


def test_frames_of_another_phase_in_the_same_planes_are_not_painted(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for echo in ECHOES:
        echo.write(root / "a")
    sources = [one for echo in ECHOES for one in echo.sources()]
    path = write_seg(tmp_path / "seg", sources[:4], ONE.labels(1))
    made = dcmread(path)
    other = np.roll(ONE.labels(1), 3, axis=2)
    second = dcmread(write_seg(tmp_path / "other", sources[4:], other))
    made.PixelData = packed(np.concatenate([one[1:] for one in (ONE.labels(1), other)]))
    made.PerFrameFunctionalGroupsSequence += second.PerFrameFunctionalGroupsSequence
    made.ReferencedSeriesSequence[0].ReferencedInstanceSequence += second.ReferencedSeriesSequence[
        0
    ].ReferencedInstanceSequence
    made.NumberOfFrames = 6
    made.save_as(root / "seg")
    written = [*split(root).values()]
    assert np.array_equal(written[0], ONE.labels(1))
    assert np.array_equal(written[1], other)


def packed(planes: NDArray[np.uint8]) -> bytes:
    """Pixels of one bit (PS3.5 8.1.1), padded to an even length."""
    data = np.packbits(planes.ravel(), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("kind", ["seg", "rt"])
def test_no_damage_of_a_mask_does_more_than_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mask"
    if kind == "seg":
        write_seg(path, ONE.sources(), ONE.labels(1))
    else:
        write_structures(path, ONE)
    whole = path.read_bytes()
    rng = random.Random(16)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(132, len(data))] = rng.randrange(256)
        with suppress(FileError):
            read_refers(bytes(data[: rng.choice([len(data), rng.randrange(len(data))])]))
