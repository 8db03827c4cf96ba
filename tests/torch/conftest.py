"""What the tests of the room share: a dataset to learn from, and a run on it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.phantom import Patient, write_chaos

Rewrite = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small networks are slower with several, and results repeat with the same number."""
    pytest.importorskip("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def stored(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The pairs of `images` with their stored values, as 16-bit PNG."""
    return chaosprep.convert(livers, tmp_path_factory.mktemp("stored"), keep_16bit=True)


@pytest.fixture(scope="session")
def organs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two patients, one to train and one val, with all four organs."""
    place = tmp_path_factory.mktemp("organs")
    people = [Patient(id=id, slices=4, matrix=48, sequences=("t1-in",)) for id in (1, 2)]
    root = write_chaos(place / "chaos", people)
    pairs = chaosprep.split(root, place / "split", val_patient=["MR002"])
    masks = chaosprep.extract_liver(pairs, place / "masks", all_organs=True)
    return chaosprep.convert(masks, place / "images")


@pytest.fixture(scope="session")
def run(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs on `images`. Read only."""
    path = tmp_path_factory.mktemp("runs") / "run"
    chaosprep.train(images, path, epochs=3, batch=4)
    return path


@pytest.fixture
def rewritten(images: Dataset, tmp_path: Path) -> Callable[[Rewrite], Path]:
    """A copy of `images` whose rows were changed by hand, its manifest made to agree."""

    def make(change: Rewrite) -> Path:
        path = Path(shutil.copytree(images.directory, tmp_path / "rewritten"))
        rows = [json.loads(line) for line in (path / "slices.jsonl").read_bytes().splitlines()]
        for row in rows:
            change(row)
        table = "".join(json.dumps(row) + "\n" for row in rows).encode()
        descriptor = json.loads((path / "datapackage.json").read_text())
        resource = descriptor["resources"][0]
        resource |= {"bytes": len(table), "hash": f"sha256:{hashlib.sha256(table).hexdigest()}"}
        (path / "slices.jsonl").write_bytes(table)
        (path / "datapackage.json").write_text(json.dumps(descriptor))
        return path

    return make
