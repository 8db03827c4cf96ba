"""RTSTRUCTs that are wrong in contours, numbers or sequences: pydicom's polygons, or one error."""

import random
import warnings
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chaosprep.formats.masks import Stack, mask_format
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried
from tests.formats.structure_sets import (
    OTHER,
    SCAN,
    Points,
    Scan,
    Structure,
    cut,
    dataset_of,
    disk,
    drawn,
    even_odd,
    rtstruct,
    square,
    star,
    written,
)

FEW = 150
SECONDS = 2.0
RING = [disk(11.3, 15.2, 9.1, points=16), disk(11.6, 15.9, 4.2, points=12)]
SETS = [
    [
        Structure("liver", drawn(SCAN, dict.fromkeys((1, 2), RING)), code=("SCT", "10200004", "L")),
        Structure("spleen", drawn(SCAN, {1: [star(6.3, 9.2, 5.4)], 2: [square(3, 4, 9, 9)]})),
        Structure("isocentre", drawn(SCAN, {1: [np.array([(3.0, 4.0)])]}, "POINT")),
        Structure("none"),
    ],
    [Structure("a", drawn(SCAN, {3: RING}, "CLOSEDPLANAR_XOR"), number=7)],
]
SEEDS = [rtstruct(*SETS[0]), rtstruct(*SETS[1], undefined_lengths=True)]
COORDINATES = ["nan", "inf", "1e300", "-1e308", "1e-320", "1e5", "", "x", "0", "3.25", "1_0", "1e6"]
VALUES: dict[str, list[Any]] = {
    "IS": ["0", "1", "2", "7", "-1", "70000", "99999999999", "", "1.5", "x"],
    "DS": ["", "1", "1\\2", "1\\2\\3", "0\\0\\0\\0\\0\\0", "nan\\nan\\nan", "1e300\\1\\1"],
    "CS": ["CLOSED_PLANAR", "OPEN_PLANAR", "POINT", "CLOSEDPLANAR_XOR", "", "A\\B", "ORGAN"],
    "UI": ["1.2.3", "", OTHER, SCAN.uid(1), SCAN.uid(3), "1.2.840.10008.5.1.4.1.1.66.4"],
    "LO": ["", "liver", "a\\b", "x" * 64, "\x1b", "Doe^Jane"],
}
Edit = Callable[[Dataset, random.Random], None]


def items(made: Dataset) -> list[Dataset]:
    """All contours."""
    rois = made.ROIContourSequence
    return [item for roi in rois for item in roi.get("ContourSequence") or ()]


def one_coordinate(made: Dataset, draw: random.Random) -> None:
    item = draw.choice(items(made))
    values = [str(value) for value in item.ContourData]
    values[draw.randrange(len(values))] = draw.choice(COORDINATES)
    raw(item, "ContourData", "\\".join(values))


def raw(item: Dataset, keyword: str, text: str) -> None:
    """Any text, unchecked."""
    del item[keyword]
    item.add_new(keyword, "LT", text)


def count(made: Dataset, draw: random.Random) -> None:
    item = draw.choice(items(made))
    raw(item, "NumberOfContourPoints", draw.choice([*VALUES["IS"], "4", "16", "2147483647"]))


def points(made: Dataset, draw: random.Random) -> None:
    """Points lost, doubled, moved along the normal, or very many of them."""
    item = draw.choice(items(made))
    values = np.array([float(value) for value in item.ContourData]).reshape(-1, 3)
    match draw.randrange(6):
        case 0:
            values = values[: draw.randrange(len(values) + 1)]
        case 1:
            values = np.concatenate([values, values])
        case 2:
            values[:, 2] += draw.choice([0.02, 0.1, 0.3, 2, 4, 400, -4])
        case 3:
            values[draw.randrange(len(values))] += draw.choice([0.02, 0.3, 50, 1e4])
        case 4:
            values = values[np.random.default_rng(draw.randrange(99)).permutation(len(values))]
        case _:
            times = draw.choice([10, 300]) if len(values) < 100 else 1
            values = np.tile(values * draw.choice([1, 30]), (times, 1))
    raw(item, "ContourData", "\\".join(f"{value:.6g}" for value in values.ravel()))
    if draw.random() < 0.8:
        raw(item, "NumberOfContourPoints", str(len(values)))


def contours(made: Dataset, draw: random.Random) -> None:
    """Contours lost, doubled, moved to another structure, or very many."""
    roi = draw.choice([roi for roi in made.ROIContourSequence if "ContourSequence" in roi])
    found = list(roi.ContourSequence)[:40]
    others = list(draw.choice(made.ROIContourSequence).get("ContourSequence") or ())
    roi.ContourSequence = draw.choice(
        [[], found[1:], found + found, found + others, found * 100, found[::-1], [Dataset()]]
    )


