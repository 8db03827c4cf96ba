"""What `assemble` and the exports of slices print, and their exit codes."""

import json
import re
import shutil
from pathlib import Path

import pytest

import chaosprep as library

from .conftest import Run


@pytest.fixture
def images(root: Path, tmp_path: Path) -> Path:
    pairs = library.split(root, tmp_path / "pairs", val=0.2)
    livers = library.extract_liver(pairs, tmp_path / "livers")
    return library.convert(livers, tmp_path / "images").directory


@pytest.fixture
def predictions(images: Path, tmp_path: Path) -> Path:
    """The masks of the validation side, as a network would leave them."""
    return Path(shutil.copytree(images / "val" / "masks", tmp_path / "predictions"))


def test_it_says_what_it_made(chaosprep: Run, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = chaosprep("assemble", images, "-o", out, "-j", "1")
    assert result.exit_code == 0
    assert result.stdout == f"assemble: 5 cases, 25 slices, 0 skipped -> {out}\n"
    assert result.stderr == ""


def test_a_dry_run_says_it_too_and_leaves_nothing(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    result = chaosprep("assemble", images, "-o", tmp_path / "out", "-j", "1", "-n")
    told = f"assemble: 5 cases, 25 slices, 0 skipped -> {tmp_path / 'out'} (dry run)\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, told, "")
    assert sorted(tmp_path.iterdir()) == before


def test_predictions_need_their_reference(
    chaosprep: Run, images: Path, predictions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = chaosprep("assemble", predictions, "-o", out, "-j", "1")
    assert result.exit_code == 2
    assert "--reference DIR" in result.stderr
    result = chaosprep("assemble", predictions, "--reference", images, "-o", out, "-j", "1")
    assert result.exit_code == 0
    assert result.stdout == f"assemble: 1 case, 5 slices, 0 skipped -> {out}\n"


def test_what_is_missing_is_named_and_can_be_left_out(
    chaosprep: Run, images: Path, predictions: Path, tmp_path: Path
) -> None:
    missing = sorted(predictions.iterdir())[2]
    missing.unlink()
    (predictions / "MR009_t1-in_s000.png").write_bytes(
        sorted(predictions.iterdir())[0].read_bytes()
    )
    words = ("assemble", predictions, "--reference", images, "-o", tmp_path / "out", "-j", "1")
    result = chaosprep(*words)
    assert result.exit_code == 1
    assert "MR009_t1-in_s000: MR009_t1-in_s000.png: no slice of the reference" in result.stderr
    (predictions / "MR009_t1-in_s000.png").unlink()
    result = chaosprep(*words)
    assert result.exit_code == 1
    assert f"the prediction for {missing.stem} is missing" in result.stderr
    result = chaosprep(*words, "--on-error", "skip")
    assert result.exit_code == 4


def test_a_dicom_seg_is_made_on_its_series(
    chaosprep: Run, images: Path, root: Path, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    out = tmp_path / "out"
    words = ("assemble", images, "--format", "seg", "-o", out, "-j", "1")
    assert chaosprep(*words).exit_code == 2
    result = chaosprep(*words, "--dicom", root)
    assert result.exit_code == 0
    assert len([*out.glob("masks/*.dcm")]) == 5


def test_help_says_that_a_seg_names_the_patient(chaosprep: Run) -> None:
    shown = chaosprep("assemble", "-h").stdout
    assert "names the patient" in re.sub(r"\s+", " ", shown)
    assert "\n  Volumes lie on the pixels" in shown  # a paragraph like the first


def test_json_is_the_whole_result(chaosprep: Run, images: Path, tmp_path: Path) -> None:
    result = chaosprep("assemble", images, "-o", tmp_path / "out", "-j", "1", "--json")
    said = json.loads(result.stdout)
    assert (said["cases"], said["slices"], said["skipped"]) == (5, 25, [])


@pytest.mark.parametrize("format", ["huggingface", "webdataset", "croissant"])
def test_an_export_says_what_it_made(
    chaosprep: Run, images: Path, tmp_path: Path, format: str
) -> None:
    out = tmp_path / "out"
    result = chaosprep("export", format, images, "-o", out, "-j", "1")
    assert result.exit_code == 0
    assert result.stdout == f"export {format}: 5 cases, 25 slices, 0 skipped -> {out}\n"


def test_an_export_of_dicom_names_the_remedy(chaosprep: Run, images: Path, tmp_path: Path) -> None:
    result = chaosprep("export", "huggingface", tmp_path / "livers", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "Run chaosprep convert first" in result.stderr
    assert not (tmp_path / "out").exists()
