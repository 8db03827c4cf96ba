"""Inputs behind URLs: fetched once, tried again where the store fails, names not believed."""

import errno
import re
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import ChaosprepError
from chaosprep.remote.names import check_object_names
from chaosprep.remote.record import Record
from chaosprep.urls.location import without_secrets
from chaosprep.urls.objects import Object
from tests.remote.conftest import Bucket, files_in


def test_only_what_changed_is_fetched_again(
    small: Path, bucket: Bucket, transfers: list[str]
) -> None:
    url = bucket.put(small / "images", "images")
    chaosprep.open(url)
    assert len(transfers) == len(files_in(small / "images"))
    transfers.clear()
    assert chaosprep.verify(url).faults == ()
    assert transfers == []
    name = next(name for name in bucket.objects("images") if name.endswith(".png"))
    bucket.write(f"images/{name}", b"other bytes")
    assert [fault.code for fault in chaosprep.verify(url).faults] != []
    assert transfers == [f"fetch {name}"]


def test_what_is_gone_goes_from_the_copy(small: Path, bucket: Bucket, workdir: Path) -> None:
    url = bucket.put(small / "images", "images")
    bucket.write("images/stray/one.txt", b"1")
    chaosprep.open(url)
    bucket.system.rm_file("/bucket/images/stray/one.txt")
    chaosprep.open(url)
    [copy] = workdir.glob("*/images")
    assert files_in(copy) == files_in(small / "images")
    assert not (copy / "stray").exists()


def test_an_output_is_not_fetched_to_be_an_input(
    small: Path, bucket: Bucket, transfers: list[str]
) -> None:
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    transfers.clear()
    assert len(chaosprep.open(f"{bucket.url}/images").slices) == 9
    assert transfers == []


