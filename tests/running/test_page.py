"""A page, picture or table: whole or not there, and never in place of what is somebody else's."""

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from chaosprep.errors import ChaosprepError, OutputError, UsageError
from chaosprep.running import page
from chaosprep.running.page import PAGE, PICTURE, FileKind, check_place, new_file

TABLE = FileKind("table", ".csv", re.compile(rb"id,dice\n"))
HTML = b'\n<!doctype html>\n<html><head>\n<meta name="generator" content="chaosprep 9.9">\n'
HOLD = """
import sys
from pathlib import Path
from chaosprep.running.page import PAGE, new_file
with new_file(Path(sys.argv[1]), PAGE, False):
    print("held", flush=True)
    sys.stdin.read()
"""


def png() -> bytes:
    stream = BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(stream, "PNG")
    return stream.getvalue()


CONTENT = {PAGE: HTML, PICTURE: png(), TABLE: b"id,dice\na,1\n"}
KINDS = pytest.mark.parametrize("kind", CONTENT, ids=lambda kind: kind.noun)


def write(
    file: Path, kind: FileKind, content: bytes | None = None, *, overwrite: bool = False
) -> None:
    with new_file(file, kind, overwrite) as save:
        save(CONTENT[kind] if content is None else content)


def refusal(write: Callable[[], None]) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught:
        write()
    return caught.value


@KINDS
def test_it_is_there_whole_and_nothing_beside_it(tmp_path: Path, kind: FileKind) -> None:
    write(tmp_path / "x", kind)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    if kind is not PICTURE:
        assert (tmp_path / "x").read_bytes() == CONTENT[kind]


@KINDS
def test_what_was_made_here_is_made_again(tmp_path: Path, kind: FileKind) -> None:
    write(tmp_path / "x", kind)
    write(tmp_path / "x", kind, CONTENT[kind] + b"more")
    assert (tmp_path / "x").read_bytes().endswith(b"more")


@KINDS
@pytest.mark.parametrize("content", [b"mine", b"id,dice,more\n", b"<!doctype html>\n<html>"])
def test_what_was_made_elsewhere_is_replaced_only_when_asked(
    tmp_path: Path, kind: FileKind, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    error = refusal(lambda: write(tmp_path / "x", kind))
    assert (error.code, error.exit_code) == ("output-foreign", 1)
    assert f"it is not a {kind.noun} that chaosprep made. " in error.text
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", content)]
    write(tmp_path / "x", kind, overwrite=True)
    assert (tmp_path / "x").read_bytes() != content


def test_a_picture_of_another_program_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(png())
    assert refusal(lambda: write(tmp_path / "x.png", PICTURE)).code == "output-foreign"


def test_an_empty_file_makes_way(tmp_path: Path) -> None:
    (tmp_path / "x.html").touch()
    write(tmp_path / "x.html", PAGE)
    assert (tmp_path / "x.html").read_bytes() == HTML


def test_the_mark_of_a_picture_changes_no_pixel(tmp_path: Path) -> None:
    write(tmp_path / "x.png", PICTURE)
    seen = cv2.imread(str(tmp_path / "x.png"), cv2.IMREAD_UNCHANGED)
    assert seen is not None
    assert np.array_equal(seen, np.arange(12).reshape(3, 4))
    with Image.open(tmp_path / "x.png") as opened:
        assert opened.info == {"Software": "chaosprep"}
    data = (tmp_path / "x.png").read_bytes()
    at = data.index(b"tEXt")
    assert data[at + 22 : at + 26] == zlib.crc32(data[at : at + 22]).to_bytes(4)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["link", "broken link", "FIFO", "folder"])
def test_what_is_no_file_is_refused_even_when_asked(
    tmp_path: Path, kind: str, overwrite: bool
) -> None:
    file = tmp_path / "x.html"
    (tmp_path / "theirs").write_bytes(HTML)
    if kind == "FIFO":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("theirs" if kind == "link" else "nowhere")
    error = refusal(lambda: write(file, PAGE, overwrite=overwrite))
    assert (error.code, str(file) in error.reason) == ("output-foreign", True)
    assert "--overwrite" not in error.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["theirs", "x.html"]
    assert (tmp_path / "theirs").read_bytes() == HTML


