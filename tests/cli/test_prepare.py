"""`prepare`: the four stages from flags or a TOML file."""

import json
from pathlib import Path

import pytest

from chaosprep.dataset.opening import open_dataset

from .conftest import Run

FOLDERS = ("split", "liver", "images", "augmented")


def test_every_stage_gets_its_folder_and_its_closing_line(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = chaosprep("prepare", root, "-o", out, "-j", "1", "--keep-16bit", "--copies", "2")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"split: 5 cases, 25 slices, 0 skipped -> {out}/split/datapackage.json",
        f"extract-liver: 5 cases, 25 slices, 0 skipped -> {out}/liver/datapackage.json",
        f"convert: 5 cases, 25 slices, 0 skipped -> {out}/images/datapackage.json",
        f"augment: 5 cases, 65 slices, 0 skipped -> {out}/augmented/datapackage.json",
    ]
    last = open_dataset(out / "augmented")
    assert [record.stage for record in last.history] == [
        *("split", "extract-liver", "convert", "augment")
    ]
    assert {row.dtype for row in last.slices} == {"uint16"}


def test_a_toml_file_gives_the_parameters_and_flags_go_before_it(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    config = tmp_path / "prepare.toml"
    config.write_text(
        "[split]\nval-patient = ['MR004']\n[convert]\nkeep_16bit = true\n[augment]\ncopies = 3\n"
    )
    arguments = ("prepare", root, "-o", tmp_path / "out", "-j", "1", "--config", config)
    assert chaosprep(*arguments, "--copies", "1").exit_code == 0
    last = open_dataset(tmp_path / "out/augmented")
    assert {row.patient for row in last.slices if row.split == "val"} == {"MR004"}
    assert {row.dtype for row in last.slices} == {"uint16"}
    assert max(row.copy for row in last.slices) == 1


def test_an_unknown_key_in_the_file_is_a_usage_error_that_names_it(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    config = tmp_path / "prepare.toml"
    config.write_text("[convert]\nkeep-15bit = true\n")
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "--config", config)
    assert result.exit_code == 2
    assert "[convert] keep_15bit: no such parameter" in result.stderr


def test_a_report_can_be_made_at_once(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "-j", "1", "--report")
    assert result.exit_code == 0, result.stderr
    page = tmp_path / "out/report.html"
    assert "MR003_t1-in" in page.read_text(encoding="utf-8")
    assert result.stderr.endswith(f"Look at {page}\n")


def test_a_page_of_somebody_else_is_told_before_anything_is_made(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    page = tmp_path / "out/report.html"
    page.parent.mkdir()
    page.write_text("mine")
    words = ("prepare", root, "-o", tmp_path / "out", "-j", "1", "--report")
    for more in ([], ["-n"]):
        refused = chaosprep(*words, *more)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"Error: {page}: it is not a page that chaosprep made." in refused.stderr
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    assert chaosprep(*words, "-q", "--overwrite").exit_code == 0
    assert page.read_text().endswith("</html>")


def test_json_lists_the_four_stages(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "-j", "1", "--json")
    stages = [found["stage"] for found in json.loads(result.stdout)]
    assert stages == ["split", "extract-liver", "convert", "augment"]


def test_the_seed_reaches_split_and_augment(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    chaosprep("prepare", root, "-o", tmp_path / "out", "-j", "1", "--seed", "7")
    assert open_dataset(tmp_path / "out/split").made.seed == 7
    assert open_dataset(tmp_path / "out/augmented").made.seed == 7


def test_dry_run_shows_the_split_and_writes_nothing(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "-n")
    assert "split: 5 cases: 5 to do" in result.stdout
    last = f"Then extract-liver or extract-labels, convert and augment, below {tmp_path / 'out'}"
    assert result.stdout.splitlines()[-1] == f"{last}; a dry run tries only split."
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["split", "liver", "images", "augmented"])
@pytest.mark.parametrize("dry", [(), ("-n",)])
def test_a_folder_of_somebody_else_is_refused_before_anything_is_made(
    chaosprep: Run, root: Path, tmp_path: Path, folder: str, dry: tuple[str, ...]
) -> None:
    (tmp_path / "out" / folder).mkdir(parents=True)
    (tmp_path / "out" / folder / "theirs.txt").touch()
    result = chaosprep("prepare", root, "-o", tmp_path / "out", *dry)
    assert result.exit_code == 1
    assert f"{folder}: it is not empty, and not a stage directory" in result.stderr
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / folder]


def test_slices_left_out_by_an_early_stage_are_exit_code_3_and_stay_on_record(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    next(root.glob("Train_Sets/MR/1/T1DUAL/Ground/*.png")).unlink()
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "-j", "1", "--on-error", "skip")
    assert result.exit_code == 3
    past = open_dataset(tmp_path / "out/augmented").history[0]
    assert [problem.code for problem in past.skipped] == ["mask-missing"]


def test_the_same_report_is_not_made_twice(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    words = ("prepare", root, "-o", tmp_path / "out", "-j", "1", "--report")
    chaosprep(*words)
    page = tmp_path / "out/report.html"
    before = page.stat().st_mtime_ns, page.stat().st_ino
    again = chaosprep(*words)
    assert (page.stat().st_mtime_ns, page.stat().st_ino) == before
    assert f"Look at {page}" in again.stderr
