"""A long table is several files: opened as one, and each file is checked as one file is."""

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.table import Table
from chaosprep.errors import ManifestError
from tests.running.toys import handmade, handmade_row, within

CASES = ("MR001_t1-in", "MR002_t1-in", "MR003_ct", "MR004_ct")
ROWS = [handmade_row(f"{case}_s{index:03d}") for case in CASES for index in (0, 1)]
NAMES = ["slices-00001.jsonl", "slices-00002.jsonl", "slices-00003.jsonl"]
Row = dict[str, Any]


def in_files(directory: Path, *files: list[Row], **changes: Any) -> Path:
    """A stage directory whose table is in these files, written with other code than ours."""
    handmade(directory, *(row for rows in files for row in rows), **changes)
    (directory / "slices.jsonl").unlink()
    texts = ["".join(json.dumps(row) + "\n" for row in rows).encode() for rows in files]
    names = [f"slices-{number:05d}.jsonl" for number in range(1, len(files) + 1)]
    for name, text in zip(names, texts, strict=True):
        (directory / name).write_bytes(text)
    told = [
        {"path": name, "bytes": len(text), "hash": hashed(text)}
        for name, text in zip(names, texts, strict=True)
    ]
    change(directory, path=names, hash=hashed(b"".join(texts)), files=told)
    return directory


def hashed(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def change(directory: Path, **fields: Any) -> None:
    """Change what the descriptor says of the table."""
    path = directory / "datapackage.json"
    written = json.loads(path.read_bytes())
    written["resources"][0] |= fields
    path.write_text(json.dumps(written))


def told_of(directory: Path) -> Row:
    found: Row = json.loads((directory / "datapackage.json").read_bytes())["resources"][0]
    return found


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Two cases, then one, then one."""
    return in_files(tmp_path / "d", ROWS[:4], ROWS[4:6], ROWS[6:])


def refusal(directory: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        within(5, lambda: open_dataset(directory))
    return caught.value


def test_the_rows_of_several_files_are_one_table(three: Path) -> None:
    dataset = open_dataset(three)
    assert dataset.case_ids == CASES
    assert [row.id for row in dataset.slices] == [row["id"] for row in ROWS]
    assert [row.id for row in dataset.case("MR003_ct").slices] == [row["id"] for row in ROWS[4:6]]


def test_a_line_is_read_again_by_its_place(three: Path) -> None:
    sent = pickle.dumps(open_dataset(three))
    table = pickle.loads(sent).table  # noqa: S301 - our own
    found = [json.loads(line)["id"] for _, line in table.lines()]
    assert found == [row["id"] for row in ROWS]
    assert [json.loads(table.line(place))["id"] for place, _ in table.lines()] == found


def test_a_case_of_a_file_that_is_gone_since_is_refused_by_its_name(three: Path) -> None:
    dataset = open_dataset(three)
    (three / NAMES[2]).unlink()
    assert dataset.cases[0].id == CASES[0]
    with pytest.raises(ManifestError, match=NAMES[2]):
        dataset.case("MR004_ct")


def cut(directory: Path) -> None:
    path = directory / NAMES[1]
    path.write_bytes(path.read_bytes()[:-10])


def shortened(directory: Path) -> None:
    path = directory / NAMES[1]
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def edited(directory: Path) -> None:
    path = directory / NAMES[1]
    path.write_bytes(path.read_bytes().replace(b'"train"', b'"val"', 1))


def emptied(directory: Path) -> None:
    (directory / NAMES[1]).write_bytes(b"")


def missing(directory: Path) -> None:
    (directory / NAMES[1]).unlink()


def fifo(directory: Path) -> None:
    missing(directory)
    os.mkfifo(directory / NAMES[1])


def linked(directory: Path) -> None:
    (directory / NAMES[1]).rename(directory / "elsewhere")
    (directory / NAMES[1]).symlink_to("elsewhere")


def swapped(directory: Path) -> None:
    """The first thing that does not fit is the end of what stands in the second's place."""
    second, third = ((directory / name).read_bytes() for name in NAMES[1:])
    (directory / NAMES[1]).write_bytes(third)
    (directory / NAMES[2]).write_bytes(second)


@pytest.mark.parametrize(
    ("harm", "code", "place"),
    [
        (cut, "manifest-row", " line 2: "),
        (shortened, "manifest-hash", ": the table is not the one that datapackage.json records"),
        (edited, "manifest-hash", ": the table is not the one that datapackage.json records"),
        (emptied, "manifest-hash", ": the table is not the one that datapackage.json records"),
        (missing, "file-missing", ": the file is missing"),
        (fifo, "file-kind", ": it is not a regular file"),
        (linked, "file-link", ": it is a symbolic link"),
        (swapped, "manifest-hash", ": the table is not the one that datapackage.json records"),
    ],
)
def test_a_file_that_is_not_as_recorded_is_named(
    three: Path, harm: Callable[[Path], None], code: str, place: str
) -> None:
    harm(three)
    error = refusal(three)
    assert error.code == code
    assert error.reason.startswith(f"{three / NAMES[1]}{place}")


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (
            (ROWS[:3], ROWS[3:]),
            "slices-00002.jsonl line 1: case: 'MR002_t1-in' continues in another",
        ),
        ((ROWS[4:], ROWS[:4]), "slices-00002.jsonl line 1: id: 'MR001_t1-in_s000' is out of order"),
        ((ROWS[:4], ROWS[3:]), "slices-00002.jsonl line 1: id: 'MR002_t1-in_s001' occurs twice"),
        (
            (ROWS[:4], [*ROWS[4:7], ROWS[7] | {"image": "../x"}]),
            "slices-00002.jsonl line 4: image: '../x'",
        ),
    ],
)
def test_a_wrong_row_is_named_by_its_file_and_line(
    tmp_path: Path, files: tuple[list[Row], ...], place: str
) -> None:
    directory = in_files(tmp_path / "d", *files)
    assert refusal(directory).reason.startswith(f"{directory}/{place}")


