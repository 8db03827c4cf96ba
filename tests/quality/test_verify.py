"""`verify`: each planted fault is found, named exactly, and nothing else is reported."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep.errors import ManifestError, UsageError
from chaosprep.quality.verify import Verdict

from .conftest import Row, replace_file, rewrite


def png(array: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    return cv2.imencode(".png", array)[1].tobytes()


def faults(verdict: Verdict) -> list[tuple[str, str]]:
    return [(fault.code, fault.id) for fault in verdict.faults]


def test_clean_data_has_no_finding(pristine: Path) -> None:
    verdict = chaosprep.verify(pristine)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert (verdict.stage, verdict.cases, verdict.slices) == ("augment", 4, 35)


@pytest.mark.parametrize("stage", ["split", "liver", "images"])
def test_every_earlier_stage_is_clean_too(pristine: Path, stage: str) -> None:
    assert not chaosprep.verify(pristine.parent / stage).faults


def test_workers_find_the_same(directory: Path) -> None:
    (directory / "train/images/MR001_t1-in_s001.png").unlink()
    assert chaosprep.verify(directory, jobs=2) == chaosprep.verify(directory)


def test_a_missing_file(directory: Path) -> None:
    (directory / "train/images/MR001_t1-in_s001.png").unlink()
    (fault,) = chaosprep.verify(directory).faults
    assert (fault.code, fault.id) == ("file-missing", "MR001_t1-in_s001")
    assert fault.file == "train/images/MR001_t1-in_s001.png"
    assert fault.remedy


def test_a_changed_byte(directory: Path) -> None:
    path = directory / "train/masks/MR001_t1-in_s001.png"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert faults(chaosprep.verify(directory)) == [("hash", "MR001_t1-in_s001")]


def test_a_surplus_file(directory: Path) -> None:
    (directory / "val/masks/extra.png").write_bytes(b"")
    assert faults(chaosprep.verify(directory)) == [("surplus", "val/masks/extra.png")]


def test_a_patient_on_two_sides(directory: Path) -> None:
    def move(rows: list[Row]) -> None:
        moved = next(row for row in rows if row["id"] == "MR001_t1-in_s001")
        moved["split"] = "val"

    rewrite(directory, move)
    found = faults(chaosprep.verify(directory))
    assert found == [("leakage", "MR001"), ("leakage", "MR001_t1-in_s001_a01")]


def test_one_slice_s_pixels_under_two_patients_on_two_sides(directory: Path) -> None:
    dataset = chaosprep.open(directory)
    val = next(row for row in dataset.slices if row.split == "val" and row.slice == 2)
    data = (directory / val.image).read_bytes()

    def plant(rows: list[Row]) -> None:
        victim = next(row for row in rows if row["split"] == "train" and row["slice"] == 2)
        replace_file(directory, victim, "image", data)

    rewrite(directory, plant)
    ((code, _),) = faults(chaosprep.verify(directory))
    assert code == "leakage"


def test_one_slice_turned_under_another_patient_on_the_other_side(directory: Path) -> None:
    dataset = chaosprep.open(directory)
    val = next(row for row in dataset.slices if row.split == "val" and row.slice == 2)
    pixels = cv2.imread(str(directory / val.image), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    turned = cv2.warpAffine(pixels, cv2.getRotationMatrix2D((31.5, 31.5), 6, 0.95), (64, 64))
    planted = []

    def plant(rows: list[Row]) -> None:
        victim = next(r for r in rows if r["split"] == "train" and r["slice"] == 2)
        planted.append(victim["id"])
        replace_file(directory, victim, "image", png(np.asarray(turned, np.uint8)))

    rewrite(directory, plant)
    verdict = chaosprep.verify(directory)
    assert verdict.faults == ()
    ((code, reason),) = [(found.code, found.reason) for found in verdict.warnings]
    assert code == "near-duplicate"
    assert planted[0] in f"{verdict.warnings[0].id} {reason}"
    assert val.id in f"{verdict.warnings[0].id} {reason}"


def test_only_the_patients_that_are_asked_for(directory: Path) -> None:
    for path in directory.glob("train/masks/MR00*_s001.png"):
        path.unlink()
    verdict = chaosprep.verify(directory, patients=["MR001"])
    assert faults(verdict) == [("file-missing", "MR001_t1-in_s001")]
    assert verdict.cases == 1


def test_an_unknown_patient_is_named(directory: Path) -> None:
    with pytest.raises(UsageError, match="no patient is called MR009"):
        chaosprep.verify(directory, patients=["MR009"])


def test_constant_slices_are_no_leakage(directory: Path) -> None:
    black = png(np.zeros((64, 64), np.uint8))

    def blacken(rows: list[Row]) -> None:
        for row in rows:
            if row["slice"] == 0:
                replace_file(directory, row, "image", black)

    rewrite(directory, blacken)
    assert chaosprep.verify(directory).faults == ()


def test_a_copy_without_its_original(directory: Path) -> None:
    def forget(rows: list[Row]) -> None:
        rows[:] = [row for row in rows if row["id"] != "MR001_t1-in_s001"]

    (directory / "train/images/MR001_t1-in_s001.png").unlink()
    (directory / "train/masks/MR001_t1-in_s001.png").unlink()
    rewrite(directory, forget)
    assert faults(chaosprep.verify(directory)) == [("original-missing", "MR001_t1-in_s001_a01")]


@pytest.mark.parametrize(
    ("kind", "array", "codes"),
    [
        ("image", np.arange(32 * 64, dtype=np.uint8).reshape(32, 64), {"size"}),
        ("image", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64), {"dtype"}),
        ("mask", np.zeros((32, 64), np.uint8), {"size", "area"}),
        ("mask", np.full((64, 64), 254, np.uint8), {"labels", "area"}),
        ("mask", np.zeros((64, 64), np.uint8), {"area"}),
    ],
)
def test_a_file_that_is_not_what_the_manifest_says(
    directory: Path, kind: str, array: NDArray[np.uint8] | NDArray[np.uint16], codes: set[str]
) -> None:
    def plant(rows: list[Row]) -> None:
        row = next(row for row in rows if row["id"] == "MR001_t1-in_s002")
        replace_file(directory, row, kind, png(array))

    rewrite(directory, plant)
    found = chaosprep.verify(directory).faults
    assert {fault.code for fault in found} == codes
    assert {fault.id for fault in found} == {"MR001_t1-in_s002"}


def test_slices_out_of_anatomical_order(directory: Path) -> None:
    def swap(rows: list[Row]) -> None:
        first, second = (
            next(row for row in rows if row["id"] == f"MR001_t1-in_s00{n}") for n in (1, 2)
        )
        first["position"], second["position"] = second["position"], first["position"]

    rewrite(directory, swap)
    assert faults(chaosprep.verify(directory)) == [("order", "MR001_t1-in_s002")]


def test_slices_that_are_further_apart_than_recorded(directory: Path) -> None:
    def stretch(rows: list[Row]) -> None:
        for row in rows:
            if row["case"] == "MR002_t1-in":
                row["spacing"][0] = 5.0

    rewrite(directory, stretch)
    ((code, id),) = faults(chaosprep.verify(directory))
    assert (code, id) == ("spacing", "MR002_t1-in")


def test_a_history_that_is_no_chain(directory: Path) -> None:
    path = directory / "datapackage.json"
    descriptor = json.loads(path.read_text())
    descriptor["chaosprep"]["history"] = descriptor["chaosprep"]["history"][1:]
    path.write_text(json.dumps(descriptor))
    assert faults(chaosprep.verify(directory)) == [("chain", "augment")]


def test_warnings_of_the_table_are_passed_on(directory: Path) -> None:
    def warn(rows: list[Row]) -> None:
        rows[0]["warnings"] = ["gap of 11.0 mm after this slice, 5.5 mm expected"]

    rewrite(directory, warn)
    verdict = chaosprep.verify(directory)
    assert verdict.faults == ()
    assert [warning.reason for warning in verdict.warnings] == [
        "gap of 11.0 mm after this slice, 5.5 mm expected"
    ]


def test_an_unfinished_directory_is_refused_by_name(directory: Path) -> None:
    (directory / "datapackage.json").unlink()
    with pytest.raises(ManifestError, match=r"data: not a stage directory"):
        chaosprep.verify(directory)