def test_a_store_that_fails_now_and_then_is_tried_again(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def flaky(name: str) -> None:
        plain: Any = getattr(type(bucket.system), name)

        def action(self: object, *args: object, **named: object) -> object:
            calls.append(name)
            if len(calls) % 3 == 0:
                raise ConnectionResetError("the line is dead")
            return plain(self, *args, **named)

        monkeypatch.setattr(type(bucket.system), name, action)

    root = bucket.put(small / "root", "root")
    for name in ("get_file", "put_file", "walk"):
        flaky(name)
    chaosprep.split(root, f"{bucket.url}/split", val=0.34)
    monkeypatch.undo()
    assert bucket.objects("split") == files_in(small / "split")
    assert len(calls) > 50


def test_an_object_that_comes_in_part_is_fetched_again(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, plain, cut = bucket.put(small / "images", "images"), type(bucket.system).get_file, [3]

    def get_file(self: object, remote: str, local: str, **named: object) -> None:
        plain(self, remote, local, **named)
        cut[0] -= 1
        if cut[0] >= 0:
            Path(local).write_bytes(Path(local).read_bytes()[:-1])

    monkeypatch.setattr(type(bucket.system), "get_file", get_file)
    assert chaosprep.verify(url).faults == ()


def test_a_store_that_keeps_failing_ends_in_one_line_without_its_words(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, tries = bucket.put(small / "images", "images"), list[str]()

    def get_file(self: object, remote: str, local: str, **named: object) -> None:
        tries.append(remote)
        raise ConnectionError("https://user:secret@host")

    monkeypatch.setattr(type(bucket.system), "get_file", get_file)
    with pytest.raises(ChaosprepError, match=r"does not answer .*\(ConnectionError\)") as error:
        chaosprep.open(url)
    assert error.value.code == "remote-unreachable"
    assert "secret" not in str(error.value)
    assert max(map(tries.count, tries)) == 4


class NoCredentialsError(Exception):
    """As botocore calls it, which raises no `PermissionError`."""


class ParamValidationError(Exception):
    """As botocore calls what it says of a bucket's name, before it asks any store."""


@pytest.mark.parametrize(
    ("raised", "code", "place"),
    [
        (PermissionError("secret"), "remote-denied", "memory://bucket/images"),
        (NoCredentialsError("secret"), "remote-denied", "memory://bucket/images"),
        (FileNotFoundError("secret"), "remote-not-found", "memory://bucket/images"),
        (ParamValidationError("secret"), "remote-not-found", "can have such a name"),
        (OSError(errno.ENOSPC, "secret"), "output", "/copies/"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(
    raised: Exception,
    code: str,
    place: str,
    small: Path,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, tries = bucket.put(small / "images", "images"), list[str]()

    def get_file(self: object, remote: str, local: str, **named: object) -> None:
        tries.append(remote)
        raise raised

    monkeypatch.setattr(type(bucket.system), "get_file", get_file)
    with pytest.raises(ChaosprepError, match=place) as error:
        chaosprep.open(url)
    assert error.value.code == code
    assert "secret" not in str(error.value)
    assert max(map(tries.count, tries)) == 1


@pytest.mark.parametrize(
    ("source", "output", "code"),
    [
        ("memory://bucket/none", "memory://bucket/out", "remote-empty"),
        ("memory://bucket/split", "memory://bucket/split/out", "output-place"),
        ("memory://bucket/split", "memory://other", "remote-url"),
        ("memory://bucket/split", "memory://", "remote-url"),
        ("nothing://bucket/split", "out", "remote-scheme"),
        ("oss://bucket/split", "out", "remote-missing"),
        ("memory://bucket/split", "https://host/out", "remote-read-only"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(
    source: str, output: str, code: str, small: Path, bucket: Bucket
) -> None:
    bucket.put(small / "split", "split")
    before = bucket.objects()
    with pytest.raises(ChaosprepError) as error:
        chaosprep.convert(source, output)
    assert error.value.code == code
    assert bucket.objects() == before


@pytest.mark.parametrize(
    "names",
    [["../a"], ["a/../b"], ["a//b"], ["/a"], ["a/./b"], ["a\0b"], ["a", "a/b"], ["x" * 256]],
)
def test_an_object_that_cannot_be_a_file_below_the_copy_is_refused(names: list[str]) -> None:
    with pytest.raises(ChaosprepError, match="cannot become a file") as error:
        check_object_names({"good.txt", *names}, "s3://bucket")
    assert error.value.code == "remote-name"


def test_an_object_with_such_a_name_writes_nothing(bucket: Bucket, workdir: Path) -> None:
    bucket.system.store["/bucket/data/../../evil"] = bucket.system.open("/bucket/x", "wb")
    with pytest.raises(ChaosprepError, match=re.escape("'../../evil' cannot become a file")):
        chaosprep.verify(f"{bucket.url}/data")
    assert not [path for path in workdir.rglob("*") if "evil" in path.name]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://key:secret@bucket/a", "s3://bucket/a"),
        ("https://user:pw@host/a/b?token=secret#part", "https://host/a/b"),
        ("https://[::1/a#secret?", "https://[::1/a"),
        ("s3://key:sec/ret@bucket/a", "s3://bucket/a"),
        ("zip://set.zip::s3://bucket/a", "zip://set.zip::s3://bucket/a"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("S3://bucket/a@b", "s3://bucket/a@b"),
    ],
)
def test_what_is_secret_in_a_url_is_never_told(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_a_file_url_is_a_path_and_needs_no_copy(small: Path, workdir: Path) -> None:
    assert chaosprep.open(f"file://{small}/images").directory == small / "images"
    assert not workdir.exists()


def test_a_copy_whose_update_was_killed_is_brought_up_to_date_by_the_next(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Record, name: str, found: Object, path: Path) -> None:
        raise KeyboardInterrupt

    url = bucket.put(small / "split", "data")
    chaosprep.open(url)
    bucket.put(small / "images", "data")
    with monkeypatch.context() as dying:
        dying.setattr(Record, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            chaosprep.open(url)
    assert chaosprep.open(url).descriptor.tool.stage == "convert"
