"""Zarr containers: what the library of Zarr finds in them, and that nothing else is there."""

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.containers.zarr import ZARR
from chaosprep.dataset.packing import CaseStore
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError
from chaosprep.formats.png import encode_png

zarr = pytest.importorskip("zarr")

FOLDER, CASE = "train/masks", "P1_t1"
ARRAY = f"{FOLDER}/{CASE}.zarr"
SHARD, METADATA, TARRED = f"{ARRAY}/c.0.0.0", f"{ARRAY}/zarr.json", f"{FOLDER}/{CASE}.tar"
Plane = NDArray[Any]
DTYPES = ("u1", "<u2", "<i2", ">i2", ">u2", "<i4", "<u8", "<f2", "<f4", ">f8", "?")


class ClaimLostError(Exception):
    """What a claim says that another took over."""


def planes(dtype: str = "<u2", count: int = 3, shape: tuple[int, int] = (5, 7)) -> list[Plane]:
    values = np.random.default_rng(0).integers(0, 100, (count, *shape))
    return list((values % 2 if dtype == "?" else values).astype(dtype))


def npy(plane: Plane) -> bytes:
    stream = io.BytesIO()
    np.save(stream, plane)
    return stream.getvalue()


def packed(directory: Path, files: dict[str, bytes]) -> dict[str, File]:
    """Pack some files, which are added in the order of the dictionary."""
    store = CaseStore(directory, case=CASE, kind=ZARR)
    return store.pack([store.write(f"{FOLDER}/{name}", data) for name, data in files.items()])


def named(arrays: list[Plane]) -> dict[str, bytes]:
    return {f"a{n}.npy": npy(plane) for n, plane in enumerate(arrays)}


def names_in(directory: Path) -> list[str]:
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found)


@pytest.fixture
def three(tmp_path: Path) -> dict[str, File]:
    return packed(tmp_path, named(planes()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("count", "shape"), [(3, (5, 7)), (1, (1, 1)), (2, (64, 3))])
def test_the_library_reads_the_array_and_we_read_the_files(
    tmp_path: Path, dtype: str, count: int, shape: tuple[int, int]
) -> None:
    volume = np.stack(planes(dtype, count, shape))
    placed = packed(tmp_path, named(list(volume)))
    array = zarr.open_array(tmp_path / ARRAY, mode="r")
    assert (array.shape, array.chunks, array.shards) == (volume.shape, (1, *shape), volume.shape)
    assert array.dtype == volume.dtype.newbyteorder("=")
    np.testing.assert_array_equal(array[:], volume)
    np.testing.assert_array_equal(array[-1], volume[-1])
    for plane, file in zip(volume, placed.values(), strict=True):
        assert Store(tmp_path).read(file) == npy(plane)


def test_it_is_two_files_and_says_which_slice_is_which(
    tmp_path: Path, three: dict[str, File]
) -> None:
    assert names_in(tmp_path) == [SHARD, METADATA]
    array = zarr.open_array(tmp_path / ARRAY, mode="r")
    assert dict(array.attrs) == {"ids": ["a0", "a1", "a2"]}
    assert array.metadata.dimension_names == ("slices", "rows", "cols")


def test_the_shard_is_the_files_and_then_the_index(tmp_path: Path, three: dict[str, File]) -> None:
    data = (tmp_path / SHARD).read_bytes()
    files = list(named(planes()).values())
    size, begin = len(files[0]), len(files[0]) - 70
    assert data[: 3 * size] == b"".join(files)
    index = [[n * size + begin, 70] for n in range(3)]
    assert np.frombuffer(data[3 * size :], "<u8").reshape(3, 2).tolist() == index
    assert [file.offset for file in three.values()] == [0, size, 2 * size]


@given(order=st.permutations(range(4)), twice=st.integers(0, 3))
def test_the_same_files_make_the_same_array_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], twice: int
) -> None:
    files = named(planes(count=4))
    place = tmp_path_factory.mktemp("zarr")
    packed(place / "sorted", files)
    store = CaseStore(place / "other", case=CASE, kind=ZARR)
    store.write(f"{FOLDER}/a{twice}.npy", npy(planes("u1")[0]))  # the last one counts
    store.write(f"{FOLDER}/b.npy", b"its row was left out")
    store.pack([store.write(f"{FOLDER}/a{n}.npy", files[f"a{n}.npy"]) for n in order])
    assert names_in(place / "other") == [SHARD, METADATA]
    for name in (SHARD, METADATA):
        assert (place / "other" / name).read_bytes() == (place / "sorted" / name).read_bytes()


