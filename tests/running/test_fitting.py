"""A case becomes the rows that are expected of it, each once, and no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from chaosprep.dataset.case import Case
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.containers.zarr import ZARR
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.running.fitting import TOLD, carried, fits, one_for_each
from tests.running.toys import ToyCase, handmade_row

MASK: dict[str, Any] = {
    "mask": "train/masks/MR001_t1-in_s000.png",
    "mask_sha256": "0" * 64,
    "mask_bytes": 1,
}


def row(number: int = 0, **columns: Any) -> Slice:
    id = f"MR001_t1-in_s{number:03d}"
    return decode_row(json.dumps(handmade_row(id, **{"slice": number} | columns)).encode())


def case(*rows: Slice) -> Case:
    return Case(Store(Path()), "MR001_t1-in", "MR001", rows)


def child(number: int = 0, **columns: Any) -> Slice:
    return row(number, **{"parent": f"MR001_t1-in_s{number:03d}"} | columns)


def test_one_row_for_each_slice_fits_in_any_order() -> None:
    expected = one_for_each(case(row(0), row(1)), None)
    assert fits([child(1), child(0)], expected)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [child(0)],
        [child(0), child(0)],
        [child(0), child(1), child(1)],
        [child(0), child(2)],
        [child(0), child(1), child(2)],
    ],
)
def test_rows_that_lack_or_come_twice_do_not_fit(rows: list[Slice]) -> None:
    assert not fits(rows, one_for_each(case(row(0), row(1)), None))


@pytest.mark.parametrize(
    "columns",
    [
        {"split": "val", "image": "val/images/MR001_t1-in_s000.png"},
        {"fold": 1},
        {"parent": None},
        {"parent": "MR001_t1-in_s001"},
        {"sequence": "t2-spir"},
        {"slice": 3},
        {"copy": 1},
        {"frame": 0},
        {"source": "elsewhere"},
        MASK,
    ],
)
def test_a_row_of_another_side_place_or_parent_does_not_fit(columns: dict[str, Any]) -> None:
    assert not fits([child(**columns)], one_for_each(case(row()), None))


@pytest.mark.parametrize("ending", [".png", ".npy", ".nii.gz", ".DCM"])
def test_an_image_may_be_of_any_kind(ending: str) -> None:
    image = f"train/images/MR001_t1-in_s000{ending}"
    assert fits([child(image=image)], one_for_each(case(row()), None))


@pytest.mark.parametrize(
    "image",
    [
        "train/images/MR001_t1-in_s001.png",
        "train/masks/MR001_t1-in_s000.png",
        "val/images/MR001_t1-in_s000.png",
        "train/images/MR001_t1-in_s000",
        "train/images/MR001_t1-in_s000.png/x",
        "train/images/MR001_t1-in_s000_a01.png",
        "MR001_t1-in_s000.png",
    ],
)
def test_an_image_of_another_name_does_not_fit(image: str) -> None:
    assert not fits([child(image=image)], one_for_each(case(row()), None))


def test_a_mask_must_be_there_where_the_parent_has_one() -> None:
    expected = list(one_for_each(case(row(**MASK)), None) or ())
    assert fits([child(**MASK)], expected)
    assert not fits([child()], expected)


def test_a_stage_may_expect_another_name_and_what_a_file_holds() -> None:
    expected = [carried(row(), image="train/images/shared.dcm", image_sha256="1" * 64)]
    fit: dict[str, Any] = {"image": "train/images/shared.dcm", "image_sha256": "1" * 64}
    assert fits([child(**fit)], expected)
    assert not fits([child(**fit | {"image_sha256": "2" * 64})], expected)


def test_of_cases_of_another_kind_nothing_is_known() -> None:
    assert not fits([child()], one_for_each(ToyCase("MR001_t1-in"), None))
    assert not fits([], None)


@pytest.mark.parametrize(("columns", "fit"), [({}, False), ({"scaling": None}, True)])
def test_a_column_that_is_told_must_be_there(columns: dict[str, Any], fit: bool) -> None:
    expected = carried(row(), image=child().image, scaling=TOLD)
    assert fits([child(**columns)], [expected]) == fit


def packed(container: str | None) -> Slice:
    """A row whose image lies in this container."""
    return child(image_container=container, image_offset=None if container is None else 512)


@pytest.mark.parametrize(
    ("kind", "container", "fit"),
    [
        (None, None, True),
        (None, "train/images/MR001_t1-in.tar", False),
        (TAR, None, False),
        (TAR, "train/images/MR001_t1-in.tar", True),
        (TAR, "train/images/MR001_t1-in.zarr/c.0.0.0", False),
        (TAR, ".chaosprep/MR001_t1-in.tar", False),
        (TAR, "train/images/MR002_t1-in.tar", False),
        (ZARR, "train/images/MR001_t1-in.zarr/c.0.0.0", True),
        (ZARR, "train/images/MR001_t1-in.tar", True),
    ],
)
def test_a_file_must_lie_where_its_store_has_it(
    kind: Container | None, container: str | None, fit: bool
) -> None:
    assert fits([packed(container)], one_for_each(case(row()), None), kind) == fit
