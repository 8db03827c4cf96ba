"""`phantom` and `demo`: something to look at before one has data of one's own."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

import chaosprep as library
from tests.documents import HOME

from .conftest import Run

RECORD = "chaosprep-export.json"
PROGRAM = "from chaosprep.cli.entry import main; import sys; sys.exit(main())"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_phantom_is_the_sample_data(chaosprep: Run, tmp_path: Path) -> None:
    root = tmp_path / "new/root"
    result = chaosprep("phantom", "-o", root)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"phantom: 6 patients, 13 cases, 76 slices -> {root}\n"
    assert result.stderr == f"Look at it: chaosprep inspect {root}\n"
    sample = HOME / "sample_data/CHAOS_Train_Sets"
    assert {*contents(root)} - {RECORD} == {*contents(sample)}
    assert [path.name for path in root.parent.iterdir()] == ["root"]


def test_patients_sequences_and_sizes_can_be_chosen(chaosprep: Run, tmp_path: Path) -> None:
    root = tmp_path / "root"
    sequences = ("--sequence", "t2-spir", "--sequence", "ct")
    sizes = ("--slices", "3", "--matrix", "32")
    result = chaosprep("phantom", "-o", root, "--patients", "2", *sequences, *sizes, "--json")
    made = {"path": str(root), "patients": 4, "cases": 4, "slices": 12}
    assert json.loads(result.stdout) == made
    found = library.inspect(root)
    assert {case.id for case in found.cases} == {
        *("MR001_t2-spir", "MR002_t2-spir"),
        *("CT001_ct", "CT002_ct"),
    }
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in root.rglob("*.dcm")]
    assert {(header.Rows, header.Columns) for header in headers} == {(32, 32)}


def test_a_size_alone_is_of_the_samples_patients(chaosprep: Run, tmp_path: Path) -> None:
    result = chaosprep("phantom", "-o", tmp_path / "root", "--slices", "2", "--matrix", "16")
    assert "6 patients, 13 cases, 26 slices" in result.stdout


def test_the_seed_decides_every_byte(chaosprep: Run, tmp_path: Path) -> None:
    made = {}
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        words = ("--patients", "1", "--slices", "2", "--matrix", "32", "--seed", seed)
        chaosprep("phantom", "-o", tmp_path / name, *words)
        made[name] = contents(tmp_path / name)
    assert made["a"] == made["b"]
    assert made["a"].keys() == made["c"].keys()
    assert all(made["a"][name] != made["c"][name] for name in made["a"] if name.endswith(".dcm"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--patients", "0"), "--patients: must be a whole number from 1 to 9999"),
        (("--matrix", "8"), "--matrix: must be a whole number from 16 to 2048"),
        (("--seed", "-1"), "--seed: must be a whole number of at least 0"),
    ],
)
def test_an_impossible_size_is_a_usage_error(
    chaosprep: Run, tmp_path: Path, words: tuple[str, str], told: str
) -> None:
    result = chaosprep("phantom", "-o", tmp_path / "root", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {told}")
    assert not (tmp_path / "root").exists()


def test_what_stands_there_is_not_replaced_unasked(chaosprep: Run, tmp_path: Path) -> None:
    words = (
        "phantom",
        "-o",
        tmp_path / "root",
        "--patients",
        "1",
        "--slices",
        "2",
        "--matrix",
        "16",
    )
    assert chaosprep(*words).exit_code == 0
    before = contents(tmp_path / "root")
    refused = chaosprep(*words, "--seed", "1")
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"Error: {tmp_path}/root: it holds a phantom already. Use --overwrite to make it again, or "
        "give another directory.\n"
    )
    assert contents(tmp_path / "root") == before
    assert chaosprep(*words, "--seed", "1", "--overwrite").exit_code == 0
    assert contents(tmp_path / "root") != before


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_folder_of_somebody_else_is_never_touched(
    chaosprep: Run, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/mine.txt").write_text("mine")
    refused = chaosprep("phantom", "-o", tmp_path / "root", *more)
    assert refused.exit_code == 1
    assert "root: it is not empty, and not a phantom." in refused.stderr
    assert contents(tmp_path / "root") == {"mine.txt": b"mine"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where the demo was run once, and what it printed."""
    place = tmp_path_factory.mktemp("demo")
    return place, demo(place)


