"""One run at a time per output directory; the kernel lets go of the lock however a run ends."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.running.lock import locked
from chaosprep.running.runner import run
from tests.running.toys import TOY, ToyParams, snapshot, source, within

HOLD = """
import sys
from pathlib import Path
from chaosprep.running.lock import locked
with locked(Path(sys.argv[1]), Path(sys.argv[1]).parents[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "out/.chaosprep").mkdir(parents=True)
    return tmp_path / "out/.chaosprep/lock"


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    held = process.stdout
    assert within(30, held.readline) == b"held\n"
    yield process
    process.kill()
    process.communicate()


def refusal(lock: Path) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught, locked(lock, lock.parent.parent):
        pass
    return caught.value


def test_a_second_run_is_refused_with_the_process_of_the_first(
    lock: Path, holder: subprocess.Popen[bytes]
) -> None:
    error = refusal(lock)
    assert error.code == "locked"
    assert f"process {holder.pid} " in error.reason
    assert str(lock.parents[1]) in error.reason


def test_a_run_is_refused_before_it_changes_anything(
    tmp_path: Path, lock: Path, holder: subprocess.Popen[bytes]
) -> None:
    before = snapshot(tmp_path / "out")
    for overwrite in (False, True):
        with pytest.raises(ChaosprepError, match=f"process {holder.pid} "):
            run(TOY, ToyParams(), source(tmp_path), tmp_path / "out", overwrite=overwrite)
    assert snapshot(tmp_path / "out") == before


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def none(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(ChaosprepError) as caught:
        run(TOY, ToyParams(), source(tmp_path), tmp_path / "out")
    assert caught.value.reason.startswith(f"{tmp_path}/out: its file system cannot lock files (")
    assert caught.value.remedy.startswith("Give an output on another one")


def test_a_kill_releases_the_lock(lock: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait(10)
    with locked(lock, lock.parent.parent):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_run_that_ends_releases_the_lock(lock: Path) -> None:
    for _ in range(2):
        with locked(lock, lock.parent.parent):
            assert lock.read_text() == f"{os.getpid()}\n"


def test_an_error_releases_the_lock(lock: Path) -> None:
    with pytest.raises(KeyError), locked(lock, lock.parent.parent):
        raise KeyError
    with locked(lock, lock.parent.parent):
        pass


def test_two_runs_in_one_process_exclude_each_other(lock: Path) -> None:
    with locked(lock, lock.parent.parent):
        assert f"process {os.getpid()} " in refusal(lock).reason


def test_a_lock_whose_file_is_gone_counts_no_more(lock: Path) -> None:
    """A run removes its workspace when it has committed; the next one locks a new file."""
    with locked(lock, lock.parent.parent):
        lock.unlink()
        with locked(lock, lock.parent.parent):
            assert refusal(lock).code == "locked"


def test_a_lock_whose_file_goes_while_it_is_taken_is_taken_again(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run finished between our opening of its file and our locking of it."""
    flock, files = fcntl.flock, list[int]()

    def late(handle: int, operation: int) -> None:
        if not files:
            lock.unlink()
        files.append(os.fstat(handle).st_ino)
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(lock, lock.parent.parent):
        assert len(files) == 2
        assert lock.stat().st_ino == files[-1]
        assert refusal(lock).code == "locked"


def test_outputs_do_not_exclude_each_other(tmp_path: Path) -> None:
    with locked(tmp_path / "a", tmp_path), locked(tmp_path / "b", tmp_path):
        pass
