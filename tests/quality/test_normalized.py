"""verify on normalized directories: all rows of a case, the descriptor and the landmarks agree."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ManifestError
from tests.stages.normalized import METHODS, Method, Normal, two_sequences

Rows = list[dict[str, Any]]
Told = dict[str, Any]
Change = Callable[[Rows, Told], None]


@pytest.mark.parametrize("method", METHODS)
def test_verify_finds_nothing_wrong(tmp_path: Path, method: Method) -> None:
    made = chaosprep.convert(two_sequences(tmp_path), tmp_path / "out", normalize=method)
    copies = chaosprep.augment(made, tmp_path / "copies", copies=1)
    for directory in (made.directory, copies.directory):
        assert chaosprep.verify(directory, replay="all").faults == ()


def rewritten(dataset: Dataset, place: Path, change: Change) -> Path:
    """A copy of a directory whose rows and descriptor were changed by hand, and agree."""
    shutil.copytree(dataset.directory, place)
    rows = [json.loads(line) for line in (place / "slices.jsonl").read_bytes().splitlines()]
    descriptor = json.loads((place / "datapackage.json").read_text())
    change(rows, descriptor["chaosprep"])
    table = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (place / "slices.jsonl").write_bytes(table)
    digest = f"sha256:{hashlib.sha256(table).hexdigest()}"
    descriptor["resources"][0] |= {"bytes": len(table), "hash": digest}
    (place / "datapackage.json").write_text(json.dumps(descriptor))
    return place


def other_slope(rows: Rows, told: Told) -> None:
    rows[1]["slope"] *= 2


def other_knots(rows: Rows, told: Told) -> None:
    for row in rows:
        row["normalization"]["to"][3] += 0.01


def other_method(rows: Rows, told: Told) -> None:
    told["parameters"]["normalize"] = "zscore"


def no_landmarks(rows: Rows, told: Told) -> None:
    told["learned"]["landmarks"]["t1-in"] = [1, 2]


@pytest.mark.parametrize("change", [other_slope, other_knots, other_method, no_landmarks])
def test_verify_finds_what_does_not_agree(
    normalized: Normal, tmp_path: Path, change: Change
) -> None:
    place = rewritten(normalized["nyul"], tmp_path / "changed", change)
    assert "normalization" in {fault.code for fault in chaosprep.verify(place).faults}


def test_verify_compares_landmarks_that_were_given(normalized: Normal, tmp_path: Path) -> None:
    landmarks = str(normalized["nyul"].directory)
    made = chaosprep.convert(
        two_sequences(tmp_path, sequence="t1-in"),
        tmp_path / "out",
        normalize="nyul",
        landmarks=landmarks,
    )

    def other(rows: Rows, told: Told) -> None:
        given = json.loads(told["parameters"]["landmarks"])
        given["landmarks"]["t1-in"][3] += 0.01
        told["parameters"]["landmarks"] = json.dumps(given)

    assert chaosprep.verify(made.directory).faults == ()
    (fault,) = chaosprep.verify(rewritten(made, tmp_path / "changed", other)).faults
    assert fault.code == "normalization"


def test_verify_finds_a_bias_field_that_is_not_that_of_its_case(tmp_path: Path) -> None:
    split = two_sequences(tmp_path, sequence="t1-in")
    fast: dict[str, Any] = {"bias_iterations": 1, "bias_grid": 12.0}
    made = chaosprep.convert(split, tmp_path / "out", bias="n4", **fast)
    copies = chaosprep.augment(made, tmp_path / "copies", copies=1)

    def other(rows: Rows, told: Told) -> None:
        rows[1]["bias"]["least"] /= 2

    assert chaosprep.verify(copies.directory).faults == ()
    (fault,) = chaosprep.verify(rewritten(made, tmp_path / "changed", other)).faults
    assert (fault.code, fault.id) == ("bias", made.slices[1].id)


@pytest.mark.parametrize(
    "knots",
    [
        {"from": [1, 2], "to": [1, 2, 3]},
        {"from": [1, 2, 2], "to": [1, 2, 3]},
        {"from": [1, 2, 3], "to": [3, 2, 1]},
    ],
)
def test_a_table_whose_knots_make_no_map_is_not_opened(
    normalized: Normal, tmp_path: Path, knots: dict[str, list[float]]
) -> None:
    def change(rows: Rows, told: Told) -> None:
        rows[0]["normalization"] |= knots

    with pytest.raises(ManifestError, match="normalization"):
        chaosprep.open(rewritten(normalized["nyul"], tmp_path / "changed", change))
