"""What `report` and `preview` print and write."""

import json
from pathlib import Path

import pytest

import chaosprep as library

from .conftest import Run


@pytest.fixture
def split(root: Path, tmp_path: Path) -> Path:
    return library.split(root, tmp_path / "split", val=0.2).directory


def test_report_says_what_it_made(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = chaosprep("report", split, "-o", page, "-j", "1")
    assert result.exit_code == 0
    assert result.stdout == (
        f"report: 5 cases, 25 slices, 0 faults, 0 warnings -> {page} "
        f"({page.stat().st_size / 1e6:.1f} MB)\n"
    )


def test_report_of_faulty_data_is_a_report(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    next(split.glob("train/masks/*.png")).unlink()
    result = chaosprep("report", split, "-o", tmp_path / "r.html", "-j", "1")
    assert result.exit_code == 0
    assert "1 fault," in result.stdout


def test_ratings_are_named_on_the_command_line(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    case = library.open(split).cases[0].id
    for name, id in (("ann", case), ("bob", "somebody_ct")):
        (tmp_path / f"{name}.csv").write_text(f"case,verdict\n{id},pass\n")
    words = ("report", split, "-o", tmp_path / "r.html", "-j", "1", "--slices", "none")
    result = chaosprep(*words, "--ratings", tmp_path / "ann.csv")
    assert result.exit_code == 0
    assert "&#34;ann&#34;" in (tmp_path / "r.html").read_text()
    result = chaosprep(*words, "--ratings", tmp_path / "ann.csv", "--ratings", tmp_path / "bob.csv")
    assert result.exit_code == 2
    assert "bob.csv: 1 case in it is not on this page" in result.stderr


def test_what_is_of_predictions_needs_a_reference_on_the_command_line(
    chaosprep: Run, split: Path, tmp_path: Path
) -> None:
    for option in (("--tolerance", "2"), ("--lesions",)):
        result = chaosprep("report", split, "-o", tmp_path / "r.html", "-j", "1", *option)
        assert result.exit_code == 2
        assert f"{option[0]} is for predictions compared with a reference" in result.stderr


def test_report_as_json(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    result = chaosprep("report", split, "-o", tmp_path / "r.html", "-j", "1", "--json")
    said = json.loads(result.stdout)
    assert (said["cases"], said["faults"]) == (5, 0)
    assert said["bytes"] == (tmp_path / "r.html").stat().st_size


def test_report_over_a_file_of_another_kind_is_a_usage_error(
    chaosprep: Run, split: Path, tmp_path: Path
) -> None:
    result = chaosprep("report", split, "-o", split / "slices.jsonl", "-j", "1")
    assert result.exit_code == 2
    assert "End its name in .html." in result.stderr


def test_report_names_the_option_that_helps(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    result = chaosprep("report", split, "-o", tmp_path / "r.html", "-j", "1", "--max-mb", "0.01")
    assert result.exit_code == 2
    assert "--slices labelled or none" in result.stderr


def test_preview_says_what_it_drew(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "s.png"
    result = chaosprep("preview", split, "-o", sheet, "--per-case", "3", "--case", "MR001_t1-in")
    assert result.exit_code == 0
    assert result.stdout == f"preview: 1 case, 3 slices -> {sheet} (496x194)\n"


def test_preview_quietly(chaosprep: Run, split: Path, tmp_path: Path) -> None:
    assert chaosprep("preview", split, "-o", tmp_path / "s.png", "-q").output == ""


@pytest.mark.parametrize(("verb", "name"), [("report", "x.html"), ("preview", "x.png")])
def test_a_file_of_somebody_else_is_replaced_only_when_asked(
    chaosprep: Run, split: Path, tmp_path: Path, verb: str, name: str
) -> None:
    (tmp_path / name).write_text("mine")
    refused = chaosprep(verb, split, "-o", tmp_path / name)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert "Give another name, or use --overwrite to replace it." in refused.stderr
    assert (tmp_path / name).read_text() == "mine"
    for more in (["--overwrite"], []):  # then it is one of chaosprep's own
        assert chaosprep(verb, split, "-o", tmp_path / name, *more).exit_code == 0
    assert not list(tmp_path.glob(".*"))
