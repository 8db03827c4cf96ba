"""`train` and `predict` on places behind URLs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from tests.exports.seen import content

fsspec = pytest.importorskip("fsspec")

Put = Callable[[Path, str], str]


def objects(name: str) -> dict[str, bytes]:
    system, start = fsspec.filesystem("memory"), f"/torch/{name}/"
    return {path.removeprefix(start): system.cat_file(path) for path in system.find(start)}


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Puts a folder into the memory of this process, and gives its URL."""
    monkeypatch.setenv("CHAOSPREP_WORKDIR", str(tmp_path / "work"))
    system = fsspec.filesystem("memory")

    def put(folder: Path, name: str) -> str:
        for file, data in content(folder).items():
            system.pipe_file(f"/torch/{name}/{file}", data)
        return f"memory://torch/{name}"

    yield put
    system.store.clear()


def test_a_run_goes_on_where_it_lies_and_is_sent(images: Dataset, run: Path, put: Put) -> None:
    source, output = put(images.directory, "images"), put(run, "run")
    assert chaosprep.train(source, output, epochs=3, batch=4).already_done
    assert objects("run") == content(run)
    assert chaosprep.train(source, output, epochs=4, batch=4).epochs == 4
    made = objects("run")
    assert made.keys() == content(run).keys()
    assert b'"epochs": 4' in made["run.json"]


def test_predictions_are_those_of_a_local_run(
    images: Dataset, run: Path, put: Put, tmp_path: Path
) -> None:
    source, checkpoint = put(images.directory, "images"), put(run, "run")
    chaosprep.predict(checkpoint, source, "memory://torch/predicted", split="val")
    local = chaosprep.predict(run, images.directory, tmp_path / "predicted", split="val")
    assert objects("predicted") == content(local.directory)