def inside(made: Dataset, draw: random.Random) -> None:
    """Another value, or none, anywhere."""
    found: list[tuple[Dataset, DataElement]] = []

    def gather(item: Dataset, element: DataElement) -> None:
        found.append((item, element))

    made.walk(gather)
    item, element = draw.choice(found)
    if element.VR == "SQ":
        many = list(element.value)
        element.value = draw.choice([[], many * 2, [Dataset()], [*many, Dataset()], many[1:]])
    elif draw.random() < 0.3:
        del item[element.tag]
    elif element.VR in VALUES:
        raw(item, element.keyword, draw.choice(VALUES[element.VR]))


def nested(made: Dataset, draw: random.Random) -> None:
    """A sequence in a sequence in a sequence."""
    inner: Any = draw.choice(items(made))
    for _ in range(draw.choice([2, 10, 30])):
        outer = Dataset()
        outer.ContourSequence = [inner]
        inner = outer
    draw.choice(made.ROIContourSequence).ContourSequence = [inner]


EDITS: list[Edit] = [
    *(one_coordinate, count, points, points, points, contours, contours, inside, inside, nested)
]


def damaged(draw: random.Random) -> bytes:
    at = draw.randrange(len(SEEDS))
    data = SEEDS[at]
    if draw.random() < 0.2:
        return scratched(data, draw, 132)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = dataset_of(SETS[at])
        for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
            try:
                draw.choice(EDITS)(made, draw)
            except (AttributeError, IndexError, KeyError, ValueError, TypeError, RecursionError):
                continue  # what it would edit is gone
        syntaxes = [ExplicitVRLittleEndian] * 3
        syntax = draw.choice([*syntaxes, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
        with suppress(Exception):  # what nobody can write nobody has to read
            data = written(made, syntax)
    return scratched(data, draw, 132) if draw.random() < 0.2 else data


def polygons(data: bytes) -> dict[tuple[int, int], list[Points]]:
    """The closed contours of a set as pydicom has them, by structure's place and by slice."""
    made = dcmread(BytesIO(data))
    numbers = [int(item.ROINumber) for item in made.StructureSetROISequence]
    found = defaultdict[tuple[int, int], list[Points]](list)
    for roi in made.ROIContourSequence:
        for item in roi.get("ContourSequence") or ():
            stored = item.get("ContourData") or ()
            texts = stored.split("\\") if isinstance(stored, str) else stored
            values = np.array([float(value) for value in texts])
            kind = str(item.get("ContourGeometricType"))
            if kind.startswith("CLOSED") and values.size > 6:
                placed = (values.reshape(-1, 3) - SCAN.origin) / (1.5, 1.25, SCAN.step)
                places = np.rint(placed[:, 2])
                if np.abs(placed[:, 2] - places).max() <= 0.05:
                    key = numbers.index(int(roi.ReferencedROINumber)), int(places[0])
                    found[key].append(placed[:, 1::-1])
    return found


def reads(data: bytes) -> int:
    """Check that a mask is what pydicom's polygons say, or missing with one reason."""
    mask_format("m.dcm", data)
    stack = tried(lambda: cut(data), SECONDS)
    assert isinstance(stack, Stack)  # a mask of a series is never an exception
    assert len(stack.errors) <= 1
    if stack.errors:
        ((_, error),) = stack.errors
        assert error.code
        assert error.reason
        return 0
    assert len(stack.labels) == SCAN.count
    if stack.note is None:  # all is as the contours say
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = polygons(data)
        except NotImplementedError:  # numbers of a type that is no VR
            return 1
        shown = [even_odd(every, SCAN.rows, SCAN.cols) for every in found.values()]
        many = sum(int((plane > 0).sum()) for plane in stack.labels.values())
        by_slice = defaultdict[int, Any](lambda: np.zeros((SCAN.rows, SCAN.cols), np.bool_))
        for (_, place), one in zip(found, shown, strict=True):
            by_slice[place] = by_slice[place] | one
        assert abs(many - sum(int(plane.sum()) for plane in by_slice.values())) <= 12 * len(found)
    return 1


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_structure_set_is_read_or_is_told_in_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("rtstruct", batch, FEW):
        reads(damaged(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read() -> None:
    found = sum(reads(damaged(draw)) > 0 for draw in draws("rtstruct", 0, 50))
    assert 5 < found < 48


@pytest.mark.parametrize("depth", [20, 500, 50_000])
def test_sequences_nested_without_end_are_one_error(depth: int) -> None:
    made = dataset_of([])
    del made.ROIContourSequence, made.RTROIObservationsSequence
    level = b"\x06\x30\x39\x00SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    stack = tried(lambda: cut(written(made) + level * depth), SECONDS)
    assert isinstance(stack, Stack)
    assert [error.code for _, error in stack.errors] == ["mask-unreadable"]


def test_edges_that_run_across_the_pictures_without_end_are_one_error() -> None:
    zigzag = np.array([(n % 2 * 1e5, n % 30) for n in range(30_000)])
    big = Scan(rows=4096, cols=64)
    data = rtstruct(Structure("a", drawn(big, {1: [zigzag]})))
    stack = tried(lambda: cut(data, big), SECONDS)
    assert isinstance(stack, Stack)
    assert [error.code for _, error in stack.errors] == ["too-large"]
