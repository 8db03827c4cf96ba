"""A file of settings, whatever it was made to be, is read or refused in one line."""

import os
from pathlib import Path

import pytest

from chaosprep.errors import UsageError
from chaosprep.toml import read_toml
from tests.running.toys import within

BOMBS = {
    "arrays in arrays": "a = " + "[" * 100_000,
    "closed arrays in arrays": "a = " + "[" * 500 + "]" * 500,
    "25 arrays in arrays": "a = " + "[" * 25 + "]" * 25,
    "tables in tables": "a = " + "{a=" * 20_000,
    "a dotted key": ".".join("a" * 50_000) + " = 1",
    "a dotted header": "[" + ".".join("a" * 50_000) + "]",
    "a quoted dotted key": ".".join(['" "'] * 50_000) + " = 1",
    "many dotted keys": "\n".join(".".join("a" * 300) + f".b{n} = 1" for n in range(300)),
    "5,000 digits": "a = " + "9" * 5000,
    "40 digits": "a = " + "9" * 40,
    "2^63": f"a = {2**63}",
    "a date that there is none of": "a = 9999-99-99",
    "a NUL": 'a = "\0"',
    "1 MB": "#" * 10**6,
    "no end": 'a = "',
    "two of one": "a = 1\na = 2",
}


def refused(path: Path) -> str:
    def read() -> str:
        with pytest.raises(UsageError) as caught:
            read_toml(path, "config", "--spec: ")
        assert caught.value.code == "config"
        assert caught.value.reason.startswith(f"--spec: {path}: ")
        return caught.value.reason

    return within(20, read)


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_is_made_to_break_a_reader_is_refused(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / "bomb.toml"
    path.write_text(BOMBS[bomb])
    refused(path)


@pytest.mark.parametrize(
    "name", ["nothing", "folder", "fifo", "x" * 300, "x/" * 3000 + "y", "a\0b"]
)
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    refused(tmp_path / name)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_a_device_is_refused(device: str) -> None:
    assert refused(Path(device)).endswith("it is not a regular file")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = '\xff'")
    assert refused(tmp_path / "a.toml").endswith("it is not UTF-8 text")


def test_what_a_person_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sound.toml"
    path.write_text(f'a = {2**63 - 1}\n[b.c.d]\ne = [[1, 2.5], [3, 4.5]]\nf = "{"x." * 300}"\n')
    deep = {"c": {"d": {"e": [[1, 2.5], [3, 4.5]], "f": "x." * 300}}}
    assert read_toml(path, "config") == {"a": 2**63 - 1, "b": deep}


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("a = 1")
    (tmp_path / "link.toml").symlink_to("real.toml")
    assert read_toml(tmp_path / "link.toml", "config") == {"a": 1}
