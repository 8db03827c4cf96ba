"""The key that is made beside an output where nobody gives one."""

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chaosprep.errors import OutputError, UsageError
from chaosprep.privacy.key_file import NAME, kept_key, read_kept
from chaosprep.privacy.pseudonyms import read_key
from chaosprep.workbench import ALONE, Workbench


def test_a_key_is_made_once_for_its_owner_alone_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Workbench.beside(tmp_path / "new" / "out")
    path = kept_key(bench)
    assert path == tmp_path / "new" / NAME
    secret = path.read_bytes()
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (said,) = caplog.messages
    assert str(path) in said
    assert "do not give it to anyone" in said
    assert "same key gives the same ids" in said
    assert kept_key(bench) == path
    assert path.read_bytes() == secret
    assert len(caplog.messages) == 1
    assert [one.name for one in path.parent.iterdir()] == [NAME]


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    one, other = (kept_key(Workbench.beside(tmp_path / name / "out")) for name in "ab")
    assert one is not None
    assert other is not None
    assert one.read_bytes() != other.read_bytes()


def test_of_many_that_begin_at_once_one_makes_it(tmp_path: Path) -> None:
    bench = Workbench.beside(tmp_path / "out")

    def key(_: int) -> str:
        path = kept_key(bench)
        assert path is not None
        return read_kept(path).fingerprint()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(key, range(64)))) == 1
    assert [one.name for one in tmp_path.iterdir()] == [NAME]


def test_one_that_another_run_made_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    there = tmp_path / NAME
    there.write_bytes(b"k" * 32)
    monkeypatch.setattr(os.path, "lexists", lambda path: False)
    assert kept_key(Workbench.beside(tmp_path / "out")) == there
    assert there.read_bytes() == b"k" * 32
    assert caplog.messages == []


def test_without_hard_links_it_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = kept_key(Workbench.beside(tmp_path / "out"))
    assert path is not None
    assert len(path.read_bytes()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [NAME]


def test_where_nothing_is_written_only_one_that_is_there_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Workbench.beside(tmp_path / "out").only_reading()
    assert kept_key(ALONE) is None
    assert kept_key(bench) is None
    assert "not final" in caplog.text
    assert list(tmp_path.iterdir()) == []
    (tmp_path / NAME).write_bytes(b"k" * 32)
    assert kept_key(bench) == tmp_path / NAME


def test_a_folder_that_takes_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="key for the ids") as caught:
        kept_key(Workbench.beside(tmp_path / "file" / "out"))
    assert caught.value.code == "key"
    assert "--pseudonymize KEYFILE" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_key_that_is_too_short_is_refused_by_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_kept(path)
    assert caught.value.reason.startswith(f"{path}: it holds {len(content)} bytes")


def test_what_is_no_key_can_be_moved_away_as_is_said(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.mkdir()
    with pytest.raises(UsageError) as caught:
        read_kept(path)
    assert "move away what is there: then a new key is made" in caught.value.remedy
    path.rename(tmp_path / "away")
    assert kept_key(Workbench.beside(tmp_path / "out")) == path
    assert len(path.read_bytes()) == 32


def test_a_file_too_large_for_a_key_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with path.open("wb") as file:
        file.truncate(2**32)
    with pytest.raises(UsageError, match="it is above 1048576 bytes"):
        read_kept(path)


def test_a_key_that_others_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"k" * 32)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_kept(path).fingerprint() == read_key(path).fingerprint()
    assert "chmod 600" in caplog.text