@pytest.mark.parametrize(
    "odd",
    [
        npy(planes(shape=(5, 8))[0]),
        npy(planes("<i2")[0]),
        npy(planes(">u2")[0]),
        npy(np.asfortranarray(planes()[0])),
        npy(planes()[0][None]),
        npy(planes("<c8")[0]),
        npy(planes()[0])[:-1],
        b"\x93NUMPY",
        b"a header of DICOM",
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_no_array_of_one_size_and_type_is_a_tar(
    tmp_path: Path, odd: bytes, at: int
) -> None:
    files = named(planes())
    files[f"a{at}.npy"] = odd
    placed = packed(tmp_path, files)
    tar = CaseStore(tmp_path / "tar", case=CASE, kind=TAR)
    assert placed == tar.pack([tar.write(f"{FOLDER}/{n}", data) for n, data in files.items()])
    assert (tmp_path / TARRED).read_bytes() == (tmp_path / "tar" / TARRED).read_bytes()
    assert not (tmp_path / ARRAY).exists()


def test_carried_pictures_become_arrays(tmp_path: Path) -> None:
    arrays = planes("u1")
    source = Store(tmp_path / "files")
    files = [source.write(f"{FOLDER}/a{n}.png", encode_png(p)) for n, p in enumerate(arrays)]
    store = CaseStore(tmp_path, case=CASE, kind=ZARR)
    placed = store.pack([store.carry(source, file) for file in files])
    assert list(placed) == [file.path for file in files]
    for plane, file in zip(arrays, placed.values(), strict=True):
        assert file.path.endswith(".npy")
        assert Store(tmp_path).read(file) == npy(plane)


def test_a_mask_of_one_bit_becomes_booleans(tmp_path: Path) -> None:
    source = Store(tmp_path / "files")
    bits = planes("?")[0]
    picture = io.BytesIO()
    Image.fromarray(bits).save(picture, "PNG")
    file = source.write(f"{FOLDER}/a0.png", picture.getvalue())
    store = CaseStore(tmp_path, case=CASE, kind=ZARR)
    store.pack([store.carry(source, file)])
    array = zarr.open_array(tmp_path / ARRAY, mode="r")
    assert array.dtype == np.bool_
    np.testing.assert_array_equal(array[0], bits)


def test_a_picture_that_is_none_is_carried_as_it_is(tmp_path: Path) -> None:
    source = Store(tmp_path / "files")
    file = source.write(f"{FOLDER}/a0.png", b"not really a PNG")
    store = CaseStore(tmp_path, case=CASE, kind=ZARR)
    (placed,) = store.pack([store.carry(source, file)]).values()
    assert (placed.path, placed.container) == (file.path, TARRED)


def test_an_array_that_stays_as_it_is_is_linked(tmp_path: Path, three: dict[str, File]) -> None:
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=ZARR)
    assert other.pack([other.carry(source, file) for file in three.values()]) == three
    for name in (SHARD, METADATA):
        assert (tmp_path / "b" / name).samefile(tmp_path / name)


def test_a_tar_of_no_arrays_is_linked_and_one_of_arrays_is_not(tmp_path: Path) -> None:
    for contents, stays in ({"a.dcm": b"DICOM"}, True), (named(planes()), False):
        before = CaseStore(tmp_path / f"{stays}", case=CASE, kind=TAR)
        kept = before.pack([before.write(f"{FOLDER}/{n}", data) for n, data in contents.items()])
        store = CaseStore(tmp_path / f"{stays}-b", case=CASE, kind=ZARR)
        store.pack([store.carry(before, file) for file in kept.values()])
        made = names_in(store.directory)
        assert made == ([TARRED] if stays else [SHARD, METADATA])
        if stays:
            assert (before.directory / TARRED).samefile(store.directory / TARRED)


@pytest.mark.parametrize("left_out", [0, 2])
def test_an_array_that_loses_a_slice_is_made_anew(
    tmp_path: Path, three: dict[str, File], left_out: int
) -> None:
    source, other = Store(tmp_path), CaseStore(tmp_path / "b", case=CASE, kind=ZARR)
    kept = [n for n in range(3) if n != left_out]
    other.pack([other.carry(source, file) for file in (list(three.values())[n] for n in kept)])
    array = zarr.open_array(tmp_path / "b" / ARRAY, mode="r")
    np.testing.assert_array_equal(array[:], np.stack([planes()[n] for n in kept]))
    assert array.attrs["ids"] == [f"a{n}" for n in kept]


def test_nothing_has_a_name_before_all_is_whole(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, case=CASE, kind=ZARR)
    store.write(f"{FOLDER}/a0.npy", npy(planes()[0]))
    assert [path.suffix for path in (tmp_path / ARRAY).iterdir()] == [".part"]
    store.drop()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_the_shard_gets_its_name_last_and_only_while_the_claim_holds(tmp_path: Path) -> None:
    seen = list[list[str]]()

    def check() -> None:
        seen.append([name for name in names_in(tmp_path) if not name.endswith(".part")])
        if len(seen) == 2:
            raise ClaimLostError

    store = CaseStore(tmp_path, case=CASE, kind=ZARR, check=check)
    file = store.write(f"{FOLDER}/a0.npy", npy(planes()[0]))
    with pytest.raises(ClaimLostError):
        store.pack([file])
    store.drop()
    assert seen == [[], [METADATA]]
    assert names_in(tmp_path) == [METADATA]


def test_a_cut_shard_still_gives_what_stands_before_the_cut(
    tmp_path: Path, three: dict[str, File]
) -> None:
    first, _, last = three.values()
    (tmp_path / SHARD).write_bytes((tmp_path / SHARD).read_bytes()[: last.offset + 10])
    store = Store(tmp_path)
    assert store.read(first) == npy(planes()[0])
    assert (store.has(first), store.has(last), store.is_whole(last)) == (True, False, False)
    with pytest.raises(FileError, match=r"it ends before a2\.npy does") as caught:
        store.read(last)
    assert (caught.value.code, caught.value.file) == ("container", SHARD)


def test_a_slice_whose_pixels_are_changed_is_named(tmp_path: Path, three: dict[str, File]) -> None:
    data = bytearray((tmp_path / SHARD).read_bytes())
    _, second, _ = three.values()
    data[second.offset + second.bytes - 1] ^= 1
    (tmp_path / SHARD).write_bytes(data)
    with pytest.raises(FileError) as caught:
        Store(tmp_path).read(second)
    assert (caught.value.code, caught.value.file) == ("hash", second.path)


def test_a_changed_index_or_header_is_found(tmp_path: Path, three: dict[str, File]) -> None:
    whole = (tmp_path / SHARD).read_bytes()
    for at, file in ((-1, "a2"), (-48, "a2"), (three[f"{FOLDER}/a1.npy"].offset, "a1")):
        data = bytearray(whole)
        data[at] ^= 1
        (tmp_path / SHARD).write_bytes(data)
        with pytest.raises(FileError, match=f"does not hold {file}.npy as it was packed") as caught:
            Store(tmp_path).check_containers(three.values())
        assert (caught.value.code, caught.value.file) == ("container", SHARD)


@pytest.mark.parametrize("damage", ["edit", "remove", "link", "vast"])
def test_metadata_that_are_changed_are_found(
    tmp_path: Path, three: dict[str, File], damage: str
) -> None:
    metadata = tmp_path / METADATA
    if damage == "edit":
        told = json.loads(metadata.read_bytes())
        metadata.write_text(json.dumps(told | {"data_type": "int16"}))
    elif damage == "vast":
        os.truncate(metadata, 2**40)  # 1 TB, of which the disk holds nothing
    else:
        metadata.rename(tmp_path / "elsewhere")
    if damage == "link":
        metadata.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match=r"zarr\.json next to it is not the one that was written"):
        Store(tmp_path).check_containers(three.values())
    assert [Store(tmp_path).has(file) for file in three.values()] == [damage != "remove"] * 3
    assert [Store(tmp_path).is_whole(file) for file in three.values()] == [damage != "remove"] * 3


