"""Reading into memory that may be written to: the bytes of `read`, and an array without a copy."""

from pathlib import Path

import numpy as np
import pytest

from chaosprep.dataset import fresh
from chaosprep.dataset.case import Case
from chaosprep.dataset.records import File, Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError
from chaosprep.files import sha256
from chaosprep.formats.npy import decode_npy, encode_npy
from chaosprep.systems import reading

VALUES = np.arange(-6, 6, dtype=np.int16).reshape(3, 4)
DATA = encode_npy(VALUES)
ALONE = "train/images/P1_x_s000.npy"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(params=["alone", "packed"])
def file(request: pytest.FixtureRequest, store: Store) -> File:
    """The array as a file of its own, or between others in a container."""
    if request.param == "alone":
        return store.write(ALONE, DATA)
    store.write("train/images/P1_x.tar", b"before" + DATA + b"behind")
    return File(ALONE, sha256(DATA), len(DATA), "train/images/P1_x.tar", len(b"before"))


def test_the_bytes_are_those_of_read_and_may_be_written_to(store: Store, file: File) -> None:
    data = store.read_fresh(file)
    assert isinstance(data, memoryview)
    assert not data.readonly
    assert bytes(data) == store.read(file) == DATA


def test_a_system_without_preadv_reads_the_same(
    store: Store, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_AT", None)
    assert store.read_fresh(file) == DATA


def test_what_comes_in_parts_is_put_together(
    store: Store, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reading.read_into
    monkeypatch.setattr(fresh, "read_into", lambda data, *rest: whole(data[:7], *rest))
    assert store.read_fresh(file) == DATA


def test_a_changed_file_is_refused_unless_it_is_not_to_be_compared(
    store: Store, file: File
) -> None:
    changed = File(file.path, sha256(b"another"), *file[2:])
    with pytest.raises(FileError, match="not the one that the manifest records") as caught:
        store.read_fresh(changed)
    assert (caught.value.code, caught.value.file) == ("hash", ALONE)
    assert store.read_fresh(changed, check=False) == DATA


@pytest.mark.parametrize("end", [DATA[:-1], DATA + b"\n"], ids=["shorter", "longer"])
def test_a_file_of_another_size_is_always_refused(store: Store, end: bytes) -> None:
    file = store.write(ALONE, DATA)
    (store.directory / ALONE).write_bytes(end)
    with pytest.raises(FileError, match="not the one that the manifest records"):
        store.read_fresh(file, check=False)


@pytest.mark.parametrize("offset", [7, 2**40])
def test_a_container_that_ends_before_is_refused(store: Store, offset: int) -> None:
    store.write("train/images/P1_x.tar", b"before" + DATA)
    file = File(ALONE, sha256(DATA), len(DATA), "train/images/P1_x.tar", offset)
    with pytest.raises(FileError, match="it ends before P1_x_s000") as caught:
        store.read_fresh(file, check=False)
    assert caught.value.code == "container"


def test_a_link_is_followed_only_where_links_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "origin").write_bytes(DATA)
    file = Store(tmp_path, links=True).bring(ALONE, tmp_path / "origin", DATA, "sym")
    assert Store(tmp_path, links=True).read_fresh(file) == DATA
    with pytest.raises(FileError, match="symbolic link"):
        Store(tmp_path).read_fresh(file)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_array_is_a_part_of_such_bytes_where_they_lie_as_it_does(order: str) -> None:
    stored = VALUES.astype(f"{order}i2")
    head = DATA[:128] if order == "<" else DATA[:128].replace(b"<i2", b">i2")
    data = memoryview(bytearray(head + stored.tobytes()))
    array = decode_npy(data)
    assert (array.tolist(), array.dtype) == (VALUES.tolist(), np.dtype("=i2"))
    assert array.flags.writeable
    array[0, 0] = 0
    is_part = bytes(data[128:]) != stored.tobytes()
    assert is_part == (stored.dtype.isnative)


def test_bytes_that_may_not_be_written_to_are_copied() -> None:
    array = decode_npy(DATA)
    array[:] = 0
    assert (decode_npy(DATA) == VALUES).all()


def test_each_reading_of_a_slice_gives_memory_of_its_own(store: Store, file: File) -> None:
    row = Slice(
        id="P1_x_s000",
        case="P1_x",
        patient="P1",
        sequence="x",
        split="train",
        slice=0,
        image=ALONE,
        image_sha256=file.sha256,
        image_bytes=file.bytes,
        image_container=file.container or "",
        image_offset=file.offset if file.container else None,
        rows=3,
        cols=4,
        dtype="int16",
        bits_stored=16,
        labels={},
        pixels={},
        source="",
    )
    case = Case(store, row.case, row.patient, (row,))
    first = case.image(row)
    first[:] = 0
    assert (case.image(row) == VALUES).all()


def test_dicom_under_the_name_of_an_array_is_still_read(tmp_path: Path) -> None:
    """What the bytes say goes before the name, as with plain bytes."""
    from chaosprep.formats.images import image_format, open_image
    from chaosprep.phantom import Patient, write_chaos

    people = [Patient(id=1, slices=4, matrix=32, sequences=("t1-in",))]
    dicom = next(write_chaos(tmp_path / "chaos", people).rglob("*.dcm")).read_bytes()
    known = image_format("a.npy", dicom)
    assert known is not None
    assert known.name == "DICOM"
    found = open_image("a.npy", memoryview(bytearray(dicom))).read()[1]
    assert (found == open_image("a.dcm", dicom).read()[1]).all()
