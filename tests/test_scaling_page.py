"""docs/scaling.md: its sessions run, its scripts parse, and it names every code that there is."""

import ast
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed

PAGE = (HOME / "docs/scaling.md").read_text(encoding="utf-8")
SOURCES = HOME / "chaosprep/running"


def test_the_sessions_print_what_the_page_says(tmp_path: Path) -> None:
    page = PAGE if find_spec("distributed") else PAGE.replace(" --dask local", "")
    sessions = replayed(page, place_with_samples(tmp_path), apart=True)
    assert len(sessions) == 2
    for expected, printed in sessions:
        assert printed == expected


@pytest.mark.parametrize("script", blocks(PAGE, "bash"))
def test_the_scripts_are_bash(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", blocks(PAGE, "yaml"))
def test_the_manifests_are_yaml_of_a_known_kind(text: str) -> None:
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(text)
    assert found["kind"] in ("DaskCluster", "Job")
    container = (found["spec"].get("template") or found["spec"]["worker"])["spec"]["containers"][0]
    assert "chaosprep" in " ".join([container["image"], *container["args"]])


def test_the_python_block_is_python() -> None:
    (program,) = blocks(PAGE, "python")
    ast.parse(program)


@pytest.mark.parametrize(
    ("prefix", "files"), [("dask-", "dask/*.py"), ("merge-", "merge.py")], ids=["dask", "merge"]
)
def test_every_code_stands_on_the_page(prefix: str, files: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.glob(files))
    used = set(re.findall(rf'"({prefix}[a-z-]+)"', text)) - {"merge-"}
    if prefix == "dask-":
        used |= {"dask-output", "dask-source"}
    described = set(re.findall(rf"`({prefix}[a-z-]+)`", PAGE))
    assert used == described
