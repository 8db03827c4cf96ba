"""Tar containers: what any reader of tar finds in them, and that nothing else is there."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.packing import CaseStore
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError

FOLDER, CASE = "train/images", "P1_t1"
CONTAINER = f"{FOLDER}/{CASE}.tar"
Named = dict[str, bytes]
names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,150}\.png", fullmatch=True)
contents = st.dictionaries(names, st.binary(max_size=2000), min_size=1, max_size=6)


def packed(directory: Path, files: Named) -> dict[str, File]:
    """Pack some files, which are added in the order of the dictionary."""
    store = CaseStore(directory, case=CASE, kind=TAR)
    added = [store.write(f"{FOLDER}/{name}", data) for name, data in files.items()]
    return store.pack(added)


def by_the_library(files: Named) -> bytes:
    """The container as `tarfile` writes it, without the blocks that fill its last record."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in sorted(files.items()):
            told = tarfile.TarInfo(name)
            told.size = len(data)
            archive.addfile(told, io.BytesIO(data))
        end = archive.offset
    return stream.getvalue()[: end + 1024]


@pytest.fixture
def three(tmp_path: Path) -> dict[str, File]:
    return packed(tmp_path, {f"a{n}.png": bytes([n]) * 700 for n in range(3)})


@given(files=contents)
def test_it_is_the_archive_that_the_library_writes_in_any_order_of_the_files(
    tmp_path_factory: pytest.TempPathFactory, files: Named
) -> None:
    place = tmp_path_factory.mktemp("tar")
    for order, number in ((files, 1), (dict(reversed(files.items())), 2)):
        placed = packed(place / str(number), order)
        made = (place / str(number) / CONTAINER).read_bytes()
        assert made == by_the_library(files)
        for path, file in placed.items():
            there = made[file.offset : file.offset + file.bytes]
            assert there == files[path.removeprefix(f"{FOLDER}/")]


def test_what_no_row_names_is_not_in_it(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, case=CASE, kind=TAR)
    kept = store.write(f"{FOLDER}/b.png", b"kept")
    store.write(f"{FOLDER}/a.png", b"its mask could not be read")
    store.pack([kept])
    with tarfile.open(tmp_path / CONTAINER) as archive:
        assert archive.getnames() == ["b.png"]


def test_of_a_file_that_is_written_twice_the_last_one_counts(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, case=CASE, kind=TAR)
    store.write(f"{FOLDER}/a.png", b"first")
    placed = store.pack([store.write(f"{FOLDER}/a.png", b"second")])
    assert Store(tmp_path).read(placed[f"{FOLDER}/a.png"]) == b"second"
    with tarfile.open(tmp_path / CONTAINER) as archive:
        assert archive.getnames() == ["a.png"]


def test_nothing_has_a_name_before_all_is_whole(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, case=CASE, kind=TAR)
    store.write(f"{FOLDER}/a.png", b"data")
    assert [path.suffix for path in (tmp_path / FOLDER).iterdir()] == [".part"]
    store.drop()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_container_that_stays_as_it_is_is_linked(tmp_path: Path, three: dict[str, File]) -> None:
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=TAR)
    placed = other.pack([other.carry(source, file) for file in three.values()])
    assert placed == three
    assert (tmp_path / "b" / CONTAINER).samefile(tmp_path / CONTAINER)


@pytest.mark.parametrize("left_out", [0, 2])
def test_a_container_that_loses_a_file_is_made_anew(
    tmp_path: Path, three: dict[str, File], left_out: int
) -> None:
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=TAR)
    kept = [file for n, file in enumerate(three.values()) if n != left_out]
    other.pack([other.carry(source, file) for file in kept])
    files = {f"a{n}.png": bytes([n]) * 700 for n in range(3) if n != left_out}
    assert (tmp_path / "b" / CONTAINER).read_bytes() == by_the_library(files)


def test_carried_and_written_files_lie_beside_each_other(
    tmp_path: Path, three: dict[str, File]
) -> None:
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=TAR)
    files = []
    for n, file in enumerate(three.values()):
        files += [other.carry(source, file), other.write(f"{FOLDER}/a{n}_a01.png", b"copy")]
    other.pack(files)
    copies = {f"a{n}_a01.png": b"copy" for n in range(3)}
    originals = {f"a{n}.png": bytes([n]) * 700 for n in range(3)}
    assert (tmp_path / "b" / CONTAINER).read_bytes() == by_the_library(originals | copies)


def test_a_container_that_holds_more_is_not_linked(tmp_path: Path, three: dict[str, File]) -> None:
    with (tmp_path / CONTAINER).open("ab") as file:
        file.write(b"something else")
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=TAR)
    other.pack([other.carry(source, file) for file in three.values()])
    files = {f"a{n}.png": bytes([n]) * 700 for n in range(3)}
    assert (tmp_path / "b" / CONTAINER).read_bytes() == by_the_library(files)


def test_a_cut_container_still_gives_what_stands_before_the_cut(
    tmp_path: Path, three: dict[str, File]
) -> None:
    first, _, last = three.values()
    whole = (tmp_path / CONTAINER).read_bytes()
    (tmp_path / CONTAINER).write_bytes(whole[: last.offset + 10])
    store = Store(tmp_path)
    assert store.read(first) == bytes(700)
    assert (store.has(first), store.has(last), store.is_whole(last)) == (True, False, False)
    with pytest.raises(FileError, match=r"it ends before a2\.png does") as caught:
        store.read(last)
    assert (caught.value.code, caught.value.file) == ("container", CONTAINER)


@pytest.mark.parametrize("place", [{"bytes": 2**62}, {"bytes": 2**63 - 1}, {"offset": 2**63 - 1}])
def test_a_place_that_no_file_has_takes_no_memory(
    tmp_path: Path, three: dict[str, File], place: dict[str, Any]
) -> None:
    with pytest.raises(FileError, match="it ends before") as caught:
        Store(tmp_path).read(three[f"{FOLDER}/a0.png"]._replace(**place))
    assert caught.value.code == "container"


@pytest.mark.parametrize(("at", "file"), [(0, "a0"), (1300, "a1"), (1539, "a1"), (-1, "a2")])
def test_a_changed_byte_that_is_no_files_is_found(
    tmp_path: Path, three: dict[str, File], at: int, file: str
) -> None:
    data = bytearray((tmp_path / CONTAINER).read_bytes())
    data[at] ^= 1
    (tmp_path / CONTAINER).write_bytes(data)
    with pytest.raises(FileError, match=f"it does not hold {file}.png as it was packed") as caught:
        Store(tmp_path).check_containers(three.values())
    assert (caught.value.code, caught.value.file) == ("container", CONTAINER)


def test_what_stands_behind_the_end_is_found(tmp_path: Path, three: dict[str, File]) -> None:
    with (tmp_path / CONTAINER).open("ab") as file:
        file.write(b"x")
    with pytest.raises(FileError, match="holds more than its files"):
        Store(tmp_path).check_containers(three.values())


def test_a_taken_container_is_one_link_for_all_its_files(
    tmp_path: Path, three: dict[str, File]
) -> None:
    other = Store(tmp_path / "b")
    other.take_containers(Store(tmp_path), [CONTAINER])
    for file in three.values():
        assert other.read(file) == Store(tmp_path).read(file)
    assert (tmp_path / "b" / CONTAINER).samefile(tmp_path / CONTAINER)
