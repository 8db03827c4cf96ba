"""A small job takes no workers, unless somebody says how many."""

import os
from pathlib import Path

import msgspec
import pytest

import chaosprep
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running import processes, small
from chaosprep.running.options import RunOptions
from chaosprep.running.process import blas_alone
from chaosprep.running.runner import run
from chaosprep.stages.convert import CONVERT
from chaosprep.stages.converting.params import ConvertParams


@pytest.fixture
def root(tmp_path: Path) -> Path:
    people = [Patient(id=n, sequences=("t1-in",), slices=2, matrix=32) for n in (1, 2)]
    write_chaos(tmp_path / "chaos", people)
    return tmp_path / "chaos"


@pytest.fixture
def split(root: Path, tmp_path: Path) -> Path:
    return chaosprep.split(root, tmp_path / "split", val=0).directory


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workers were started, each time."""
    found: list[int] = []

    class Counted(processes.ProcessExecutor):
        def __init__(self, jobs: int) -> None:
            found.append(jobs)
            super().__init__(jobs)

    monkeypatch.setattr(processes, "ProcessExecutor", Counted)
    monkeypatch.setattr("chaosprep.running.options.cores", lambda: 2)
    return found


def test_four_slices_take_none(split: Path, tmp_path: Path, started: list[int]) -> None:
    chaosprep.convert(split, tmp_path / "out", jobs=None)
    assert started == []


def test_a_number_is_taken_at_its_word(split: Path, tmp_path: Path, started: list[int]) -> None:
    chaosprep.convert(split, tmp_path / "out", jobs=2)
    assert started == [2]


def test_more_pixels_take_one_for_each_processor(
    split: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "_LEAST", 1)
    monkeypatch.setattr(small, "_MOST", 4 * 32 * 32 - 1)
    chaosprep.convert(split, tmp_path / "out", jobs=None)
    assert started == [2]


def test_many_slices_are_no_small_job_however_small_they_are(
    split: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "_MOST", 4 * 128 * 128 - 1)
    chaosprep.convert(split, tmp_path / "out", jobs=None)
    assert started == [2]


def test_copies_that_are_to_be_made_count_too(
    split: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "_MOST", 4 * small._LEAST)
    chaosprep.convert(split, tmp_path / "images", jobs=None)
    chaosprep.augment(tmp_path / "images", tmp_path / "out", jobs=None, copies=1)
    assert started == [2]


def test_files_that_nobody_has_opened_are_few_or_not_by_their_number(
    root: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "_MOST", 4 * small._LEAST)
    chaosprep.split(root, tmp_path / "four", val=0, jobs=None)
    assert started == []
    monkeypatch.setattr(small, "_MOST", 4 * small._LEAST - 1)
    chaosprep.split(root, tmp_path / "one-too-many", val=0, jobs=None)
    assert started == [2]


def test_or_by_their_bytes(
    root: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = sum(path.stat().st_size for path in root.rglob("*.dcm"))
    monkeypatch.setattr(small, "_LEAST", 1)
    monkeypatch.setattr(small, "_MOST", held)
    chaosprep.split(root, tmp_path / "few", val=0, jobs=None)
    assert started == []
    monkeypatch.setattr(small, "_MOST", held - 1)
    chaosprep.split(root, tmp_path / "many", val=0, jobs=None)
    assert started == [2]


def test_a_small_chain_takes_none_and_another_takes_them_once(
    root: Path, tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    chaosprep.prepare(root, tmp_path / "few", val=0, jobs=None)
    assert started == []
    monkeypatch.setattr(small, "_MOST", 0)
    chaosprep.prepare(root, tmp_path / "many", val=0, jobs=None)
    assert started == [2]


def test_a_cluster_of_this_machine_is_made_ready_for_a_small_job_too(
    split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dask: str | None, *_: object) -> None:
        raise ChaosprepError(f"ready for {dask}")

    monkeypatch.setattr("chaosprep.running.runner.warm_up_for", refuse)
    with pytest.raises(ChaosprepError, match="ready for local"):
        chaosprep.convert(split, tmp_path / "out", jobs=None, dask="local")


@pytest.mark.parametrize("most", [0, small._MOST])
def test_heavy_libraries_are_imported_for_a_larger_job_alone(
    most: int, split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = msgspec.structs.replace(CONVERT, libraries=("heavy",))
    imported: list[str] = []
    monkeypatch.setattr("chaosprep.running.tasks.import_module", imported.append)
    monkeypatch.setattr(small, "_MOST", most)
    run(stage, ConvertParams(), split, tmp_path / "out")
    assert set(imported) == (set() if most else {"heavy"})


def test_no_workers_at_all_are_refused() -> None:
    with pytest.raises(UsageError):
        RunOptions(jobs=0)


def test_a_number_of_blas_threads_that_somebody_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "OPENBLAS_NUM_THREADS"
    monkeypatch.delenv(name, raising=False)
    with blas_alone():
        assert os.environ[name] == "1"
    assert name not in os.environ
    monkeypatch.setenv(name, "7")
    with blas_alone():
        assert os.environ[name] == "7"
    assert os.environ[name] == "7"
