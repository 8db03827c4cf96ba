"""What `chaosprep export` prints and writes, for volumes."""

import json
import re
from pathlib import Path

import pytest

import chaosprep as library
from chaosprep.exports.table import EXPORTS, find_export
from chaosprep.params import describe_params

from .conftest import Run


@pytest.fixture
def livers(root: Path, tmp_path: Path) -> Path:
    pairs = library.split(root, tmp_path / "split", val=0.2)
    return library.extract_liver(pairs, tmp_path / "livers").directory


def test_the_formats_are_listed(chaosprep: Run) -> None:
    said = chaosprep("export", "--help").stdout
    assert re.findall(r"^  (\w+)  ", said.partition("Commands:")[2], re.M) == [
        "nnunet",
        "nifti",
        "monai",
        "huggingface",
        "webdataset",
        "parquet",
        "croissant",
    ]


def test_nnunet_says_what_it_made_and_what_to_do_next(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    made = chaosprep("export", "nnunet", livers, "-o", tmp_path / "raw", "--id", "9", "-j", "1")
    place = tmp_path / "raw/Dataset009_Chaosprep"
    assert made.exit_code == 0
    assert made.stdout == f"export nnunet: 5 cases, 25 slices, 0 skipped -> {place}\n"
    assert made.stderr == (
        "Note: train fold 0: nnU-Net takes splits_final.json over when it plans; versions before "
        "2.3 draw their own folds unless that file is copied to "
        "$nnUNet_preprocessed/Dataset009_Chaosprep first\n"
    )


@pytest.mark.parametrize("format", ["nifti", "monai"])
def test_the_output_is_the_folder_that_is_named(
    chaosprep: Run, livers: Path, tmp_path: Path, format: str
) -> None:
    made = chaosprep("export", format, livers, "-o", tmp_path / "out", "-j", "1")
    expected = f"export {format}: 5 cases, 25 slices, 0 skipped -> {tmp_path / 'out'}\n"
    assert made.output == expected


def test_json_is_all_of_stdout(chaosprep: Run, livers: Path, tmp_path: Path) -> None:
    made = chaosprep("export", "monai", livers, "-o", tmp_path / "out", "-j", "1", "--json")
    assert json.loads(made.stdout) == {
        "format": "monai",
        "path": str(tmp_path / "out"),
        "cases": 5,
        "slices": 25,
        "skipped": [],
        "notes": [],
    }


def test_verbose_names_each_case(chaosprep: Run, livers: Path, tmp_path: Path) -> None:
    made = chaosprep("export", "nifti", livers, "-o", tmp_path / "out", "-j", "1", "-v")
    assert made.stderr.splitlines() == [
        f"export nifti: MR00{n}_t1-in ({n} of 5)" for n in (1, 2, 3, 4, 5)
    ]


def test_a_problem_is_named_and_nothing_is_written(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    image = next(livers.glob("*/images/MR002_t1-in_s001.dcm"))
    image.unlink()
    made = chaosprep("export", "nnunet", livers, "-o", tmp_path / "raw", "-j", "1")
    assert made.exit_code == 1
    assert made.stderr.splitlines() == [
        f"MR002_t1-in: {image.relative_to(livers)}: the file is missing. Bring it back.",
        "Error: export nnunet: 1 problem, nothing was written. Resolve them, or leave these cases "
        "out with --on-error skip.",
    ]
    assert not list((tmp_path / "raw").iterdir())


def test_a_case_left_out_is_named_and_the_exit_code_is_3(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    next(livers.glob("*/images/MR002_t1-in_s001.dcm")).unlink()
    made = chaosprep("export", "nifti", livers, "-o", tmp_path / "out", "--on-error", "skip")
    assert made.exit_code == 3
    assert made.stderr.startswith("Left out: MR002_t1-in: ")
    assert "4 cases, 20 slices, 1 skipped" in made.stdout


def test_masks_of_grey_levels_name_the_stage_that_helps(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    pairs = library.split(root, tmp_path / "split", val=0.2)
    made = chaosprep("export", "monai", pairs.directory, "-o", tmp_path / "out", "-j", "1")
    assert made.exit_code == 1
    assert "its masks are grey levels, not labels. Run chaosprep extract-liver" in made.stderr


def test_a_sequence_that_is_not_there_is_a_usage_error(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    made = chaosprep(
        "export", "nnunet", livers, "-o", tmp_path / "raw", "--sequence", "ct", "-j", "1"
    )
    assert made.exit_code == 2
    assert made.stderr == "Error: --sequence: there is no ct. There are: t1-in.\n"
    assert not (tmp_path / "raw").exists()


def test_repeated_options_keep_their_order_and_their_names(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    place = ("export", "nnunet", livers, "-o", tmp_path / "raw", "-j", "1")
    made = chaosprep(*place, "--sequence", "t1-in", "--channel-name", "CT", "--channel-name", "PET")
    assert made.exit_code == 2
    assert made.stderr == (
        "Error: --channel-name: 2 for the channels t1-in. Give one for each channel.\n"
    )


@pytest.mark.parametrize("id", ["0", "1000", "one"])
def test_an_id_that_nnunet_does_not_know_is_a_usage_error(
    chaosprep: Run, livers: Path, tmp_path: Path, id: str
) -> None:
    made = chaosprep("export", "nnunet", livers, "-o", tmp_path / "raw", "--id", id, "-j", "1")
    assert made.exit_code == 2
    assert not (tmp_path / "raw").exists()


def test_a_format_that_there_is_not_is_a_usage_error(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    made = chaosprep("export", "nnunett", livers, "-o", tmp_path / "raw")
    assert made.exit_code == 2
    assert "No such command 'nnunett'" in made.stderr


@pytest.mark.parametrize("format", list(EXPORTS))
def test_the_options_of_a_format_are_its_parameters(chaosprep: Run, format: str) -> None:
    told = chaosprep("export", format, "--help").stdout
    shared = {"output", "jobs", "on-error", "overwrite", "json", "verbose", "quiet", "help"}
    shared |= {"dry-run", "config", "print-config"}
    own = {field.option for field in describe_params(find_export(format).params)}
    assert set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", told, re.M)) == shared | own


@pytest.mark.parametrize("format", EXPORTS)
def test_a_dry_run_says_what_a_run_says_and_leaves_nothing(
    chaosprep: Run, livers: Path, tmp_path: Path, format: str
) -> None:
    images = library.convert(livers, tmp_path / "images").directory
    source = livers if format in ("nnunet", "nifti", "monai") else images
    before = sorted(tmp_path.iterdir())
    words = ("export", format, source, "-o", tmp_path / "new/out", "-j", "1")
    tried = chaosprep(*words, "--dry-run")
    assert tried.exit_code == 0, tried.stderr
    assert sorted(tmp_path.iterdir()) == before
    made = chaosprep(*words)
    assert tried.stdout == made.stdout.rstrip("\n") + " (dry run)\n"
    assert tried.stderr == made.stderr


def test_a_dry_run_refuses_what_a_run_refuses(chaosprep: Run, livers: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    words = ("export", "nifti", livers, "-j", "1")
    taken, broken = ((*words, "-o", tmp_path / name) for name in ("out", "new"))
    assert chaosprep(*taken, "-n").stderr == chaosprep(*taken).stderr
    next((livers / "train/masks").iterdir()).write_bytes(b"broken")
    tried, made = chaosprep(*broken, "-n"), chaosprep(*broken)
    assert (tried.exit_code, made.exit_code) == (1, 1)
    assert tried.stderr == made.stderr
    assert not (tmp_path / "new").exists()


def test_a_dry_run_leaves_an_earlier_export_as_it_is(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    words = ("export", "nifti", livers, "-o", tmp_path / "out", "-j", "1")
    chaosprep(*words)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert chaosprep(*words, "--overwrite", "-n").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_json_says_that_it_was_a_dry_run(chaosprep: Run, livers: Path, tmp_path: Path) -> None:
    words = ("export", "nifti", livers, "-o", tmp_path / "out", "-j", "1", "--json")
    tried, made = (json.loads(chaosprep(*words, *more).stdout) for more in (("-n",), ()))
    assert tried == {**made, "dry_run": True}
