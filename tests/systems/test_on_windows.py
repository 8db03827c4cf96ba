"""From a root to predictions measured, under Windows' rules: the same bytes, and nothing left."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.phantom.writing import Patient, write_chaos
from chaosprep.running.options import Event
from chaosprep.running.workspace import Workspace
from tests.running.toys import snapshot

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the rules are kept by /proc")
PATIENTS = [Patient(id=id, sequences=("t1-in",), slices=3, matrix=32) for id in (1, 2, 3)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chaos(tmp_path_factory.mktemp("windows") / "root", PATIENTS)


def whole_way(root: Path, out: Path, jobs: int = 1, **split: Any) -> dict[str, bytes]:
    """Every stage and an export; what they wrote."""
    pairs = chaosprep.split(root, out / "split", val=0.3, **split)
    livers = chaosprep.extract_liver(pairs, out / "livers")
    images = chaosprep.convert(livers, out / "images", jobs=jobs, store="tar")
    augmented = chaosprep.augment(images, out / "augmented", copies=1)
    assert chaosprep.verify(augmented.directory).faults == ()
    chaosprep.export("nnunet", livers, out / "nnunet", id=7, name="Liver")
    return snapshot(out)


def workspaces(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".chaosprep" in path.name]


def test_the_whole_way_gives_the_bytes_that_it_gives_elsewhere(
    root: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    expected = whole_way(root, tmp_path / "a")
    request.getfixturevalue("windows")
    assert whole_way(root, tmp_path / "b", jobs=2) == expected
    assert workspaces(tmp_path) == []


@pytest.mark.usefixtures("windows")
def test_what_is_there_is_made_anew(root: Path, tmp_path: Path) -> None:
    first = whole_way(root, tmp_path / "out")
    for _ in range(2):
        chaosprep.split(root, tmp_path / "out/split", val=0.3, overwrite=True)
        livers, nnunet = tmp_path / "out/livers", tmp_path / "out/nnunet"
        chaosprep.export("nnunet", livers, nnunet, id=7, name="Liver", overwrite=True)
    assert snapshot(tmp_path / "out") == first
    assert workspaces(tmp_path) == []


@pytest.mark.usefixtures("windows")
def test_a_run_that_was_interrupted_goes_on(root: Path, tmp_path: Path) -> None:
    seen = list[Event]()

    def stop(event: Event) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chaosprep.split(root, tmp_path / "out", val=0.3, on_event=stop)
    assert (tmp_path / "out/.chaosprep/journal.jsonl").exists()
    chaosprep.split(root, tmp_path / "out", val=0.3, on_event=seen.append)
    chaosprep.split(root, tmp_path / "whole", val=0.3)
    assert seen[3].finished == 2
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "whole")
    assert workspaces(tmp_path) == []


@pytest.mark.usefixtures("windows")
def test_predictions_are_measured(root: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(root, tmp_path / "split", val=0.3)
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    made = chaosprep.evaluate(livers.directory, livers.directory)
    assert [summary.metrics["dice"].mean for summary in made.summaries] == [1.0]


@pytest.mark.usefixtures("windows")
def test_symbolic_links_are_refused_with_what_helps(root: Path, tmp_path: Path) -> None:
    with pytest.raises(chaosprep.ChaosprepError) as caught:
        chaosprep.split(root, tmp_path / "out", val=0.3, link="sym")
    assert caught.value.code == "links"
    assert caught.value.text == (
        "--link sym: symbolic links cannot be made there. "
        "Leave --link out, or allow them: on Windows by its Developer Mode."
    )


@pytest.mark.usefixtures("windows")
def test_hard_links_become_copies(root: Path, tmp_path: Path) -> None:
    chaosprep.split(root, tmp_path / "out", val=0.3, link="hard")
    assert {path.stat().st_nlink for path in (tmp_path / "out").rglob("*.dcm")} == {1}


@pytest.mark.usefixtures("windows")
def test_a_lock_goes_with_its_finished_run_and_stays_with_one_that_goes_on(tmp_path: Path) -> None:
    """Where it stays, the folder is known for that of a run."""
    workspace = Workspace.inside(tmp_path / "out")
    with workspace.held():
        pass
    assert (workspace.path / "lock").exists()
    with workspace.held():
        workspace.clear()
    assert not workspace.path.exists()


@pytest.mark.usefixtures("windows")
def test_a_lock_that_another_run_has_by_then_is_left_to_it(tmp_path: Path) -> None:
    workspace = Workspace.inside(tmp_path / "out")
    with ExitStack() as other:
        with workspace.held():
            workspace.clear()
            other.callback(os.close, os.open(workspace.path / "lock", os.O_RDWR))
        assert (workspace.path / "lock").exists()
