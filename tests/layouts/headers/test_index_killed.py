"""The index of a run that is killed, and of two runs at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaosprep.layouts.headers import index
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.headers.reading import read_entry
from chaosprep.workbench import ALONE, Workbench
from tests.layouts.trees import slice_at, write

HERE = Path(__file__).parents[3]
FILES = 120
# Reads a root in batches of 5, slowly where it is told so.
RUN = """
import sys, time
from pathlib import Path
from chaosprep.layouts.headers import index
from chaosprep.running.mapping import on_workers
from chaosprep.layouts.headers.reading import read_entry
from chaosprep.workbench import Workbench
root, folder, wait, jobs = sys.argv[1:]
index._BATCH, index._FEW = 5, 0
plain = index.Pool.unpack
def slow(self, data):
    time.sleep(float(wait))
    return plain(self, data)
index.Pool.unpack = slow
index.read_index(Path(root), Workbench(Path(folder), "out", int(jobs), work=on_workers))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = {f"{place % 7}/{place}": slice_at(place) for place in range(FILES)}
    root = write(tmp_path / "root", names)
    for path in names:
        os.utime(root / path, (1_600_000_000, 1_600_000_000))
    return root


def start(root: Path, folder: Path, wait: float, jobs: int = 1) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-c", RUN, str(root), str(folder), str(wait), str(jobs)]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(HERE)})


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_is_gone_on_with(
    root: Path, tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_index(root, ALONE)
    monkeypatch.setattr(index, "_BATCH", 5)
    kept, before = tmp_path / "out.index", 0
    for _ in range(3):
        process = start(root, tmp_path, 0.1, jobs)
        until = time.monotonic() + 60
        while not (kept.exists() and kept.stat().st_size > before + 1500):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert kept.stat().st_size > before
        before = kept.stat().st_size
    read: list[str] = []

    def noted(root: Path, path: str) -> Entry:
        read.append(path)
        return read_entry(root, path)

    monkeypatch.setattr("chaosprep.layouts.headers.index.read_entry", noted)
    said: list[str] = []
    assert read_index(root, Workbench(tmp_path, "out"), said.append) == expected
    assert 0 < len(read) < FILES - 20
    assert said == []


def test_two_runs_at_once_leave_a_whole_one(root: Path, tmp_path: Path) -> None:
    runs = [start(root, tmp_path, 0.01, jobs) for jobs in (1, 1, 2)]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    said: list[str] = []
    assert read_index(root, Workbench(tmp_path, "out"), said.append) == read_index(root, ALONE)
    assert said == []
