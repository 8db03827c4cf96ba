"""What the index keeps between runs: never another result than reading anew, whatever happens."""

import errno
import os
import random
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import open_regular
from chaosprep.layouts.headers import cache, index
from chaosprep.layouts.headers.batches import Pool, pack
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.headers.reading import read_entry
from chaosprep.running.mapping import on_workers
from chaosprep.workbench import ALONE, Workbench
from tests.formats.samples import encoded
from tests.formats.test_frames import enhanced
from tests.formats.test_segmentations import seg
from tests.layouts.trees import slice_at, write

OLD = 1_600_000_000
"""A time in seconds, long before the tests run."""


def put(root: Path, path: str, data: bytes, mtime: float = OLD) -> None:
    """Write a file that is not new."""
    write(root, {path: data})
    os.utime(root / path, (mtime, mtime))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root of slices, an enhanced file, a SEG, a text and a damaged file."""
    root = tmp_path / "root"
    for place in range(6):
        put(root, f"p1/{place}", slice_at(place, AcquisitionTime=f"10111{place}"))
    put(root, "enhanced", encoded(enhanced()))
    put(root, "seg", seg())
    put(root, "notes.txt", b"hello")
    put(root, "damaged", slice_at(0)[:300])
    return root


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path, "out")


def kept(bench: Workbench) -> Path:
    assert bench.folder is not None
    return bench.folder / "out.index"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, as they are read."""
    paths: list[str] = []

    def noted(root: Path, path: str) -> Entry:
        paths.append(path)
        return read_entry(root, path)

    monkeypatch.setattr("chaosprep.layouts.headers.index.read_entry", noted)
    return paths


def anew(root: Path) -> tuple[Entry, ...]:
    return read_index(root, ALONE)


