"""Where a command says how many workers it wants, they start while it is still being imported."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaosprep.cli.early import jobs_in, prepare_workers
from chaosprep.errors import ChaosprepError
from chaosprep.stage_table import STAGES, load_stage
from chaosprep.systems.starting import start_method
from tests.attacks.outside import environment
from tests.running.test_executors import alive, wait_until

from .conftest import Run


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHAOSPREP_JOBS", "CHAOSPREP_DASK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """For how many workers a server was started, and what it imports, each time."""
    found: list[tuple[int, list[str]]] = []
    monkeypatch.setattr("chaosprep.running.executors.warm_up", lambda *given: found.append(given))
    return found


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ("A --jobs 12 -o B", 12),
        ("A --jobs", 1),
        ("A --jobs=3 -o B", 3),
        ("A -j 2 -j 5", 5),
        ("A -j many", 1),
        ("A -j4 -o B", 4),
        ("A -o B", 1),
    ],
)
def test_the_number_is_read_as_the_option_reads_it(words: str, jobs: int) -> None:
    assert jobs_in(words.split()) == jobs


def test_the_number_of_the_environment_stands_where_no_word_says_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAOSPREP_JOBS", "3")
    assert jobs_in(["A"]) == 3
    assert jobs_in(["A", "-j", "1"]) == 1


@pytest.mark.parametrize(
    "stage", ["augment", "convert", "extract-labels", "extract-liver", "split"]
)
def test_what_is_imported_is_what_the_work_of_a_stage_needs(
    stage: str, started: list[tuple[int, list[str]]]
) -> None:
    prepare_workers([stage, "A", "-j", "2"])
    ((jobs, modules),) = started
    assert jobs == 2
    assert modules == ["cv2", STAGES[stage].record.partition(":")[0]]
    assert {*load_stage(stage).libraries} <= {*modules}


def test_prepare_needs_what_its_stages_need(started: list[tuple[int, list[str]]]) -> None:
    prepare_workers(["prepare", "A", "-j2"])
    ((_, modules),) = started
    assert len(modules) == 1 + 5


@pytest.mark.parametrize(
    "words",
    [
        "convert A -h -j 2",
        "convert A -j 1",
        "convert A -j 2 --dask local",
        "convert A -j 2 --dask=local",
        "convert A -n -j 2",
        "convert A -o B",
        "misspelled A -j 2",
        "predict RUN A -j 2",
        "verify A -j 2",
    ],
)
def test_nothing_starts_where_it_is_not_used(
    words: str, started: list[tuple[int, list[str]]]
) -> None:
    prepare_workers(words.split())
    assert started == []


def test_nothing_starts_where_the_environment_names_a_cluster(
    started: list[tuple[int, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSPREP_DASK", "local")
    prepare_workers(["convert", "A", "-j", "2"])
    assert started == []


def test_what_keeps_workers_from_starting_is_said_once_and_after_what_else_is_wrong(
    chaosprep: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise ChaosprepError("the system gives no semaphores", "Use --jobs 1.", code="workers")

    monkeypatch.setattr("chaosprep.running.server.start_server", refuse)
    result = chaosprep("convert", tmp_path / "none", "-o", tmp_path / "out", "-j", "2")
    assert result.exit_code == 2
    assert "none" in result.stderr
    assert "semaphores" not in result.stderr
    result = chaosprep("convert", tmp_path, "-o", tmp_path / "out", "-j", "2")
    assert result.stderr.count("semaphores") == 1


KILLED = """
import os, signal, sys
from multiprocessing import forkserver
from chaosprep.cli.entry import main

def hook(event, about):
    if event == "import" and about[0] == "chaosprep.running.runner":
        os.write(1, str(forkserver._forkserver._forkserver_pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
main()
"""


@pytest.mark.skipif(start_method() != "forkserver", reason="workers have no server here")
def test_a_command_that_is_killed_while_it_is_imported_leaves_no_server(tmp_path: Path) -> None:
    words = ["convert", str(tmp_path), "-o", str(tmp_path / "out"), "-j", "2"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        capture_output=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    assert done.returncode == -signal.SIGKILL
    server = int(done.stdout)
    assert wait_until(lambda: not alive(server), 60)