def demo(place: Path, *words: str) -> str:
    """What the demo prints, run in `place` as a newcomer runs it."""
    command = [sys.executable, "-c", PROGRAM, "demo", "-j", "1", *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_prepares_verifies_reports_and_says_where_to_look(
    shown: tuple[Path, str],
) -> None:
    place, printed = shown
    assert "verify: 5 cases, 52 slices, 0 faults, 0 warnings\n" in printed
    assert "Open demo/out/report.html in a browser" in printed
    assert (place / "demo/out/report.html").read_text(encoding="utf-8").endswith("</html>")
    assert len(library.open(place / "demo/out/augmented").slices) == 52


def test_the_demo_fits_a_terminal(shown: tuple[Path, str]) -> None:
    assert max(map(len, shown[1].splitlines())) <= 80


def test_the_commands_that_it_shows_do_the_same(
    chaosprep: Run, shown: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAOSPREP_JOBS", "1")
    place, printed = shown
    for line in printed.splitlines():
        if line.startswith("$ chaosprep "):
            assert chaosprep(*line.split()[2:]).exit_code == 0
    assert contents(tmp_path) == contents(place)


def test_run_again_it_goes_on_where_it_stopped(shown: tuple[Path, str]) -> None:
    place, printed = shown
    before = contents(place)
    shutil.rmtree(place / "demo/out/augmented")
    (place / "demo/out/report.html").unlink()
    again = demo(place)
    assert "$ chaosprep phantom" not in again
    assert again.splitlines()[-5:] == printed.splitlines()[-5:]
    assert contents(place) == before


def test_json_names_what_was_made_and_nothing_else_is_on_stdout(
    shown: tuple[Path, str],
) -> None:
    assert json.loads(demo(shown[0], "--json")) == {
        "status": "done",
        "root": "demo/CHAOS_Train_Sets",
        "report": "demo/out/report.html",
        "training_set": "demo/out/augmented",
    }


def test_what_fails_ends_it_with_the_exit_code_of_the_command(
    chaosprep: Run, tmp_path: Path
) -> None:
    (tmp_path / "CHAOS_Train_Sets").mkdir()
    (tmp_path / "CHAOS_Train_Sets/mine.txt").write_text("mine")
    refused = chaosprep("demo", "-o", tmp_path, "-j", "1")
    assert refused.exit_code == 1
    assert "CHAOS_Train_Sets: it is not empty, and not a phantom." in refused.stderr
    assert "prepare" not in refused.stdout
    told = json.loads(chaosprep("demo", "-o", tmp_path, "-j", "1", "--json").stdout)
    assert (told["status"], told["exit_code"]) == ("error", 1)
    assert told["command"] == f"chaosprep phantom -o {tmp_path}/CHAOS_Train_Sets"


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that writes down what it is to open."""
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    program.chmod(0o755)
    return program


def on_terminal(words: list[str], place: Path, env: dict[str, str]) -> str:
    """What a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, *words]
    with subprocess.Popen(command, cwd=place, stdin=theirs, stdout=theirs, stderr=theirs, env=env):
        os.close(theirs)
        parts = []
        while part := _read(ours):
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode()


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:  # Linux says so where the other end is closed
        return b""


@pytest.mark.parametrize(
    ("words", "more", "is_opened"),
    [
        (["--open"], {}, True),
        ([], {}, False),
        (["--open"], {"CI": "true"}, False),
    ],
)
def test_a_browser_is_opened_where_it_is_asked_for_at_a_terminal(
    shown: tuple[Path, str],
    browser: Path,
    tmp_path: Path,
    words: list[str],
    more: dict[str, str],
    is_opened: bool,
) -> None:
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    env |= {"BROWSER": f"{browser} %s", **more}
    on_terminal(["demo", "-j", "1", *words], shown[0], env)
    opened = tmp_path / "opened"
    assert opened.exists() == is_opened
    if is_opened:
        assert opened.read_text().strip() == (shown[0] / "demo/out/report.html").as_uri()


def test_in_a_pipe_no_browser_is_opened_and_it_says_so(
    shown: tuple[Path, str], browser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    demo(shown[0], "--open")
    assert not (tmp_path / "opened").exists()
