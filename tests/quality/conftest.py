"""A prepared phantom to damage, and a way to make its manifest fit again."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import chaosprep
from chaosprep.phantom import Patient, write_chaos

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Row = dict[str, Any]
Edit = Callable[[list[Row]], None]

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_QUIET = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A real browser; what asks for it skips where Playwright or Chromium is missing."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if _CHROMIUM is None:
        pytest.skip("no chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_QUIET))
        yield started
        started.close()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients of five slices, prepared."""
    place = tmp_path_factory.mktemp("quality")
    patients = [Patient(id=id, sequences=("t1-in",), slices=5, matrix=64) for id in range(1, 5)]
    write_chaos(place / "chaos", patients)
    chaosprep.prepare(place / "chaos", place / "out", val=0.25)
    return place / "out/augmented"


@pytest.fixture
def directory(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the prepared data."""
    return Path(shutil.copytree(pristine, tmp_path / "data"))


def rewrite(directory: Path, edit: Edit) -> None:
    """Edit the rows of a table, and let the descriptor's hash agree: a lie, well told."""
    table = directory / "slices.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    edit(rows)
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    table.write_bytes(text)
    path = directory / "datapackage.json"
    descriptor = json.loads(path.read_text())
    descriptor["resources"][0]["hash"] = f"sha256:{hashlib.sha256(text).hexdigest()}"
    descriptor["resources"][0]["bytes"] = len(text)
    path.write_text(json.dumps(descriptor))


def replace_file(directory: Path, row: Row, kind: str, data: bytes) -> None:
    """Put other bytes in the place of a row's image or mask, and let the row agree."""
    path = directory / row[kind]
    path.unlink()
    path.write_bytes(data)
    row[f"{kind}_sha256"] = hashlib.sha256(data).hexdigest()
    row[f"{kind}_bytes"] = len(data)
