"""A small data set, and stores that begin empty; working copies lie in the test's own folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

import chaosprep
from chaosprep.phantom import Patient, write_chaos
from chaosprep.urls import objects

Files = dict[str, bytes]


def files_in(folder: Path) -> Files:
    """Every file below a folder, by its relative name."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(autouse=True)
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where working copies are kept; nobody waits between two tries."""
    monkeypatch.setenv("CHAOSPREP_WORKDIR", str(tmp_path / "copies"))
    monkeypatch.setenv("CHAOSPREP_JOBS", "1")
    monkeypatch.setattr(objects, "WAITS", [0.0, 0.0, 0.0])
    return tmp_path / "copies"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders beside the root: what `split` and `convert` make of it on this machine."""
    here = tmp_path_factory.mktemp("small")
    patients = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    write_chaos(here / "root", patients)
    chaosprep.split(here / "root", here / "split", val=0.34)
    chaosprep.convert(here / "split", here / "images")
    return here


class Bucket:
    """A bucket of any store: `url`, and its objects by their names in it."""

    def __init__(self, system: fsspec.AbstractFileSystem, url: str) -> None:
        self.system, self.url = system, url
        self._root = url.partition("://")[2]

    def put(self, folder: Path, name: str) -> str:
        """Send a folder; its URL."""
        for file, data in files_in(folder).items():
            self.system.pipe_file(f"{self._root}/{name}/{file}", data)
        return f"{self.url}/{name}"

    def objects(self, name: str = "") -> Files:
        """What lies below a name."""
        self.system.invalidate_cache()
        start = f"{self._root}/{name}/" if name else f"{self._root}/"
        paths = [path.lstrip("/") for path in self.system.find(start)]
        return {path.removeprefix(start): self.system.cat_file(path) for path in paths}

    def write(self, name: str, data: bytes) -> None:
        """Make an object."""
        self.system.pipe_file(f"{self._root}/{name}", data)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket in the memory of this process."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield Bucket(system, "memory://bucket")
    system.store.clear()


@pytest.fixture
def transfers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to and fro from here on: `fetch NAME`, `send NAME` and `remove NAME`, in order."""
    done: list[str] = []
    for action in ("fetch", "send", "remove"):
        monkeypatch.setattr(objects.ObjectStore, action, _noted(action, done))
    return done


def _noted(action: str, done: list[str]) -> Callable[..., object]:
    plain: Callable[..., object] = getattr(objects.ObjectStore, action)

    def noted(self: objects.ObjectStore, *args: object) -> object:
        done.append(f"{action} {next(one for one in args if isinstance(one, str))}")
        return plain(self, *args)

    return noted
