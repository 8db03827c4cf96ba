"""Killed at any moment, the same command again gives the same bytes as one uninterrupted run.

`CHAOSPREP_KILLS` is the number of kills to try with each kind of store, 3 without it.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaosprep.dataset.containers.table import CONTAINERS, StoreName
from chaosprep.phantom.writing import Patient, write_chaos
from tests.running.toys import snapshot

KILLS = int(os.environ.get("CHAOSPREP_KILLS", "3"))
LIMIT = 120  # seconds; only a hang takes as long
PATIENTS = [
    Patient(id=id, sequences=("t1-in", "t2-spir"), slices=4, matrix=64) for id in (1, 2, 3, 5, 8)
]
PREPARE = """
import sys
import chaosprep
if __name__ == "__main__":
    chaosprep.prepare(
        sys.argv[1],
        sys.argv[2],
        jobs=2,
        seed=4,
        copies=2,
        sequence=("t1-in", "t2-spir"),
        store=sys.argv[3],
        normalize=sys.argv[4] or None,
    )
"""


class Prepare:
    """The four stages in a process of their own, into one kind of store; one may learn first."""

    def __init__(self, tmp_path: Path, store: StoreName, normalize: str = "") -> None:
        self._how = store, normalize
        self._script = tmp_path / "script.py"
        self._script.write_text(PREPARE)
        self._root = write_chaos(tmp_path / "root", PATIENTS)

    def start(self, output: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(self._script), str(self._root), str(output), *self._how]
        return subprocess.Popen(command, start_new_session=True)

    def whole(self, output: Path) -> float:
        """Run to the end; the seconds that it took."""
        begin = time.monotonic()
        process = self.start(output)
        try:
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
        return time.monotonic() - begin

    def killed(self, output: Path, after: float) -> bool:
        """Run, and kill after so many seconds; whether it was still at work."""
        process = self.start(output)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait(LIMIT) != 0


@pytest.fixture(
    scope="module", params=(("files",), *((store,) for store in CONTAINERS), ("files", "nyul"))
)
def prepare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    return Prepare(tmp_path_factory.mktemp("prepare"), *request.param)


@pytest.fixture(scope="module")
def uninterrupted(
    prepare: Prepare, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    output = tmp_path_factory.mktemp("uninterrupted") / "out"
    seconds = prepare.whole(output)
    return snapshot(output), seconds


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_is_finished_by_the_same_command(
    prepare: Prepare,
    uninterrupted: tuple[dict[str, bytes], float],
    tmp_path: Path,
    seed: int,
) -> None:
    expected, seconds = uninterrupted
    chance = random.Random(seed)
    for _ in range(chance.choice([1, 1, 2])):
        prepare.killed(tmp_path / "out", chance.uniform(0.15, 1) * seconds)
    prepare.whole(tmp_path / "out")
    found = snapshot(tmp_path / "out")
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []


def test_the_chain_holds_what_the_four_stages_make(
    uninterrupted: tuple[dict[str, bytes], float],
) -> None:
    names = uninterrupted[0]
    stages = ("split", "liver", "images", "augmented")
    assert {f"{stage}/datapackage.json" for stage in stages} <= set(names)
    assert not any(".chaosprep" in name or name.endswith(".part") for name in names)
    rows = names["augmented/slices.jsonl"].splitlines()
    # 5 patients, 1 of them for validation, 2 series of 4 slices, 2 copies in training
    assert sum(b'"split":"train"' in row for row in rows) == 4 * 8 * 3
    assert sum(b'"split":"val"' in row for row in rows) == 8
