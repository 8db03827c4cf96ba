"""Single files: only regular ones are read, and nothing is ever written through."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chaosprep.errors import FileError, OutputError, RefusedError
from chaosprep.files import (
    open_regular,
    read_regular,
    settle,
    write_durably,
    write_new,
    writing,
)
from tests.running.toys import within


def code_of(read: Callable[[], object]) -> str:
    with pytest.raises(FileError) as caught:
        within(5, read)
    return caught.value.code


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(bytes(range(256)) * 1000)
    assert read_regular(file) == bytes(range(256)) * 1000


def test_a_missing_file_is_named_so(tmp_path: Path) -> None:
    assert code_of(lambda: read_regular(tmp_path / "a")) == "file-missing"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert code_of(lambda: read_regular(tmp_path)) == "file-kind"


@pytest.mark.parametrize("follow", [False, True])
def test_a_fifo_is_refused_and_does_not_block(tmp_path: Path, follow: bool) -> None:
    fifo = tmp_path / "a"
    os.mkfifo(fifo)
    assert code_of(lambda: read_regular(fifo, follow=follow)) == "file-kind"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(device: str) -> None:
    assert code_of(lambda: read_regular(Path(device))) == "file-kind"


def test_a_link_is_refused_unless_it_may_be_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "a").write_bytes(b"1")
    link.symlink_to("a")
    assert code_of(lambda: read_regular(link)) == "file-link"
    assert read_regular(link, follow=True) == b"1"


def test_a_link_to_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    (tmp_path / "link").symlink_to("a")
    assert code_of(lambda: read_regular(tmp_path / "link", follow=True)) == "file-kind"


def test_a_path_through_a_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert code_of(lambda: read_regular(tmp_path / "a/b")) == "file-unreadable"


def test_a_refused_file_is_not_left_open(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    before = count()
    for _ in range(5):
        with pytest.raises(FileError):
            open_regular(tmp_path)
    assert count() == before


def test_a_new_file_holds_the_bytes(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_writing_over_a_hard_link_leaves_the_other_name_alone(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.write_bytes(b"the parent stage's file")
    os.link(parent, tmp_path / "a")
    write_new(tmp_path / "a", b"new")
    assert parent.read_bytes() == b"the parent stage's file"
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("write", [write_new, write_durably])
def test_writing_over_a_symbolic_link_leaves_its_target_alone(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    (tmp_path / "original").write_bytes(b"original")
    (tmp_path / "a").symlink_to("original")
    (tmp_path / "a.part").symlink_to("original")
    write(tmp_path / "a", b"new")
    assert (tmp_path / "original").read_bytes() == b"original"
    assert not (tmp_path / "a").is_symlink()


def test_a_durable_write_leaves_no_temporary_name(tmp_path: Path) -> None:
    write_durably(tmp_path / "a", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_durable_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space"):
        write_durably(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_cannot_be_written_is_told_of_the_output_that_a_person_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, writing(Path("out"), "; go on."):
        write_new(tmp_path / "missing/deep/file", b"data")
    assert caught.value.text == (
        "out: cannot be written (No such file or directory). Choose another output."
    )


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room or choose another output; go on."),
        (errno.EACCES, "Make it writable or choose another output; go on."),
        (errno.EROFS, "Make it writable or choose another output; go on."),
        (errno.ENAMETOOLONG, "Give it a shorter name or choose another output; go on."),
        (errno.ENOTDIR, "Choose another output."),
    ],
)
def test_what_to_do_fits_what_the_system_says(number: int, remedy: str) -> None:
    with (
        pytest.raises(OutputError) as caught,
        writing(Path("out"), "; go on."),
        writing(Path("out/file")),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.text == f"out: cannot be written ({os.strerror(number)}). {remedy}"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("out", "output"),
        ("out/train/x.png", "output"),
        (".", "output"),
        (".out.chaosprep/lock", "output"),
        ("source/x.dcm", "system"),
        ("output", "system"),
    ],
)
def test_an_error_of_another_path_is_told_of_that_path(
    tmp_path: Path, place: str, code: str
) -> None:
    """What vanishes from the input while an output is written is no fault of the output."""
    path = tmp_path / place
    with pytest.raises(RefusedError) as caught, writing(tmp_path / "out"):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    named = tmp_path / "out" if code == "output" else path
    assert caught.value.code == code
    assert caught.value.reason.startswith(f"{named}: ")


def test_a_file_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, name, folder: in another order, a power cut could leave an empty file."""
    steps: list[str] = []
    rename = Path.replace

    def fsync(handle: int) -> None:
        steps.append(f"fsync {Path(f'/proc/self/fd/{handle}').readlink().name}")

    def replace(self: Path, target: Path) -> Path:
        steps.append(f"rename {self.name} {target.name}")
        return rename(self, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    (tmp_path / "a.part").write_bytes(b"whole")
    settle(tmp_path / "a.part", tmp_path / "a")
    assert steps == ["fsync a.part", "rename a.part a", f"fsync {tmp_path.name}"]
