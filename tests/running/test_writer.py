"""The writer makes new files only, and says truly what it made."""

import errno
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Link
from chaosprep.errors import FileError
from chaosprep.running.writer import Writer
from tests.running.toys import IMAGE, handmade, handmade_row

ROW = handmade_row("MR001_t1-in_s000")
PATH = str(ROW["image"])
FILE = File(PATH, str(ROW["image_sha256"]), len(IMAGE))


@pytest.fixture
def parent(tmp_path: Path) -> Case:
    return open_dataset(handmade(tmp_path / "parent", ROW)).cases[0]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def refuse_links(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def link(*args: object, **more: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_image_lies_where_the_layout_says(out: Path, dtype: type[np.generic]) -> None:
    pixels = np.arange(6).reshape(2, 3).astype(dtype) * 40
    written = Writer(out).image("val", "MR001_t1-in_s007", pixels, ".png")
    assert written.path == "val/images/MR001_t1-in_s007.png"
    data = (out / written.path).read_bytes()
    assert (written.sha256, written.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    read = cv2.imread(str(out / written.path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.dtype == dtype
    assert read.tolist() == pixels.tolist()


def test_an_npy_image_is_what_numpy_reads(out: Path) -> None:
    pixels = np.arange(6, dtype=np.int16).reshape(2, 3) - 3
    written = Writer(out).image("train", "a", pixels, ".npy")
    assert written.path == "train/images/a.npy"
    assert np.load(out / written.path, allow_pickle=False).tolist() == pixels.tolist()


def test_a_mask_is_a_png_beside_the_images(out: Path) -> None:
    written = Writer(out).mask("test", "a", np.full((2, 3), 63, np.uint8))
    assert written.path == "test/masks/a.png"
    read = cv2.imread(str(out / written.path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.tolist() == [[63] * 3] * 2


def test_an_image_written_over_a_hard_link_leaves_the_parent_alone(parent: Case, out: Path) -> None:
    Writer(out).carry(parent, FILE)
    Writer(out).image("train", str(ROW["id"]), np.zeros((2, 3), np.uint8), ".png")
    assert (parent.directory / PATH).read_bytes() == IMAGE
    assert (out / PATH).read_bytes() != IMAGE


def test_a_carried_file_is_a_hard_link(parent: Case, out: Path) -> None:
    Writer(out).carry(parent, FILE)
    assert (out / PATH).samefile(parent.directory / PATH)
    assert not (out / PATH).is_symlink()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK, errno.EPERM])
def test_a_file_that_cannot_be_linked_is_copied(
    parent: Case, out: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Another file system, too many links, a file system without links."""
    refuse_links(monkeypatch, code)
    Writer(out).carry(parent, FILE)
    assert (out / PATH).read_bytes() == IMAGE
    assert not (out / PATH).samefile(parent.directory / PATH)


def test_carrying_replaces_what_an_earlier_attempt_left(parent: Case, out: Path) -> None:
    other = out.with_name("other")
    other.write_bytes(b"half")
    (out / PATH).parent.mkdir(parents=True)
    os.link(other, out / PATH)
    Writer(out).carry(parent, FILE)
    assert (out / PATH).samefile(parent.directory / PATH)
    assert other.read_bytes() == b"half"


def test_carrying_twice_is_the_same_as_once(parent: Case, out: Path) -> None:
    for _ in range(2):
        Writer(out).carry(parent, FILE)
    assert (out / PATH).read_bytes() == IMAGE


def test_a_damaged_file_is_not_carried(parent: Case, out: Path) -> None:
    (parent.directory / PATH).write_bytes(b"damaged")
    with pytest.raises(FileError) as caught:
        Writer(out).carry(parent, FILE)
    assert caught.value.code == "hash"
    assert not (out / PATH).exists()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    file = tmp_path / "IMG-0001.dcm"
    file.write_bytes(b"pixels")
    return file


@pytest.mark.parametrize("link", ["copy", "hard", "sym"])
def test_a_file_from_outside_gets_the_name_of_its_slice(
    origin: Path, out: Path, link: Link
) -> None:
    written = Writer(out).copy("train", "images", "a", origin, b"pixels", link)
    assert written.path == "train/images/a.dcm"
    assert written.sha256 == hashlib.sha256(b"pixels").hexdigest()
    assert written.bytes == len(b"pixels")
    assert (out / written.path).read_bytes() == b"pixels"


def test_a_copied_file_is_the_users_no_more(origin: Path, out: Path) -> None:
    written = Writer(out).copy("train", "images", "a", origin, b"pixels", "copy")
    assert not (out / written.path).samefile(origin)


def test_links_are_made_on_request(origin: Path, out: Path) -> None:
    hard = out / Writer(out).copy("train", "images", "a", origin, b"pixels", "hard").path
    soft = out / Writer(out).copy("train", "masks", "a", origin, b"pixels", "sym").path
    assert (hard.is_symlink(), hard.samefile(origin)) == (False, True)
    assert (soft.is_symlink(), soft.samefile(origin)) == (True, True)


def test_a_hard_link_to_a_link_is_to_the_file_behind_it(origin: Path, out: Path) -> None:
    (origin.parent / "link.dcm").symlink_to(origin.name)
    written = Writer(out).copy(
        "train", "images", "a", origin.parent / "link.dcm", b"pixels", "hard"
    )
    assert not (out / written.path).is_symlink()


@pytest.mark.parametrize("first", ["copy", "hard", "sym"])
@pytest.mark.parametrize("second", ["copy", "hard", "sym"])
def test_another_way_of_bringing_in_never_touches_the_original(
    origin: Path, out: Path, first: Link, second: Link
) -> None:
    for link in (first, second):
        Writer(out).copy("train", "images", "a", origin, b"pixels", link)
    Writer(out).copy("train", "images", "a", origin, b"other", "copy")
    assert origin.read_bytes() == b"pixels"
    assert (out / "train/images/a.dcm").read_bytes() == b"other"