@pytest.mark.parametrize(
    "path",
    [
        [*NAMES[:2], "../slices-00003.jsonl"],
        [NAMES[1], NAMES[0], NAMES[2]],
        NAMES[:2],
        "slices.jsonl",
        [],
        [3],
    ],
)
def test_files_that_a_table_cannot_have_are_not_opened(three: Path, path: object) -> None:
    change(three, path=path)
    assert refusal(three).code == "manifest"


def test_files_must_be_those_that_the_path_names(three: Path) -> None:
    told = told_of(three)["files"]
    change(three, files=[*told[:2], told[2] | {"path": "/etc/passwd"}])
    error = refusal(three)
    assert (error.code, "names no slices.jsonl" in error.reason) == ("manifest", True)


def test_the_hash_of_all_files_together_must_be_right_too(three: Path) -> None:
    change(three, hash=hashed(b""))
    error = refusal(three)
    assert (error.code, "datapackage.json" in error.reason) == ("manifest-hash", True)


def test_a_column_of_a_later_release_is_told_from_a_file_that_was_changed(tmp_path: Path) -> None:
    later = {"manifest_minor": MANIFEST_MINOR + 1, "versions": {"chaosprep": "9.9.0"}}
    rows = [row | {"colour": "red"} for row in ROWS]
    directory = in_files(tmp_path / "d", ROWS[:4], rows[4:6], rows[6:], **later, stage="split")
    error = refusal(directory)
    assert (error.code, "the column colour" in error.reason) == ("manifest-newer", True)
    edited(directory)
    assert refusal(directory).code == "manifest-row"


@pytest.mark.parametrize("length", [1, 4094, 4095, 4096, 32768, 100_000])
def test_a_line_of_any_length_is_read_whole(tmp_path: Path, length: int) -> None:
    lines = b"a" * length + b"\n", b"b\n", b"c" * length
    (tmp_path / "slices.jsonl").write_bytes(b"".join(lines))
    table = Table(tmp_path, ("slices.jsonl",), (sum(map(len, lines)),))
    assert [table.line(at) for at in (0, length + 1, length + 3)] == [*lines]
