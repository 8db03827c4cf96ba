"""Outputs behind URLs: the same bytes as here, the descriptor last, whole or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import ChaosprepError
from chaosprep.remote.record import Record
from chaosprep.remote.tree import unfinished
from chaosprep.urls.objects import Object, ObjectStore
from tests.remote.conftest import Bucket, files_in

TABLES = ["send slices.jsonl", "send datapackage.json"]


def breaking(after: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the store fail for good once it took so many objects; what is given ends that."""
    plain, left = ObjectStore.send, [after]

    def send(self: ObjectStore, path: Path, name: str) -> Object:
        left[0] -= 1
        if left[0] < 0:
            raise ChaosprepError("broken", code="remote-unreachable")
        return plain(self, path, name)

    monkeypatch.setattr(ObjectStore, "send", send)
    return lambda: monkeypatch.setattr(ObjectStore, "send", plain)


def test_the_store_gets_the_bytes_that_a_local_run_writes(small: Path, bucket: Bucket) -> None:
    root = bucket.put(small / "root", "root")
    chaosprep.split(root, f"{bucket.url}/split", val=0.34)
    chaosprep.convert(f"{bucket.url}/split", f"{bucket.url}/images")
    assert bucket.objects("split") == files_in(small / "split")
    assert bucket.objects("images") == files_in(small / "images")
    assert {name.split("/")[0] for name in bucket.objects()} == {"root", "split", "images"}


def test_table_and_descriptor_are_sent_last(
    small: Path, bucket: Bucket, transfers: list[str]
) -> None:
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert transfers[-2:] == TABLES
    assert len(transfers) == len(files_in(small / "images"))


def test_what_is_done_is_not_sent_again(small: Path, bucket: Bucket, transfers: list[str]) -> None:
    for _ in range(2):
        chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert len(transfers) == len(files_in(small / "images"))


