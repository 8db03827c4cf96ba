"""Single files as a store: what is there, in its size, with its bytes, and what is not known."""

import hashlib
from pathlib import Path

import pytest

from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError

PATH = "train/images/a.png"
DATA = b"not really a PNG"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "stage")


@pytest.fixture
def file(store: Store) -> File:
    return store.write(PATH, DATA)


def test_a_written_file_is_described_by_path_hash_and_size(store: Store) -> None:
    assert store.write(PATH, DATA) == (PATH, hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert (store.directory / PATH).read_bytes() == DATA


def test_what_is_read_is_what_was_written(store: Store, file: File) -> None:
    assert store.read(file) == DATA


def test_a_changed_file_is_refused_by_its_path(store: Store, file: File) -> None:
    (store.directory / PATH).write_bytes(DATA[::-1])
    with pytest.raises(FileError) as caught:
        store.read(file)
    assert (caught.value.code, caught.value.file) == ("hash", PATH)


def test_a_changed_file_of_the_same_size_is_there_but_not_whole(store: Store, file: File) -> None:
    assert (store.has(file), store.is_whole(file)) == (True, True)
    (store.directory / PATH).write_bytes(DATA[::-1])
    assert (store.has(file), store.is_whole(file)) == (True, False)


def test_a_file_that_is_cut_short_or_gone_is_not_there(store: Store, file: File) -> None:
    (store.directory / PATH).write_bytes(DATA[:-1])
    assert not store.has(file)
    (store.directory / PATH).unlink()
    assert not store.has(file)


def test_a_carried_file_may_get_another_path(store: Store, file: File, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    made = other.carry(store, file, "pictures/b.png")
    assert made == File("pictures/b.png", file.sha256, file.bytes)
    assert (other.directory / "pictures/b.png").samefile(store.directory / PATH)


def test_what_no_other_store_has_alone_is_copied(
    store: Store, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "alone", lambda self, file: None)  # as in a container
    other = Store(tmp_path / "other")
    other.take(store, file)
    assert other.read(file) == DATA
    assert not (other.directory / PATH).samefile(store.directory / PATH)


def test_a_link_that_is_taken_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "origin").write_bytes(DATA)
    store, other = (Store(tmp_path / name, links=True) for name in "ab")
    file = store.bring(PATH, tmp_path / "origin", DATA, "sym")
    other.take(store, file)
    assert (other.directory / PATH).is_symlink()
    assert other.read(file) == DATA


def test_strays_are_all_files_but_the_known_ones(store: Store, file: File) -> None:
    (store.directory / "val/images/deeper").mkdir(parents=True)
    for name in ("notes.txt", "val/images/deeper/b.png", "datapackage.json"):
        (store.directory / name).touch()
    known = {PATH, "datapackage.json"}
    assert list(store.strays(known)) == ["notes.txt", "val/images/deeper/b.png"]


def test_pruning_keeps_the_named_files_and_everything_outside_the_folders(
    store: Store, file: File
) -> None:
    store.write("train/masks/old.png", DATA)
    store.write("val/images/b.png", DATA)
    (store.directory / "notes.txt").touch()
    store.prune({PATH})
    left = sorted(
        path.relative_to(store.directory).as_posix() for path in store.directory.rglob("*")
    )
    assert left == ["notes.txt", "train", "train/images", PATH]


def test_a_link_in_place_of_a_folder_is_seen(store: Store, file: File, tmp_path: Path) -> None:
    assert not store.is_diverted()
    (tmp_path / "elsewhere").mkdir()
    (store.directory / "val").symlink_to(tmp_path / "elsewhere")
    assert store.is_diverted()


def test_a_file_gets_its_name_only_if_nothing_objects(tmp_path: Path) -> None:
    def object_to_it() -> None:
        raise RuntimeError("not now")

    store = Store(tmp_path / "stage", check=object_to_it)
    with pytest.raises(RuntimeError, match="not now"):
        store.write(PATH, DATA)
    assert not list((tmp_path / "stage/train/images").iterdir())
