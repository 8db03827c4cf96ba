"""Commands with URLs: what they say names URLs, and results are told once they are sent."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chaosprep import ChaosprepError
from chaosprep.cli.main import main
from chaosprep.urls.objects import ObjectStore
from tests.remote.conftest import Bucket, files_in


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def no_way(self: ObjectStore, path: Path, name: str) -> None:
    """A store that takes nothing."""
    raise ChaosprepError("no way", "Wait.", "remote-unreachable")


def test_a_result_names_the_url(bucket: Bucket, small: Path) -> None:
    done = run("convert", bucket.put(small / "split", "split"), "-o", f"{bucket.url}/images")
    assert done.stdout == (
        "convert: 3 cases, 9 slices, 0 skipped -> memory://bucket/images/datapackage.json\n"
    )
    assert "memory://bucket/images: sends 20 files" in done.stderr
    assert f"Look at it: chaosprep report {bucket.url}/images" in done.stderr
    assert bucket.objects("images") == files_in(small / "images")


def test_an_error_names_the_url_too(bucket: Bucket, small: Path, workdir: Path) -> None:
    url = bucket.put(small / "root", "root")
    done = run("verify", url, "--json")
    assert str(workdir) not in done.output
    done = run("convert", url, "-o", f"{bucket.url}/images", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["message"].startswith("memory://bucket/root/data")
    assert done.stderr.splitlines()[-1].startswith("Error: memory://bucket/root/data")


def test_a_wrong_kind_of_place_is_named_by_its_url(bucket: Bucket) -> None:
    bucket.write("file", b"1")
    done = run("verify", f"{bucket.url}/file")
    assert done.exit_code == 2
    assert "Directory 'memory://bucket/file' is a file" in done.stderr


def test_a_table_goes_to_a_url_too(bucket: Bucket, small: Path, tmp_path: Path) -> None:
    for csv in (f"{bucket.url}/all.csv", tmp_path / "all.csv"):
        done = run("evaluate", small / "images", small / "images", "--csv", csv)
        assert done.exit_code == 0
    assert bucket.objects()["all.csv"] == (tmp_path / "all.csv").read_bytes()


def test_a_dry_run_writes_nothing(bucket: Bucket, small: Path) -> None:
    done = run("convert", small / "split", "-o", f"{bucket.url}/images", "--dry-run")
    assert done.exit_code == 0
    assert "3 to do" in done.stdout
    assert bucket.objects() == {}


def test_a_dry_run_does_not_send_what_an_earlier_run_could_not(
    bucket: Bucket, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("convert", small / "split", "-o", f"{bucket.url}/images")
    with monkeypatch.context() as broken:
        broken.setattr(ObjectStore, "send", no_way)
        assert run(*arguments).exit_code == 1
    assert run(*arguments, "--dry-run").exit_code == 0
    assert bucket.objects() == {}


def test_a_result_that_cannot_be_sent_is_not_told(
    bucket: Bucket, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObjectStore, "send", no_way)
    told = run("convert", small / "split", "-o", f"{bucket.url}/images", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {
        "status": "error",
        "code": "remote-unreachable",
        "message": "no way. Wait.",
        "problems": [],
    }


def test_pages_and_exports_are_sent_as_well(bucket: Bucket, small: Path) -> None:
    url = bucket.put(small / "images", "images")
    assert run("report", url, "-o", f"{bucket.url}/page.html", "--max-mb", "1").exit_code == 0
    assert run("export", "huggingface", url, "-o", f"{bucket.url}/hf", "--json").exit_code == 0
    assert bucket.objects()["page.html"].startswith(b"<!")
    assert "chaosprep-export.json" in bucket.objects("hf")