def test_what_stands_behind_the_index_is_found(tmp_path: Path, three: dict[str, File]) -> None:
    with (tmp_path / SHARD).open("ab") as file:
        file.write(b"x")
    with pytest.raises(FileError, match="holds more than its files"):
        Store(tmp_path).check_containers(three.values())


def test_an_array_that_is_a_link_to_elsewhere_is_not_read(
    tmp_path: Path, three: dict[str, File]
) -> None:
    (tmp_path / ARRAY).rename(tmp_path.parent / f"{tmp_path.name}.zarr")
    (tmp_path / ARRAY).symlink_to(tmp_path.parent / f"{tmp_path.name}.zarr")
    with pytest.raises(FileError) as caught:
        Store(tmp_path).read(three[f"{FOLDER}/a0.npy"])
    assert caught.value.code == "file-link"
    assert list(Store(tmp_path).foreign()) == [ARRAY]


def test_a_taken_array_is_its_two_links_for_all_its_files(
    tmp_path: Path, three: dict[str, File]
) -> None:
    other = Store(tmp_path / "b")
    other.take_containers(Store(tmp_path), [SHARD])
    for file in three.values():
        assert other.read(file) == Store(tmp_path).read(file)
    for name in (SHARD, METADATA):
        assert (tmp_path / "b" / name).samefile(tmp_path / name)


def test_an_array_that_is_not_kept_goes_with_its_folder(
    tmp_path: Path, three: dict[str, File]
) -> None:
    (tmp_path / f"{SHARD}.{'0' * 32}.part").write_bytes(b"of a run that was killed")
    Store(tmp_path).prune({SHARD, METADATA})
    assert names_in(tmp_path) == [SHARD, METADATA]
    Store(tmp_path).prune(())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["c.0.0.1", "notes.txt", "c/0/0/0", f"{'0' * 32}.part"])
def test_what_no_stage_puts_into_an_array_is_foreign_and_stays(
    tmp_path: Path, three: dict[str, File], name: str
) -> None:
    other = tmp_path / ARRAY / name
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_bytes(b"somebody's")
    assert list(Store(tmp_path).foreign()) == [f"{ARRAY}/{name.partition('/')[0]}"]
    Store(tmp_path).prune(())
    assert names_in(tmp_path) == [f"{ARRAY}/{name}"]


def test_it_reads_a_slice_with_one_seek_and_one_read(
    tmp_path: Path, three: dict[str, File], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[str]()
    really = os.open

    def noted(path: str, *how: Any, **more: Any) -> int:
        opened.append(os.fspath(path))
        return really(path, *how, **more)

    monkeypatch.setattr(os, "open", noted)
    Store(tmp_path).read(three[f"{FOLDER}/a1.npy"])
    assert opened == [str(tmp_path / SHARD)]
