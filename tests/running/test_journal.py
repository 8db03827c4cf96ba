"""The journal survives a kill at any byte, and believes nothing that it cannot read."""

import hashlib
import os
from pathlib import Path

import pytest

from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.running.journal import Entry, Journal
from tests.running.toys import IMAGE, handmade, handmade_row, within


def entry(case: str, key: str = "key", slices: tuple[Slice, ...] = ()) -> Entry:
    return Entry(case=case, key=key, inputs="inputs", slices=slices)


def written(path: Path, *entries: Entry) -> bytes:
    with Journal(path) as journal:
        for each in entries:
            journal.append(each.told())
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_without_a_file_nothing_is_known(path: Path) -> None:
    assert Journal(path).get("a") is None


def test_an_entry_is_found_again(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(entry("a").told())
        assert journal.get("a") == entry("a")
    assert Journal(path).get("a") == entry("a")
    assert Journal(path).get("b") is None


def test_an_entry_is_in_the_file_as_soon_as_it_is_appended(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(entry("a").told())
        assert Journal(path).get("a") == entry("a")


def test_the_latest_entry_of_a_case_counts(path: Path) -> None:
    written(path, entry("a", "old"), entry("b"), entry("a", "new"))
    found = Journal(path).get("a")
    assert found is not None
    assert found.key == "new"


def test_a_kill_at_any_byte_keeps_the_whole_lines(path: Path) -> None:
    whole = written(path, entry("a"), entry("b"), entry("c"))
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        journal = Journal(path)
        known = [case for case in "abc" if journal.get(case) is not None]
        assert known == list("abc")[: whole[:length].count(b"\n")]


def test_after_a_torn_line_the_journal_goes_on(path: Path) -> None:
    whole = written(path, entry("a"), entry("b"))
    path.write_bytes(whole[:-5])
    assert written(path, entry("c")) == written(path.with_name("other"), entry("a"), entry("c"))
    assert [Journal(path).get(case) is None for case in "abc"] == [False, True, False]


@pytest.mark.parametrize(
    "garbage",
    [b"garbage\n", b"\n", b"\xff\xfe\n", b"{}\n", b"\0" * 50 + b"\n", b"[" * 100_000 + b"\n"],
)
def test_garbage_ends_what_is_believed(path: Path, garbage: bytes) -> None:
    first, second = written(path, entry("a"), entry("b")).splitlines(keepends=True)
    path.write_bytes(first + garbage + second)
    assert [Journal(path).get(case) is None for case in "ab"] == [False, True]
    written(path, entry("c"))
    assert [Journal(path).get(case) is None for case in "abc"] == [False, True, False]


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A directory with an image and a mask, both holding `IMAGE`."""
    directory = handmade(tmp_path / "d", ROW)
    (directory / "train/masks").mkdir()
    (directory / "train/masks/a.png").write_bytes(IMAGE)
    return directory


MASK = {
    "mask": "train/masks/a.png",
    "mask_sha256": hashlib.sha256(IMAGE).hexdigest(),
    "mask_bytes": len(IMAGE),
}
ROW = handmade_row(**MASK)


def row() -> Slice:
    import json

    return decode_row(json.dumps(ROW).encode())


def test_an_entry_is_whole_while_its_files_are(stage: Path) -> None:
    assert entry("a", slices=(row(),)).is_whole(Store(stage))


def test_an_entry_without_slices_is_whole(tmp_path: Path) -> None:
    assert entry("a").is_whole(Store(tmp_path))


@pytest.mark.parametrize("file", [str(ROW["image"]), str(ROW["mask"])])
@pytest.mark.parametrize("harm", ["missing", "shorter", "flipped", "fifo"])
def test_an_entry_with_a_damaged_file_is_not_whole(stage: Path, file: str, harm: str) -> None:
    path = stage / file
    path.unlink()
    if harm == "shorter":
        path.write_bytes(IMAGE[:-1])
    if harm == "flipped":
        path.write_bytes(bytes([IMAGE[0] ^ 1]) + IMAGE[1:])
    if harm == "fifo":
        os.mkfifo(path)
    assert not within(5, lambda: entry("a", slices=(row(),)).is_whole(Store(stage)))
