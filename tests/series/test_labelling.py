"""Masks by a table of labels, from files to the rows of split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from chaosprep.dataset.records import Slice
from chaosprep.division.params import SplitParams
from chaosprep.errors import Problem
from chaosprep.files import sha256
from chaosprep.formats.label_table import parse_labels
from chaosprep.layouts import folder
from chaosprep.layouts.layout import Where
from chaosprep.running.writer import Writer
from chaosprep.series.source import SourceCase
from chaosprep.stages.split import run_case
from tests.formats.test_colours import saved
from tests.formats.test_labels import npy
from tests.layouts.trees import slice_at, write
from tests.series.test_mask_slices import mask_at

LABELS = np.array([[0, 1, 1, 0], [0, 1, 2, 2], [0, 0, 2, 0]], np.uint8)
GREY = np.array([0, 80, 160], np.uint8)[LABELS]
COLOUR = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)[LABELS]


def found(root: Path, masks: Mapping[str, bytes]) -> SourceCase:
    """One slice and its mask, named by its ending."""
    ((end, data),) = masks.items()
    write(root, {"scans/7/1.dcm": slice_at(0), f"masks/7/1{end}": data})
    where = Where("scans/{patient}/{slice}.dcm", f"masks/{{patient}}/{{slice}}{end}")
    (case,) = folder.find(root, where).cases
    return msgspec.structs.replace(case, split="train")


def made(case: SourceCase, out: Path) -> tuple[tuple[Slice, ...], tuple[Problem, ...]]:
    result = run_case(case, SplitParams(), Writer(out))
    return tuple(result.slices), tuple(result.problems)


def split(root: Path, masks: Mapping[str, bytes], labels: str) -> tuple[Slice, NDArray[Any]]:
    table = parse_labels(labels)
    case = msgspec.structs.replace(found(root, masks), table=table, labels=table.legend)
    ((row,), problems) = made(case, root / "out")
    assert problems == ()
    assert row.mask is not None
    return row, np.asarray(Image.open(root / "out" / row.mask))


def test_plain_numbers_copy_the_picture_and_name_its_values(tmp_path: Path) -> None:
    data = saved(GREY)
    row, _ = split(tmp_path, {".png": data}, "80=liver,160=spleen")
    assert row.mask_sha256 == sha256(data)
    assert row.labels == {80: "liver", 160: "spleen"}
    assert row.pixels == {"liver": 3, "spleen": 3}


def test_a_number_that_is_called_the_background_becomes_it(tmp_path: Path) -> None:
    row, mask = split(tmp_path, {".png": saved(GREY)}, "80=liver,160=background")
    assert np.array_equal(mask, np.where(LABELS == 1, 80, 0))
    assert row.labels == {80: "liver"}


@pytest.mark.parametrize(
    ("masks", "labels"),
    [
        ({".png": saved(GREY)}, "70..90=liver,160=spleen"),
        ({".bmp": saved(GREY, "BMP")}, "70..90=liver,160=spleen"),
        ({".png": saved(COLOUR)}, "#ff0000=liver,#0000ff=spleen"),
        ({".gif": saved(Image.fromarray(COLOUR).quantize(3), "GIF")}, "#f00=liver,#00f=spleen"),
        ({".npy": npy(GREY)}, "70..90=liver,160=spleen"),
        ({".dcm": mask_at(0, GREY)}, "70..90=liver,150..170=spleen"),
    ],
)
def test_levels_and_colours_become_the_values_of_the_table(
    tmp_path: Path, masks: dict[str, bytes], labels: str
) -> None:
    row, mask = split(tmp_path, masks, labels)
    assert np.array_equal(mask, LABELS)
    assert row.labels == {1: "liver", 2: "spleen"}
    assert row.pixels == {"liver": 3, "spleen": 3}


def test_a_colour_of_no_entry_costs_the_slice(tmp_path: Path) -> None:
    case = found(tmp_path, {".png": saved(COLOUR)})
    case = msgspec.structs.replace(case, table=parse_labels("#ff0000=liver"))
    rows, problems = made(case, tmp_path / "out")
    assert rows == ()
    assert [(one.code, one.file) for one in problems] == [("mask-colours", "masks/7/1.png")]


def test_a_mask_of_another_size_than_its_image_is_told_before_its_colours(tmp_path: Path) -> None:
    case = found(tmp_path, {".png": saved(COLOUR[:2])})
    case = msgspec.structs.replace(case, table=parse_labels("#ff0000=liver"))
    assert [one.code for one in made(case, tmp_path / "out")[1]] == ["size-mismatch"]


def test_a_table_is_part_of_what_a_case_is(tmp_path: Path) -> None:
    case = found(tmp_path, {".png": saved(GREY)})
    tables = [None, parse_labels("80=liver"), parse_labels("80=spleen"), parse_labels("#f00=a")]
    contents = {msgspec.structs.replace(case, table=table).content() for table in tables}
    assert len(contents) == len(tables)


@pytest.mark.parametrize(
    ("table", "liver", "kidney"), [("chaos", 63, 126), ("chaos-2019-02", 80, 160)]
)
def test_a_table_that_is_known_names_levels_in_any_tree(
    tmp_path: Path, table: str, liver: int, kidney: int
) -> None:
    data = saved(np.array([0, liver, kidney], np.uint8)[LABELS])
    case = msgspec.structs.replace(found(tmp_path, {".png": data}), levels=table)
    ((row,), problems) = made(case, tmp_path / "out")
    assert problems == ()
    assert row.mask_sha256 == sha256(data)
    assert row.labels == {liver: "liver", kidney: "right-kidney"}
    assert row.pixels == {"liver": 3, "right-kidney": 3, "left-kidney": 0, "spleen": 0}