def test_an_interrupted_output_has_no_descriptor_and_goes_on_where_it_stopped(
    small: Path, bucket: Bucket, transfers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = breaking(5, monkeypatch)
    with pytest.raises(ChaosprepError, match="broken"):
        chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert len(bucket.objects("images")) == 5
    assert "datapackage.json" not in bucket.objects("images")
    mend()
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert bucket.objects("images") == files_in(small / "images")
    assert len(transfers) == len(files_in(small / "images"))


def test_what_was_not_sent_is_no_input(
    small: Path, bucket: Bucket, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(5, monkeypatch)
    with pytest.raises(ChaosprepError, match="broken"):
        chaosprep.convert(small / "split", f"{bucket.url}/images")
    with pytest.raises(ChaosprepError, match=str(workdir)) as error:
        chaosprep.verify(f"{bucket.url}/images")
    assert error.value.code == "unsent"


def test_overwrite_takes_the_old_commit_back_first_and_removes_what_is_left(
    small: Path, bucket: Bucket, transfers: list[str], tmp_path: Path
) -> None:
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    transfers.clear()
    chaosprep.convert(
        small / "split", f"{bucket.url}/images", patient=["MR001", "MR002"], overwrite=True
    )
    assert transfers[0] == "remove datapackage.json"
    sent = [one for one in transfers if one.startswith("send")]
    assert sent[-2:] == TABLES
    assert all("MR003" in one for one in transfers[len(sent) + 1 :])
    chaosprep.convert(small / "split", tmp_path / "two", patient=["MR001", "MR002"])
    assert bucket.objects("images") == files_in(tmp_path / "two")


def test_without_its_working_copy_an_output_is_looked_at_first(
    small: Path, bucket: Bucket, workdir: Path, transfers: list[str]
) -> None:
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    shutil.rmtree(workdir)
    transfers.clear()
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert {one.split()[0] for one in transfers} == {"fetch"}
    with pytest.raises(ChaosprepError, match=f"^{bucket.url}/images: .* other parameters") as error:
        chaosprep.convert(small / "split", f"{bucket.url}/images", keep_16bit=True)
    assert error.value.code == "output-differs"


def test_objects_of_others_are_refused_and_stay(small: Path, bucket: Bucket) -> None:
    bucket.write("mine/notes.txt", b"keep me")
    with pytest.raises(ChaosprepError, match=f"^{bucket.url}/mine: it is not empty") as error:
        chaosprep.convert(small / "split", f"{bucket.url}/mine", overwrite=True)
    assert error.value.code == "output-foreign"
    assert bucket.objects() == {"mine/notes.txt": b"keep me"}


def test_nothing_is_committed_where_somebody_else_writes_meanwhile(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ObjectStore.send

    def send(self: ObjectStore, path: Path, name: str) -> Object:
        bucket.write("images/train/images/other.png", b"theirs")
        return plain(self, path, name)

    monkeypatch.setattr(ObjectStore, "send", send)
    with pytest.raises(ChaosprepError, match=r"other\.png came, went or changed") as error:
        chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert error.value.code == "remote-changed"
    assert "datapackage.json" not in bucket.objects("images")


def test_a_lock_of_somebody_else_is_told_of_and_one_of_our_own_taken_over(
    small: Path, bucket: Bucket, workdir: Path
) -> None:
    bucket.write("images.chaosprep.lock", b"somebody's")
    with pytest.raises(ChaosprepError, match=f"remove the object {bucket.url}/images.chaos") as of:
        chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert of.value.code == "locked"
    assert bucket.objects() == {"images.chaosprep.lock": b"somebody's"}
    [own] = workdir.glob("*/.*/claim")  # as a run that was killed leaves it
    bucket.write("images.chaosprep.lock", own.read_bytes())
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert {name.split("/")[0] for name in bucket.objects()} == {"images"}


def test_a_run_with_problems_sends_nothing(small: Path, bucket: Bucket, tmp_path: Path) -> None:
    shutil.copytree(small / "root", tmp_path / "root")
    next((tmp_path / "root").rglob("*.dcm")).write_bytes(b"no DICOM")
    with pytest.raises(ChaosprepError):
        chaosprep.split(tmp_path / "root", f"{bucket.url}/split", val=0.34)
    assert bucket.objects() == {}


def test_what_a_run_has_begun_and_not_ended_is_not_sent(small: Path, tmp_path: Path) -> None:
    place = tmp_path / "out"
    for name in ("split", "images"):
        shutil.copytree(small / name, place / name)
    (place / "images/datapackage.json").unlink()
    (place / "images/.chaosprep").mkdir()
    (place / "split/.chaosprep").mkdir()
    assert sorted(unfinished(place)) == ["images/", "split/.chaosprep/"]


def test_an_object_that_was_sent_in_the_last_moment_is_sent_again_and_not_fetched(
    small: Path, bucket: Bucket, transfers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Record, name: str, found: Object, path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Record, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert bucket.objects("images") != {}
    chaosprep.convert(small / "split", f"{bucket.url}/images")
    assert {one.split()[0] for one in transfers} == {"send"}
    assert bucket.objects("images") == files_in(small / "images")


@pytest.mark.parametrize(("kind", "more"), [("webdataset", {}), ("nnunet", {"id": 7, "name": "L"})])
def test_an_export_that_could_not_be_sent_is_made_again_by_the_same_command(
    kind: str,
    more: dict[str, Any],
    small: Path,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    liver = chaosprep.extract_liver(small / "split", tmp_path / "liver")
    images = chaosprep.convert(liver, tmp_path / "images")
    mend = breaking(3, monkeypatch)
    with pytest.raises(ChaosprepError, match="broken"):
        chaosprep.export(kind, images, f"{bucket.url}/out", **more)
    assert len(bucket.objects("out")) == 3
    mend()
    chaosprep.export(kind, images, f"{bucket.url}/out", **more)
    chaosprep.export(kind, images, tmp_path / "out", **more)
    assert bucket.objects("out") == files_in(tmp_path / "out")


def test_an_export_that_was_sent_is_not_replaced_unasked(
    small: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: ObjectStore, name: str) -> None:
        raise ChaosprepError("broken", code="remote-unreachable")

    url = f"{bucket.url}/shards"
    chaosprep.export("webdataset", small / "images", url)
    sent = bucket.objects("shards")
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "remove", broken)
        with pytest.raises(ChaosprepError, match="broken"):  # before anything else is sent
            chaosprep.export("webdataset", small / "images", url, overwrite=True, shard_mb=1)
    with pytest.raises(ChaosprepError, match="it holds an export already"):
        chaosprep.export("webdataset", small / "images", url)
    assert bucket.objects("shards") == sent
