"""Surroundings that lack what worker processes need: it is found elsewhere, or named."""

import subprocess
from pathlib import Path

import pytest

from tests.attacks.outside import mounting, shell, small_root
from tests.running.toys import snapshot


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("around") / "root")


@pytest.fixture(scope="module")
def made(root: Path) -> dict[str, bytes]:
    output = root.parent / "made"
    assert shell('"$@"', "split", root, "-o", output, "-j", "1").returncode == 0
    return snapshot(output)


def split(script: str, root: Path, output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return shell(script, "split", root, "-o", output, "-j", "2", *words)


FULL = "mount -t tmpfs -o size=4k none {0}; head -c 4096 /dev/zero > {0}/x; "


@pytest.mark.parametrize("long", [True, False])
def test_a_folder_for_temporary_files_that_cannot_serve_is_passed_over(
    long: bool, root: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    """The path of a socket has 107 bytes; and a folder may not be there."""
    folder = tmp_path / ("l" * 100)
    if long:
        folder.mkdir()
    done = split(f'TMPDIR={folder} exec "$@"', root, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "out") == made


@pytest.mark.parametrize("spoilt", [FULL, "mount -t tmpfs -o ro none {0}; "])
def test_a_full_or_closed_folder_for_temporary_files_is_passed_over(
    spoilt: str, root: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    script = mounting(spoilt.format(folder) + f'TMPDIR={folder} exec "$@"')
    done = split(script, root, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "out") == made


@pytest.mark.parametrize("more", [(), ("--dask", "local")])
@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (FULL.format("/dev/shm"), "No space left on device"),
        ("mount -t tmpfs -o ro none /dev/shm; ", "Read-only file system"),
        ("mount -t tmpfs none /dev; mknod /dev/null c 1 3; ", "No such file or directory"),
    ],
)
def test_shared_memory_that_is_missing_full_or_closed_is_named(
    spoilt: str, said: str, more: tuple[str, ...], root: Path, tmp_path: Path
) -> None:
    if more:
        pytest.importorskip("distributed")
    done = split(mounting(spoilt + 'exec "$@"'), root, tmp_path / "out", *more)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: worker processes cannot be started: the system gives no semaphores ({said}). "
        "Make /dev/shm a folder that can be written and has room, or use --jobs 1 without --dask.\n"
    )


def test_without_shared_memory_one_process_does_it(
    root: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    script = mounting('mount -t tmpfs -o ro none /dev/shm; exec "$@" -j 1')
    done = split(script, root, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "out") == made


GONE = 'mkdir -p {0}; cd {0}; rmdir {0}; exec "$@"'


def test_in_a_folder_that_is_gone_workers_do_not_start_and_it_is_named(
    root: Path, tmp_path: Path
) -> None:
    done = split(GONE.format(tmp_path / "gone"), root, tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: worker processes cannot be started: the current folder is gone "
    )


def test_in_a_folder_that_is_gone_absolute_paths_work(
    root: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    done = split(GONE.format(tmp_path / "gone") + " -j 1", root, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "out") == made


def test_in_a_folder_that_is_gone_relative_paths_are_named(root: Path, tmp_path: Path) -> None:
    done = split(GONE.format(tmp_path / "gone") + " -j 1", root, Path("out"))
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the current folder is gone. Change to another one, or give absolute paths.\n"
    )


@pytest.mark.parametrize("home", ["HOME=/nowhere", "-u HOME"])
def test_a_home_is_not_needed(home: str, root: Path, tmp_path: Path) -> None:
    done = split(f'exec env {home} "$@"', root, tmp_path / "out")
    assert done.returncode == 0, done.stderr


def test_too_few_open_files_are_named(root: Path, tmp_path: Path) -> None:
    done = split('ulimit -n 12; exec "$@"', root, tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "Error: the system has no more (Too many open files). Allow more open files (ulimit -n) or "
        "use fewer --jobs, and run the same command again."
    )


@pytest.mark.parametrize("below", ["file/out", "file/a/b"])
def test_an_output_below_a_file_is_named(below: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = split('exec "$@"', root, tmp_path / below)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path / below}: cannot be written (Not a directory)")


def test_an_output_with_a_name_too_long_is_named(root: Path, tmp_path: Path) -> None:
    done = split('exec "$@"', root, tmp_path / ("n" * 300))
    assert done.returncode == 1
    assert "(File name too long). " in done.stderr
    assert "choose another output" in done.stderr
