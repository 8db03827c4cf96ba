"""Single files as a store: what is there, in its size, with its bytes, and what is not known."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from chaosprep.dataset import naming
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError
from chaosprep.formats.png import PNG

PATH = "train/images/a.png"
DATA = b"not really a PNG"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "stage")


@pytest.fixture
def file(store: Store) -> File:
    return store.write(PATH, DATA)


def test_a_written_file_is_described_by_path_hash_and_size(store: Store) -> None:
    assert store.write(PATH, DATA) == File(PATH, hashlib.sha256(DATA).hexdigest(), len(DATA))
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
    store.write("train/masks/P1_t1_s000.png", DATA)
    store.write("val/images/P1_t1_s000_a01.npy", DATA)
    (store.directory / "notes.txt").touch()
    store.prune({PATH})
    left = sorted(
        path.relative_to(store.directory).as_posix() for path in store.directory.rglob("*")
    )
    assert left == ["notes.txt", "train", "train/images", PATH]


OURS = (
    "train/images/P1_t1_s000.dcm",
    "train/images/P1_t1-in_s000.png",
    "val/images/P1_t1.5_s1000.npy",
    "val/masks/P1_t1_s000_a01.png",
    f"test/images/P1_t1_s000_a100.npy.{'0f' * 16}.part",
)
FOREIGN = (
    "train/images/mine.png",
    "train/images/P1_t1_s000.txt",
    "train/images/P1_t1_s000 (1).png",
    "train/images/P1_t1_s00.png",
    "train/images/1_t1_s000.png",
    "train/images/P1_t1_s000_edited.png",
    "train/masks/P1_t1_s000.nii",
    "train/masks/P1_t1_s000.dcm",
    "train/images/P1_t1_s000.png.part",
    "train/images/more/P1_t1_s000.png",
    "train/notes.txt",
    "train/labels/P1_t1_s000.png",
)


@pytest.mark.parametrize("path", OURS)
def test_what_a_stage_may_have_made_is_pruned(store: Store, path: str) -> None:
    store.write(path, DATA)
    assert list(store.foreign()) == []
    store.prune(())
    assert list(store.directory.iterdir()) == []


@pytest.mark.parametrize("path", FOREIGN)
def test_what_no_stage_makes_is_foreign_and_stays(store: Store, path: str) -> None:
    (store.directory / path).parent.mkdir(parents=True)
    (store.directory / path).write_bytes(DATA)
    (found,) = store.foreign()
    assert path.startswith(found)
    store.prune(())
    assert (store.directory / path).read_bytes() == DATA


@pytest.mark.parametrize("name", [".DS_Store", "._P1_t1_s000.png", "Thumbs.db", "desktop.ini"])
def test_what_an_operating_system_leaves_is_neither_foreign_nor_pruned(
    store: Store, name: str
) -> None:
    store.write(f"train/images/{name}", DATA)
    assert list(store.foreign()) == []
    store.prune(())
    assert (store.directory / "train/images" / name).exists()


def test_a_link_goes_alone_and_a_fifo_or_a_folder_of_a_files_name_stays(
    store: Store, tmp_path: Path
) -> None:
    folder = store.directory / "train/images"
    folder.mkdir(parents=True)
    (tmp_path / "precious").write_bytes(DATA)
    (folder / "P1_t1_s000.png").symlink_to(tmp_path / "precious")
    os.mkfifo(folder / "P1_t1_s001.png")
    (folder / "P1_t1_s002.png").mkdir()
    names = [f"train/images/P1_t1_s00{place}.png" for place in (1, 2)]
    assert sorted(store.foreign()) == names
    store.prune(())
    assert sorted(path.name for path in folder.iterdir()) == ["P1_t1_s001.png", "P1_t1_s002.png"]
    assert (tmp_path / "precious").read_bytes() == DATA


def test_a_format_of_another_package_is_known_by_its_ending(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("train/images/P1_t1_s000.raw", DATA)
    assert len(list(store.foreign())) == 1
    raw = msgspec.structs.replace(PNG, name="raw", ending=".raw")
    monkeypatch.setattr(naming, "plugged", lambda kind: (raw,))
    assert list(store.foreign()) == []


def test_a_file_is_whole_through_a_link_only_where_links_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "origin").write_bytes(DATA)
    linked = Store(tmp_path / "stage", links=True)
    file = linked.bring(PATH, tmp_path / "origin", DATA, "sym")
    assert linked.is_whole(file)
    assert not Store(tmp_path / "stage").is_whole(file)


def test_another_kind_of_file_in_place_of_a_folder_is_seen(store: Store, file: File) -> None:
    os.mkfifo(store.directory / "train/masks")
    assert store.diverted() == "train/masks"


def test_a_link_in_place_of_a_folder_is_seen(store: Store, file: File, tmp_path: Path) -> None:
    assert store.diverted() is None
    (tmp_path / "elsewhere").mkdir()
    (store.directory / "val").symlink_to(tmp_path / "elsewhere")
    assert store.diverted() == "val"


def test_a_file_gets_its_name_only_if_nothing_objects(tmp_path: Path) -> None:
    def object_to_it() -> None:
        raise RuntimeError("not now")

    store = Store(tmp_path / "stage", check=object_to_it)
    with pytest.raises(RuntimeError, match="not now"):
        store.write(PATH, DATA)
    assert not list((tmp_path / "stage/train/images").iterdir())
