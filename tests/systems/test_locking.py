"""A lock on an open file: by the system's own call, and by Windows' bytes."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaosprep.systems import locking
from chaosprep.systems.locking import FileLock
from tests.running.toys import within
from tests.systems.shim import Msvcrt, to_inherit

TAKE = """
import os, sys
from chaosprep.systems.locking import FileLock
lock = FileLock(os.open(sys.argv[1], os.O_RDWR))
lock.take()
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["bytes", "the file"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "bytes":
        if sys.platform != "linux":
            pytest.skip("the stand-in needs locks of Linux")
        monkeypatch.setattr(locking, "_fcntl", None)
        monkeypatch.setattr(locking, "_msvcrt", Msvcrt)
        for name, value in to_inherit().items():
            monkeypatch.setenv(name, value)
    return str(request.param)


@pytest.fixture
def file(kind: str, tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.write_bytes(b"123\n")
    return path


@pytest.fixture
def locks(file: Path) -> Iterator[list[FileLock]]:
    made = [FileLock(os.open(file, os.O_RDWR)) for _ in range(3)]
    yield made
    for one in made:
        one.close()


def refused(lock: FileLock, *, alone: bool = True) -> bool:
    try:
        lock.take(alone=alone)
    except BlockingIOError:
        return True
    return False


def test_one_is_alone(locks: list[FileLock]) -> None:
    locks[0].take()
    assert refused(locks[1])
    assert refused(locks[1], alone=False)


def test_who_has_it_may_take_it_again(locks: list[FileLock]) -> None:
    locks[0].take()
    locks[0].take()
    assert refused(locks[1])


def test_readers_share_it_and_keep_others_from_being_alone(locks: list[FileLock]) -> None:
    locks[0].take(alone=False)
    locks[1].take(alone=False)
    assert refused(locks[2])


def test_who_is_alone_lets_readers_in_again(locks: list[FileLock]) -> None:
    locks[0].take()
    locks[0].take(alone=False)
    assert not refused(locks[1], alone=False)


def test_it_is_free_when_its_file_is_closed(file: Path, locks: list[FileLock]) -> None:
    first = FileLock(os.open(file, os.O_RDWR))
    first.take()
    first.close()
    assert not refused(locks[0])


def test_one_waits_for_another(locks: list[FileLock], file: Path) -> None:
    first = FileLock(os.open(file, os.O_RDWR))
    first.take()
    timer = threading.Timer(0.2, first.close)
    timer.start()
    within(30, lambda: locks[0].take(wait=True))
    timer.join()
    assert refused(locks[1])


def test_others_read_what_it_holds_and_the_holder_writes_on(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    lock = FileLock(handle)
    assert os.read(handle, 2) == b"12"
    lock.take()
    os.write(handle, b"x")
    assert file.read_bytes() == b"12x\n"
    lock.close()
    assert file.stat().st_size == 4


def test_the_system_lets_go_of_it_with_a_process(file: Path, locks: list[FileLock]) -> None:
    command = [sys.executable, "-c", TAKE, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert within(60, other.stdout.readline) == b"taken\n"
        assert refused(locks[0])
        other.kill()
    assert not refused(locks[0])


def test_where_there_are_no_locks_nobody_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "_fcntl", None)
    monkeypatch.setattr(locking, "_msvcrt", None)
    made = [FileLock(os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)) for _ in range(2)]
    for one in made:
        one.take()
    for one in made:
        one.close()