def test_a_file_that_comes_while_it_is_made_is_not_replaced(tmp_path: Path) -> None:
    def late() -> None:
        with new_file(tmp_path / "x.html", PAGE, overwrite=False) as save:
            (tmp_path / "x.html").write_bytes(b"mine")
            save(HTML)

    assert refusal(late).code == "output-foreign"
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.html", b"mine")]


def test_a_file_that_comes_at_the_last_moment_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "check_standing", lambda *_: False)
    (tmp_path / "x.html").write_bytes(b"mine")
    with pytest.raises(OutputError, match="File exists"):
        write(tmp_path / "x.html", PAGE)
    assert (tmp_path / "x.html").read_bytes() == b"mine"


def test_two_at_once_do_not_write_one_file(tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert refusal(lambda: write(file, PAGE)).code == "locked"
        holder.kill()
    write(file, PAGE)
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_what_a_killed_run_left_is_cleared_even_by_one_that_is_refused(tmp_path: Path) -> None:
    room = tmp_path / ".x.html.chaosprep"
    room.mkdir()
    (room / "lock").write_text("123\n")
    (room / f".{'0' * 32}.part").write_bytes(HTML)
    (tmp_path / "x.html").write_bytes(b"mine")
    assert refusal(lambda: write(tmp_path / "x.html", PAGE)).code == "output-foreign"
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_what_somebody_put_in_the_workspace_is_named_and_stays(tmp_path: Path) -> None:
    room = tmp_path / ".x.html.chaosprep"
    room.mkdir()
    (room / "notes.txt").write_text("mine")
    assert refusal(lambda: write(tmp_path / "x.html", PAGE)).code == "workspace"
    assert (room / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("when", ["write", "fsync"])
def test_a_full_disk_leaves_the_earlier_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    write(tmp_path / "x.html", PAGE)
    monkeypatch.setattr(os, when, full)
    error = refusal(lambda: write(tmp_path / "x.html", PAGE, HTML + b"more"))
    assert error.text == (
        f"{tmp_path}/x.html: cannot be written (No space left on device). "
        "Make room or choose another output."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]
    assert (tmp_path / "x.html").read_bytes() == HTML


def test_of_two_that_are_made_together_the_right_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.csv").touch()

    def both() -> None:
        with (
            new_file(tmp_path / "a.html", PAGE, overwrite=False) as save,
            new_file(tmp_path / "b.csv", TABLE, overwrite=False),
        ):
            (tmp_path / ".a.html.chaosprep/lock").unlink()
            (tmp_path / ".a.html.chaosprep").rmdir()
            save(HTML)

    assert refusal(both).reason.startswith(f"{tmp_path}/a.html: cannot be written")


def test_a_name_as_long_as_they_may_be_is_written(tmp_path: Path) -> None:
    file = tmp_path / f"{'x' * 250}.html"
    write(file, PAGE)
    assert list(tmp_path.iterdir()) == [file]


def test_a_longer_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write(tmp_path / f"{'x' * 251}.html", PAGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("x.htm", "its name is that of another kind of file"),
        ("data/x.html", "it would lie inside the dataset"),
        ("none/x.html", "its folder does not exist"),
        ("file/x.html", "what should be its folder is not a folder"),
    ],
)
def test_a_place_that_cannot_be_is_a_wrong_request(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=said):
        check_place(tmp_path / place, tmp_path / "data", PAGE)


def test_a_folder_that_cannot_be_looked_into_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(self: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(OutputError, match="Permission denied"):
        check_place(tmp_path / "closed/in/x.html", tmp_path / "data", PAGE)


def test_a_current_folder_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ChaosprepError):
        check_place(Path("x.html"), tmp_path, PAGE)
