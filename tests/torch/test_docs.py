"""docs/training.md shows what the commands print, its Python runs, and the demo starts."""

import re
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed, run

pytest.importorskip("torch")

from benchmarks.training.command import main

PAGE = HOME / "docs" / "training.md"


def without_figures(lines: list[str]) -> list[list[str]]:
    """The words of lines; numbers depend on the processor that trained the network."""
    return [re.sub(r"(?<![\w-])[\d.]+(?!\w)", "#", line).split() for line in lines]


def test_the_page_shows_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    first, more = text.split("From raw data to a Dice")
    ((expected, printed),) = replayed(first, place_with_samples(tmp_path), apart=True)
    assert printed == expected
    for expected, printed in replayed(more, tmp_path):
        assert without_figures(printed) == without_figures(expected)
        if any(line.startswith("evaluate:") for line in expected):
            assert any(line.startswith("MR002_t1-in liver  0.") for line in printed)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in blocks(text, "python"):
        exec(compile(code.replace("num_workers=2", "num_workers=0"), "training.md", "exec"), names)


def test_make_train_demo_takes_a_folder() -> None:
    options = ["--dry-run", "--assume-old=.venv/ready", "train-demo", "DATA=/my/CHAOS"]
    assert "-m benchmarks.training --demo '/my/CHAOS'" in run(["make", *options], HOME)


def test_the_demo_sets_each_patient_beside_an_untrained_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--epochs", "1", "--size", "32", "--spacing", "12.5"]
    main([str(tmp_path / "nowhere"), "--demo", *small])
    printed, said = capsys.readouterr()
    assert "not there; the synthetic sample data are used" in said
    header, *lines = printed.splitlines()
    assert header.split() == ["liver", "Dice", "of", "unseen", "patients", "untrained", "trained"]
    assert len(lines) == 2
    for line in lines:
        patient, before, after = line.split()
        assert patient.startswith("MR")
        assert 0 <= float(before) <= 1
        assert 0 <= float(after) <= 1
