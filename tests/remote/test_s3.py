"""A real object store: moto serves S3 on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

import chaosprep
from chaosprep import ChaosprepError
from chaosprep.urls.location import locate
from chaosprep.urls.objects import ObjectStore
from tests.remote.conftest import Bucket, files_in

KILLED = """\
import os, signal
import chaosprep
from chaosprep.urls.objects import ObjectStore

plain, left = ObjectStore.send, [6]

def send(self, path, name):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, path, name)

ObjectStore.send = send
chaosprep.convert("s3://bucket/split", "s3://bucket/images")
"""


def forget_settings() -> None:
    """Let the next file system look at the environment again."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a store that lives as long as these tests."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket, which the environment leads to, as it does for a user."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    system = fsspec.filesystem("s3")
    system.mkdir("bucket")
    yield Bucket(system, "s3://bucket")
    system.rm("bucket", recursive=True)
    forget_settings()


def test_prepare_from_s3_to_s3_makes_what_it_makes_here(
    small: Path, bucket: Bucket, tmp_path: Path
) -> None:
    root = bucket.put(small / "root", "root")
    chaosprep.prepare(root, "s3://bucket/out", val=0.34, copies=1)
    chaosprep.prepare(small / "root", tmp_path / "out", val=0.34, copies=1)
    assert bucket.objects("out") == files_in(tmp_path / "out")


def test_the_same_command_goes_on_after_a_kill_while_sending(small: Path, bucket: Bucket) -> None:
    bucket.put(small / "split", "split")
    done = subprocess.run([sys.executable, "-c", KILLED], env=os.environ, check=False)
    assert done.returncode == -9
    left = bucket.objects()
    assert "images/datapackage.json" not in left
    assert "images.chaosprep.lock" in left
    chaosprep.convert("s3://bucket/split", "s3://bucket/images")
    assert bucket.objects("images") == files_in(small / "images")
    assert "images.chaosprep.lock" not in bucket.objects()


def test_a_part_of_an_object_is_read_and_ends_with_it(bucket: Bucket) -> None:
    bucket.write("data/letters", b"abcdef")
    store = ObjectStore(locate("s3://bucket/data"))
    parts = [(None, None), (0, 2), (2, 4), (4, 9), (6, 9), (8, 9)]
    found = [store.read("letters", start, end) for start, end in parts]
    assert found == [b"abcdef", b"ab", b"cd", b"ef", b"", b""]


def test_of_two_writers_the_store_lets_one_in(small: Path, bucket: Bucket) -> None:
    bucket.write("images.chaosprep.lock", b"somebody's")
    with pytest.raises(ChaosprepError, match="another run writes there") as error:
        chaosprep.convert(small / "split", "s3://bucket/images")
    assert error.value.code == "locked"


def test_a_bucket_that_is_not_there_is_told_before_any_work(small: Path, bucket: Bucket) -> None:
    seen: list[object] = []
    with pytest.raises(ChaosprepError, match=r"^s3://none/images: there is no such") as error:
        chaosprep.convert(small / "split", "s3://none/images", on_event=seen.append)
    assert (error.value.code, seen) == ("remote-not-found", [])
    with pytest.raises(ChaosprepError, match=r"^s3://none/split: there is no such"):
        chaosprep.open("s3://none/split")


def test_credentials_in_a_url_are_told_where_they_go_and_not_repeated(bucket: Bucket) -> None:
    with pytest.raises(ChaosprepError, match="can have such a name") as caught:
        chaosprep.open("s3://ID:SECRET@bucket/split")
    assert caught.value.code == "remote-not-found"
    assert "~/.aws" in caught.value.remedy
    assert "SECRET" not in str(caught.value)


def test_a_store_that_is_not_there_is_one_line(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_settings()
    with pytest.raises(ChaosprepError, match=r"^s3://bucket/a: the store does not answer") as error:
        chaosprep.open("s3://bucket/a")
    assert error.value.code == "remote-unreachable"
