"""Keyed hashes: stable with the key, meaningless without it."""

import hashlib
import hmac
import logging
import os
from pathlib import Path

import pytest

from chaosprep.errors import UsageError
from chaosprep.privacy.pseudonyms import Key, read_key, warn_if_readable

SECRET = bytes(range(16))


def test_a_patient_is_ten_hexadecimal_digits_of_the_hmac() -> None:
    expected = hmac.new(SECRET, b"chaosprep.patient\0MR001", hashlib.sha256).hexdigest()[:10]
    assert Key(SECRET).patient("MR001") == f"P{expected}"


def test_a_path_keeps_an_ending_that_tells_nothing() -> None:
    key = Key(SECRET)
    expected = hmac.new(SECRET, b"chaosprep.path\0a/Doe.dcm", hashlib.sha256).hexdigest()[:20]
    assert key.path("a/Doe.dcm") == f"{expected}.dcm"
    assert key.path("a/x.nii.gz").endswith(".nii.gz")
    assert "." not in key.path("a/1.2.840.10008")
    assert "doe" not in key.path("a/x.Doe").casefold()


def test_another_key_gives_other_ids_and_another_fingerprint() -> None:
    one, two = Key(SECRET), Key(SECRET[::-1])
    assert one.patient("7") != two.patient("7")
    assert one.path("7") != two.path("7")
    assert one.fingerprint() != two.fingerprint()
    assert one.fingerprint() == Key(SECRET).fingerprint()


def test_no_use_tells_of_another() -> None:
    key = Key(SECRET)
    hashes = {key.patient("")[1:9], key.path("")[:8], key.fingerprint()}
    assert len(hashes) == 3


def test_the_secret_is_not_in_what_a_traceback_shows() -> None:
    assert repr(Key(b"0123456789abcdef")) == "<Key>"


def test_a_key_file_is_taken_byte_by_byte(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"0123456789abcdef\n")
    assert read_key(file).patient("7") == Key(b"0123456789abcdef\n").patient("7")
    assert read_key(file).patient("7") != Key(b"0123456789abcdef").patient("7")


def test_a_short_a_missing_and_a_strange_key_file_are_usage_errors(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"0123456789abcde")
    os.mkfifo(tmp_path / "pipe")
    for name, says in (("short", "15 bytes"), ("none", "missing"), ("pipe", "regular")):
        with pytest.raises(UsageError, match=says) as caught:
            read_key(tmp_path / name)
        assert caught.value.code == "key"
        assert "urandom" in caught.value.remedy


@pytest.mark.parametrize(("mode", "warns"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_a_key_that_others_can_read_is_warned_about(
    tmp_path: Path, mode: int, warns: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        warn_if_readable(file)
    assert len(caplog.records) == warns
    assert str(tmp_path) not in caplog.text