def all_paths(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_nothing_is_read_twice(root: Path, bench: Workbench, read: list[str]) -> None:
    first = read_index(root, bench)
    assert sorted(read) == all_paths(root)
    read.clear()
    assert read_index(root, bench) == first
    assert read == []


def test_what_was_kept_is_what_is_read(root: Path, bench: Workbench) -> None:
    read_index(root, bench)
    assert read_index(root, bench) == anew(root)


def test_nothing_is_written_where_nothing_is_to_be_kept(root: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    anew(root)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_ever_written_into_the_root(root: Path) -> None:
    before = sorted(root.rglob("*"))
    read_index(root, Workbench(root, "out"))
    assert sorted(root.rglob("*")) == before


def test_where_nothing_is_to_be_written_what_is_kept_is_read(
    root: Path, bench: Workbench, read: list[str], tmp_path: Path
) -> None:
    first = read_index(root, bench)
    before = kept(bench).read_bytes()
    put(root, "more", slice_at(7))
    read.clear()
    said: list[str] = []
    found = read_index(root, bench.only_reading(), said.append)
    assert (read, said) == (["more"], [])
    assert len(found) == len(first) + 1
    assert kept(bench).read_bytes() == before
    other = tmp_path / "other"
    root.rename(other)
    assert read_index(other, bench.only_reading(), said.append) == anew(other)
    assert said == []
    assert kept(bench).read_bytes() == before


def test_nobody_else_can_read_it(root: Path, bench: Workbench) -> None:
    before = os.umask(0)
    try:
        read_index(root, bench)
    finally:
        os.umask(before)
    assert stat.S_IMODE(kept(bench).stat().st_mode) == 0o600


def test_that_it_holds_names_is_said_once_with_what_to_do(
    root: Path, bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    read_index(root, bench)
    (said,) = caplog.messages
    assert said.startswith(f"{kept(bench)} keeps")
    assert "names of patients" in said
    assert "remove it" in said
    read_index(root, bench)
    assert len(caplog.messages) == 1


def test_one_that_others_could_read_is_closed_to_them(root: Path, bench: Workbench) -> None:
    read_index(root, bench)
    kept(bench).chmod(0o644)
    read_index(root, bench)
    assert stat.S_IMODE(kept(bench).stat().st_mode) == 0o600


def other_bytes(file: Path) -> None:
    """The same size, at another time."""
    file.write_bytes(file.read_bytes().replace(b"Doe^", b"Roe^"))
    os.utime(file, (OLD + 1, OLD + 1))


def other_bytes_in_secret(file: Path) -> None:
    """The same size, and the time set back."""
    file.write_bytes(file.read_bytes().replace(b"Doe^", b"Roe^"))
    os.utime(file, (OLD, OLD))


def another_size(file: Path) -> None:
    file.write_bytes(file.read_bytes() + bytes(2))
    os.utime(file, (OLD, OLD))


@pytest.mark.parametrize("change", [other_bytes, other_bytes_in_secret, another_size])
def test_a_file_that_changed_is_read_again_and_no_other(
    root: Path, bench: Workbench, read: list[str], change: Callable[[Path], None]
) -> None:
    read_index(root, bench)
    read.clear()
    change(root / "p1/3")
    found = read_index(root, bench)
    assert read == ["p1/3"]
    assert found == anew(root)


def test_a_file_that_was_only_just_written_is_read_again(
    root: Path, bench: Workbench, read: list[str]
) -> None:
    write(root, {"young": slice_at(0)})
    read_index(root, bench)
    read.clear()
    read_index(root, bench)
    assert read == ["young"]


def test_a_file_that_is_gone_is_gone(root: Path, bench: Workbench) -> None:
    read_index(root, bench)
    (root / "p1/3").unlink()
    assert read_index(root, bench) == anew(root)


def test_a_file_that_could_not_be_read_is_tried_again(
    root: Path, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path) -> Any:  # noqa: ANN401
        if path.name == "3":
            raise FileError("it cannot be read", code="file-unreadable")
        return open_regular(path)

    monkeypatch.setattr("chaosprep.layouts.headers.reading.open_regular", failing)
    assert "file-unreadable" in {one.what for one in read_index(root, bench)}
    monkeypatch.undo()
    assert "file-unreadable" not in {one.what for one in read_index(root, bench)}


def test_it_does_not_grow_with_every_change(root: Path, bench: Workbench) -> None:
    read_index(root, bench)
    size = kept(bench).stat().st_size
    for turn in range(1, 12):
        for path in all_paths(root):
            os.utime(root / path, (OLD + turn, OLD + turn))
        read_index(root, bench)
    assert kept(bench).stat().st_size < 4 * size
    assert read_index(root, bench) == anew(root)


def test_of_another_root_nothing_is_taken(
    root: Path, bench: Workbench, tmp_path: Path, read: list[str]
) -> None:
    read_index(root, bench)
    other = tmp_path / "other"
    root.rename(other)  # all files keep their times
    read.clear()
    said: list[str] = []
    assert read_index(other, bench, said.append) == anew(other)
    assert sorted(read)[::2] == all_paths(other)  # by the index, and anew
    assert said == [
        "out.index is of another folder or another release, and is discarded: all headers are "
        "read again"
    ]


def test_of_another_release_nothing_is_taken(
    root: Path, bench: Workbench, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "__version__", "0.0.9")
    read_index(root, bench)
    monkeypatch.undo()
    said: list[str] = []
    assert read_index(root, bench, said.append) == anew(root)
    assert len(said) == 1
    assert "another release" in said[0]


def test_a_file_of_somebody_else_with_its_name_stays(root: Path, bench: Workbench) -> None:
    kept(bench).write_bytes(b"the index of my book")
    said: list[str] = []
    assert read_index(root, bench, said.append) == anew(root)
    assert kept(bench).read_bytes() == b"the index of my book"
    assert said == [
        "the headers that are read are not kept in out.index: another file has its name; move that "
        "away"
    ]


@pytest.mark.parametrize("kind", ["link", "hard link", "folder"])
def test_only_a_file_of_its_own_is_written_to(
    root: Path, bench: Workbench, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"")
    if kind == "link":
        kept(bench).symlink_to(target)
    elif kind == "hard link":
        kept(bench).hardlink_to(target)
    else:
        kept(bench).mkdir()
    said: list[str] = []
    assert read_index(root, bench, said.append) == anew(root)
    assert target.read_bytes() == b""
    assert len(said) == 1
    assert said[0].startswith("the headers that are read are not kept in out.index: it is ")


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Some bytes flipped, cut out, doubled or cut off."""
    at = draw.randrange(len(data))
    match draw.randrange(4):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[at + draw.randrange(1, 99) :]
        case 2:
            return data[:at] + data[at : at + draw.randrange(1, 99)] + data[at:]
    return data[:at]


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_one_changes_nothing(root: Path, bench: Workbench, seed: int) -> None:
    expected = read_index(root, bench)
    data, draw = kept(bench).read_bytes(), random.Random(seed)
    for _ in range(25):
        kept(bench).write_bytes(damaged(data, draw))
        assert read_index(root, bench) == expected
        if not kept(bench).read_bytes().startswith(b"chaosprep index"):
            kept(bench).unlink()  # it was taken for somebody else's
        assert read_index(root, bench) == expected
        assert kept(bench).read_bytes()[:30] == data[:30]


def test_one_with_a_wrong_checksum_is_thrown_away_and_said(root: Path, bench: Workbench) -> None:
    read_index(root, bench)
    data = kept(bench).read_bytes()
    kept(bench).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    said: list[str] = []
    read_index(root, bench, said.append)
    assert said == ["out.index is damaged, and is discarded: all headers are read again"]
    assert kept(bench).read_bytes() == data


def test_what_was_cut_off_goes_on_with_the_whole_batches(
    root: Path, bench: Workbench, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_BATCH", 2)
    expected = read_index(root, bench)
    kept(bench).write_bytes(kept(bench).read_bytes()[:-1])
    read.clear()
    said: list[str] = []
    assert read_index(root, bench, said.append) == expected
    assert read == all_paths(root)[-2:]
    assert said == []


def test_nothing_is_left_of_what_was_cut_off(root: Path, bench: Workbench, read: list[str]) -> None:
    read_index(root, bench)
    kept(bench).write_bytes(kept(bench).read_bytes()[:-1])
    for path in all_paths(root)[:-1]:
        (root / path).unlink()
    said: list[str] = []
    read_index(root, bench, said.append)
    read.clear()
    assert read_index(root, bench, said.append) == anew(root)
    assert read == all_paths(root)  # anew alone
    assert said == []


def test_a_forged_one_gives_no_entry_of_another_file(root: Path, bench: Workbench) -> None:
    """Whoever can write it can write checksums too: still no path but one that is listed."""
    forged = Entry("../secret", 0, 0, "image", changed=0)
    with cache.Cache(root, bench) as made:
        list(made.load(Pool()))
        made.append(pack([forged, Entry("p1/3", 1, 2, "foreign", changed=3)]))
    assert read_index(root, bench) == anew(root)


def test_a_full_disk_costs_what_is_kept_and_nothing_else(
    root: Path, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    expected = anew(root)
    monkeypatch.setattr(os, "write", full)
    said: list[str] = []
    found = read_index(root, bench, said.append)
    monkeypatch.undo()
    assert found == expected
    assert said == ["the headers that are read are not kept in out.index: No space left on device"]


def test_while_another_run_writes_nothing_is_written(
    root: Path, bench: Workbench, read: list[str]
) -> None:
    expected = read_index(root, bench)
    before = kept(bench).read_bytes()
    put(root, "more", slice_at(7))
    with cache.Cache(root, bench):
        said: list[str] = []
        read.clear()
        found = read_index(root, bench, said.append)
    assert len(found) == len(expected) + 1
    assert (read, said) == (["more"], [])
    assert kept(bench).read_bytes() == before


def test_processes_read_the_same(root: Path, bench: Workbench, tmp_path: Path) -> None:
    for place in range(12):
        put(root, f"p2/{place}", slice_at(place, 2))
    expected = anew(root)
    some = pytest.MonkeyPatch()
    some.setattr(index, "_BATCH", 3)
    some.setattr(index, "_FEW", 0)
    try:
        assert read_index(root, Workbench(tmp_path, "out", 2, work=on_workers)) == expected
    finally:
        some.undo()
    assert read_index(root, bench) == expected


def test_a_file_that_no_process_survives_is_an_entry_and_the_others_are_read(root: Path) -> None:
    def dying(
        function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int
    ) -> Iterator[tuple[Any, Any]]:
        for task in tasks:
            if "p1/3" in task:
                yield task, ChaosprepError("its worker process died, twice", code="worker-died")
            else:
                yield task, function(task)

    found = {one.path: one for one in read_index(root, Workbench(work=dying))}
    expected = {one.path: one for one in anew(root)}
    assert (found["p1/3"].kind, found["p1/3"].what) == ("unreadable", "worker-died")
    del found["p1/3"], expected["p1/3"]
    assert found == expected


def test_what_the_system_refuses_is_no_fault_of_a_file(root: Path) -> None:
    def refusing(
        function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int
    ) -> Iterator[tuple[Any, Any]]:
        return iter([(task, ChaosprepError("no more memory", code="system")) for task in tasks])

    with pytest.raises(ChaosprepError) as caught:
        read_index(root, Workbench(work=refusing))
    assert caught.value.code == "system"


def test_the_slices_of_a_series_share_their_evidence(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_BATCH", 2)
    heads = [head for one in anew(root) if one.path.startswith("p1/") for head in one.heads]
    assert [head.evidence["AcquisitionTime"] for head in heads] == [
        "101110",
        "101111",
        "101112",
        "101113",
        "101114",
        "101115",
    ]
    assert len({id(head.evidence._shared) for head in heads}) == 1  # type: ignore[attr-defined]
    assert len({id(head.orientation) for head in heads}) == 1


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_it_is_what_is_read_anew(root: Path, bench: Workbench, seed: int) -> None:
    draw, clock = random.Random(seed), OLD
    for _ in range(12):
        for _ in range(draw.randrange(4)):
            clock += 1
            path = draw.choice([*all_paths(root), f"new/{clock}"])
            match draw.randrange(5):
                case 0:
                    (root / path).unlink(missing_ok=True)
                case 1:
                    put(root, path, slice_at(draw.randrange(9), 2), clock)
                case 2:
                    put(root, path, encoded(enhanced()), clock)
                case 3:
                    put(root, path, slice_at(draw.randrange(9), draw.randrange(2, 9)), OLD)
                case 4 if (root / path).exists():
                    (root / path).rename(root / f"moved{clock}")
        assert read_index(root, bench) == anew(root)
