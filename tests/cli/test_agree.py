"""What `agree` prints and writes, and its exit codes."""

import json
from pathlib import Path

import pytest

from tests.evaluation.reading import drawn, reader, write_volumes

from .conftest import Run


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """The folders of three readers, of whom the last is wrong most often."""
    return [reader(tmp_path, number) for number in (1, 2, 3)]


def test_tables_of_80_columns_then_what_it_comes_to(
    chaosprep: Run, three: list[Path], tmp_path: Path
) -> None:
    result = chaosprep("agree", *three, "-o", tmp_path / "out", "--method", "staple", "-j", "1")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"R1: {three[0]} (folder of NIfTI files)"
    assert lines[3].split() == ["Case", "Organ", "Readers", "Dice", "ASSD", "MSSD", "HD95", "Vol%"]
    assert [line.split()[:3] for line in lines[4:7]] == [
        ["a", "liver", pair] for pair in ("R1-R2", "R1-R3", "R2-R3")
    ]
    assert "mean  liver  all" in result.stdout
    heading = next(at for at, line in enumerate(lines) if line.startswith("Reader"))
    assert lines[heading].split() == ["Reader", "Organ", "Dice", "ml", "Sens", "Spec"]
    assert [line.split()[:2] for line in lines[heading + 1 : heading + 4]] == [
        [name, "liver"] for name in ("R1", "R2", "R3")
    ]
    assert max(map(len, lines[3:-1])) <= 80
    out = tmp_path / "out"
    assert lines[-1] == f"agree: 2 cases, 3 readers, 2 organs, 0 skipped -> {out}"


def test_long_names_keep_the_table_in_its_80_columns(chaosprep: Run, tmp_path: Path) -> None:
    legend = {"a structure with a name that is very long indeed": 1, "tumour": 2}
    volumes = {"case" * 30: drawn(1, "a")}
    folders = [write_volumes(tmp_path / name, volumes, legend) for name in "xy"]
    result = chaosprep("agree", *folders, "-j", "1", "--tolerance", "2")
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines()[2:])) <= 80


def test_json_has_every_number(chaosprep: Run, three: list[Path], tmp_path: Path) -> None:
    words = ["agree", *three, "-o", tmp_path / "out", "--method", "staple", "--json", "-j", "1"]
    said = json.loads(chaosprep(*words).stdout)
    assert [one["name"] for one in said["readers"]] == ["R1", "R2", "R3"]
    assert len(said["results"]) == 12
    assert len(said["estimates"]) == 12
    assert said["path"] == str(tmp_path / "out")


def test_cases_that_are_left_out_are_listed_with_exit_code_3(
    chaosprep: Run, three: list[Path]
) -> None:
    (three[1] / "b.nii.gz").write_bytes(b"no volume")
    words = ["agree", *three, "-j", "1"]
    refused = chaosprep(*words)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("b: b.nii.gz: R2: ")
    assert "Traceback" not in refused.stderr
    left = chaosprep(*words, "--on-error", "skip")
    assert left.exit_code == 3
    assert left.stderr.startswith("Left out: b: b.nii.gz: R2: ")


def test_one_reader_is_a_usage_error(chaosprep: Run, three: list[Path]) -> None:
    result = chaosprep("agree", three[0])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: agree: it takes 2 to 16 readers, not 1.")
