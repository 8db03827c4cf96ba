"""A store that gives the last image and mask again without reading them."""

from pathlib import Path

import pytest

from chaosprep.dataset.recent import Recent
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError


def test_the_last_two_files_are_read_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    files = [store.write(f"train/images/{name}.png", name.encode()) for name in "abc"]
    recent = Recent(store)
    assert [recent.read(file) for file in files] == [b"a", b"b", b"c"]
    for file in files:
        (tmp_path / file.path).unlink()
    assert [recent.read(file) for file in files[1:]] == [b"b", b"c"]
    with pytest.raises(FileError):
        recent.read(files[0])


def test_a_file_that_could_not_be_read_is_looked_at_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    file = store.write("train/images/a.png", b"a")
    recent = Recent(store)
    (tmp_path / file.path).write_bytes(b"b")
    with pytest.raises(FileError, match="not the one that the manifest records"):
        recent.read(file)
    (tmp_path / file.path).write_bytes(b"a")
    assert recent.read(file) == b"a"


def test_files_are_linked_from_it_as_from_the_store_itself(tmp_path: Path) -> None:
    store = Store(tmp_path / "stage")
    file = store.write("train/images/a.png", b"a")
    other = Store(tmp_path / "other")
    assert other.carry(Recent(store), file) == file
    assert (tmp_path / "other" / file.path).samefile(tmp_path / "stage" / file.path)
