"""What `inspect` and `verify` print, and when they fail."""

import json
from pathlib import Path

import numpy as np

import chaosprep as library
from tests.structures import phantoms

from .conftest import Run


def test_inspect_shows_a_case_on_a_line_within_80_columns(chaosprep: Run, root: Path) -> None:
    result = chaosprep("inspect", root, "-j", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        *(
            "Case",
            "Set",
            "Mod",
            "Slices",
            "Matrix",
            "z",
            "mm",
            "xy",
            "mm",
            "Bits",
            "Values",
            "Grey",
            "levels",
        )
    ]
    assert lines[1].split() == [
        *("MR001_t1-in", "train", "MR", "5", "64x64", "5.5", "6.25", "16"),
        *(lines[1].split()[8], "63", "126", "189", "252"),
    ]
    assert lines[-1] == "inspect: 5 patients, 5 cases, 25 slices, 0 problems"
    assert max(map(len, lines)) <= 80


def test_inspect_names_problems_on_stderr(chaosprep: Run, root: Path) -> None:
    next(root.glob("Train_Sets/MR/2/T1DUAL/Ground/*.png")).unlink()
    result = chaosprep("inspect", root, "-j", "1")
    assert "Problem: MR002_t1-in: " in result.stderr
    assert "no mask belongs to this image" in result.stderr
    assert result.stdout.endswith("24 slices, 1 problem\n")


def test_inspect_as_json(chaosprep: Run, root: Path) -> None:
    said = json.loads(chaosprep("inspect", root, "-j", "1", "--json").stdout)
    assert [case["id"] for case in said["cases"]] == [f"MR00{n}_t1-in" for n in range(1, 6)]
    assert said["cases"][0]["spacing"] == [5.5, 6.25, 6.25]


def test_verify_counts_and_exits_with_0_on_good_data(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    library.split(root, tmp_path / "split")
    result = chaosprep("verify", tmp_path / "split", "-j", "1")
    assert result.exit_code == 0
    assert result.stdout == "verify: 5 cases, 25 slices, 0 faults, 0 warnings\n"


def test_verify_names_a_fault_and_exits_with_1(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    (tmp_path / "split/train/images").joinpath("stray.png").write_bytes(b"")
    result = chaosprep("verify", tmp_path / "split", "-j", "1")
    assert result.exit_code == 1
    assert result.stderr == (
        "Fault: train/images/stray.png: the manifest does not list this file. Remove it, or run "
        "the stage again with --overwrite.\nNote: outliers are not looked for among fewer than 8 "
        "cases of a sequence: 5 cases of t1-in\n"
    )
    said = json.loads(chaosprep("verify", tmp_path / "split", "-j", "1", "--json").stdout)
    assert [fault["code"] for fault in said["faults"]] == ["surplus"]


def test_verify_strict_counts_warnings(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    library.extract_liver(tmp_path / "split", tmp_path / "liver", range=(56, 57))
    arguments = ("verify", tmp_path / "liver", "-j", "1")
    assert chaosprep(*arguments).exit_code == 0
    assert chaosprep(*arguments, "--strict").exit_code == 1


def test_verify_names_each_case_on_request(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    result = chaosprep("verify", tmp_path / "split", "-j", "1", "-v", "--patient", "MR002")
    assert result.stderr == "verify: MR002_t1-in\n"
    assert result.stdout == "verify: 1 case, 5 slices, 0 faults, 0 warnings\n"


def test_verify_on_any_other_folder(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    library.convert(tmp_path / "split", tmp_path / "png")
    for name in ("datapackage.json", "slices.jsonl"):
        (tmp_path / "png" / name).unlink()
    next(tmp_path.glob("png/val/masks/*_s002.png")).unlink()
    result = chaosprep("verify", tmp_path / "png", "-j", "1")
    assert result.exit_code == 1
    assert "no mask belongs to this image. Bring back its mask" in result.stderr
    assert "Note: patients are unknown" in result.stderr
    assert result.stdout.startswith("verify: 2 sides, 25 slices, 1 fault, ")


def test_verify_counts_many_warnings_of_one_kind(chaosprep: Run, tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / "train" / kind).mkdir(parents=True)
    for number in range(23):
        array = np.zeros((8, 8), np.uint8)
        np.save(tmp_path / f"train/masks/{number}.npy", array)
        array[0, 0] = number + 1
        np.save(tmp_path / f"train/images/{number}.npy", array)
    lines = chaosprep("verify", tmp_path, "-j", "1").stderr.splitlines()
    assert lines[0] == "Warnings: 23 mask-empty"
    assert len(lines) == 1 + 3 + 1 + 1
    assert lines[4] == "Warning: mask-empty: 20 more like this; -v shows all"
    assert len(chaosprep("verify", tmp_path, "-j", "1", "-v").stderr.splitlines()) == 1 + 23 + 1


def many_structures(root: Path, count: int) -> list[str | Path]:
    """A series with a file for each structure, and the arguments that find them."""
    phantoms.scans(root, ["A1"])
    for number in range(count):
        name = f"structure-{number:02}-{'x' * 60}"
        shown = phantoms.painted({name: phantoms.box(number % 30)}, {name: 1})
        phantoms.save(root / f"seg/A1/{name}.nii", phantoms.volume(shown))
    return [root, "--images", phantoms.IMAGES, "--masks", "seg/{patient}/{organ}.nii"]


def test_inspect_lists_the_first_of_many_structures_within_80_columns(
    chaosprep: Run, tmp_path: Path
) -> None:
    arguments = many_structures(tmp_path / "many", 30)
    lines = chaosprep("inspect", *arguments).stdout.splitlines()
    assert sum("structure-" in line for line in lines) == 20
    assert "10 more structures; -v shows all" in lines
    assert max(map(len, lines)) <= 80
    lines = chaosprep("inspect", *arguments, "-v").stdout.splitlines()
    assert sum("structure-" in line for line in lines) == 30


def test_inspect_says_the_label_map_in_json(chaosprep: Run, tmp_path: Path) -> None:
    found = phantoms.dcmqi(tmp_path / "segs")
    where = ("--images", phantoms.IMAGES, "--masks", found.masks)
    said = json.loads(chaosprep("inspect", found.root, *where, "--json").stdout)
    assert said["labels"] == [
        {"value": 1, "name": "Liver", "code": ["SCT", "10200004", "Liver"], "cases": 3},
        {"value": 2, "name": "Lesion of liver", "code": ["SCT", "4147007", "Mass"], "cases": 3},
        {"value": 3, "name": "Spleen", "code": ["SCT", "78961009", "Spleen"], "cases": 2},
    ]


def test_inspect_shows_one_patient_on_request(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    for place in (root, tmp_path / "split"):
        lines = chaosprep("inspect", place, "-j", "1", "--patient", "MR002").stdout.splitlines()
        assert lines[1].split()[0] == "MR002_t1-in"
        assert lines[-1] == "inspect: 1 patient, 1 case, 5 slices, 0 problems"
    refused = chaosprep("inspect", root, "-j", "1", "--patient", "MR02")
    assert refused.exit_code == 2
