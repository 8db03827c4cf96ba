"""Masks in which structures overlap: told in full, and refused by who takes one for each pixel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.outlines import organ_areas
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.errors import ChaosprepError
from tests.layouts.trees import COLS, ROWS, write
from tests.series.test_structures import box, images, volume

TUMOUR = box(255, y=slice(1), x=slice(2), z=slice(2))


@pytest.fixture
def overlapping(tmp_path: Path) -> Dataset:
    """Two patients with a liver; in one of them a tumour lies in it, in two slices."""
    files = images("1") | images("2", 2)
    files |= {"seg/1/liver.nii": volume(box()), "seg/2/liver.nii": volume(box())}
    files |= {"seg/1/liver-tumour.nii": volume(TUMOUR)}
    return chaosprep.split(
        write(tmp_path / "root", files),
        tmp_path / "split",
        val=0,
        images="scans/{patient}/{slice}.dcm",
        masks="seg/{patient}/{organ}.nii",
    )


def test_rows_tell_what_meets_and_the_whole_area_of_each(overlapping: Dataset) -> None:
    first, *_, last = overlapping.case("P001_series").slices
    liver, tumour = (next(v for v, n in first.labels.items() if n == name) for name in first.pixels)
    assert first.pixels == {"liver": ROWS * COLS, "liver-tumour": 2}
    assert first.overlaps == {3: (liver, tumour)}
    assert last.pixels == {"liver": ROWS * COLS, "liver-tumour": 0}
    assert not last.overlaps


def test_verify_finds_nothing_wrong_and_sees_a_pixel_that_is(overlapping: Dataset) -> None:
    assert chaosprep.verify(overlapping.directory).faults == ()
    row = overlapping.case("P001_series").slices[0]
    file = overlapping.directory / str(row.mask)
    mask = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    mask[0, 0] = 1
    file.unlink()
    cv2.imwrite(str(file), mask)
    assert chaosprep.verify(overlapping.directory).faults != ()


def test_both_structures_are_drawn_where_they_lie(overlapping: Dataset) -> None:
    row = overlapping.case("P001_series").slices[0]
    mask = overlapping.case("P001_series").mask(row)
    assert mask is not None
    found = dict(organ_areas(row, mask))
    assert np.array_equal(found["liver"], box()[0] == 1)
    assert np.array_equal(found["liver-tumour"], TUMOUR[0] == 255)


def test_the_refusal_says_what_meets_where_and_puts_the_smaller_on_top(
    overlapping: Dataset,
) -> None:
    with pytest.raises(ChaosprepError) as caught:
        refuse_overlaps(overlapping.slices)
    assert caught.value.code == "structures-overlap"
    assert caught.value.reason == "its structures overlap (liver and liver-tumour in 1 case)"
    assert "extract-labels --order liver-tumour,liver." in caught.value.remedy


REFUSING: dict[str, Callable[[Path, Path], Any]] = {
    "convert": chaosprep.convert,
    "nnunet": lambda split, out: chaosprep.export("nnunet", split, out, id=101),
    "nifti": lambda split, out: chaosprep.export("nifti", split, out),
    "monai": lambda split, out: chaosprep.export("monai", split, out),
    "assemble": chaosprep.assemble,
    "evaluate": lambda split, out: chaosprep.evaluate(split, split),
}


@pytest.mark.parametrize("name", REFUSING)
def test_who_takes_one_structure_for_each_pixel_refuses_them(
    overlapping: Dataset, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ChaosprepError) as caught:
        REFUSING[name](overlapping.directory, tmp_path / "out")
    codes = [one.code for one in getattr(caught.value, "problems", [caught.value])]
    assert codes == ["structures-overlap"]
    assert not (tmp_path / "out").exists() or name == "convert"


def test_parquet_takes_the_table_as_it_is(overlapping: Dataset, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    chaosprep.export("parquet", overlapping.directory, tmp_path / "out")
    table = pyarrow.read_table(tmp_path / "out/slices.parquet").to_pylist()
    assert [row["overlaps"] for row in table] == ['{"3":[1,2]}'] * 2 + ["{}"] * 4


def test_only_a_table_that_has_such_rows_describes_their_columns(
    overlapping: Dataset, tmp_path: Path
) -> None:
    (schema,) = (one.schema for one in overlapping.descriptor.resources)
    assert [field["name"] for field in schema["fields"]][-1] == "overlaps"
    assert all(isinstance(row.overlaps, dict) for row in overlapping.slices)  # and in every row
    flat = chaosprep.split(
        tmp_path / "root", tmp_path / "flat", val=0, images="scans/{patient}/{slice}.dcm"
    )
    (schema,) = (one.schema for one in flat.descriptor.resources)
    assert [field["name"] for field in schema["fields"]][-1] == "warnings"
