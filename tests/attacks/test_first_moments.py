"""Ctrl-C and SIGTERM at any moment: one line, exit code 130, and no process left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaosprep.cli.main import GO_ON
from tests.attacks.attacker import sample
from tests.attacks.outside import COMMAND, LIMIT, environment, heed_interrupts, python, small_root

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
SAID = ("Interrupted.\n", f"{GO_ON}\n")
IMPORTED = """
import os, sys
from chaosprep.cli.entry import main
moment, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
def hook(event, about):
    global moment
    if event == "import" and about[0] != "cv2.version":  # its C code takes no error
        moment -= 1
        if moment == 0:
            os.kill(os.getpid(), number)
sys.addaudithook(hook)
code = main()
print(moment)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("moments") / "root", 8)


def at_import(moment: int, number: int, words: list[str]) -> subprocess.CompletedProcess[str]:
    """The command, sent a signal when it imports for the n-th time since its first line."""
    return python(IMPORTED, str(moment), str(int(number)), *words)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_import_is_one_line(number: int, root: Path, tmp_path: Path) -> None:
    words = ["split", str(root), "-o", str(tmp_path / "out"), "-j", "1", "-q"]
    whole = at_import(-1, number, [*words[:3], str(tmp_path / "whole"), *words[4:]])
    imports = -1 - int(whole.stdout)
    assert imports > 500
    for moment in sample(range(1, imports), 8, f"imports {number}"):
        done = at_import(moment, number, words)
        assert (done.returncode, done.stderr in SAID) == (130, True), (moment, done.stderr)


def heeded(pid: int) -> None:
    """Wait until a process catches SIGTERM: Python has begun with the command."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = next((line for line in status.splitlines() if line.startswith("SigCgt")), "x: 0")
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.001)


def children(of: int) -> set[int]:
    """All processes that were started by one, directly or not."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if stat[0] != "Z":
                parents[int(entry.name)] = int(stat[1])
    found = {of}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {of}


def gone(pids: set[int]) -> bool:
    """Whether all have ended within five seconds, or only wait to be reaped."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        left = [pid for pid in pids if alive(pid)]
        if not left:
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("between", [None, 0.0, 0.02, 0.2])
@pytest.mark.parametrize("group", [False, True])
def test_pressed_once_or_twice_at_any_moment(
    between: float | None, group: bool, root: Path, tmp_path: Path
) -> None:
    """To the process alone, as a batch system does it, or to its workers as well, as a terminal."""
    words = ["split", str(root), "-o", str(tmp_path / "out"), "-j", "2"]
    send = os.killpg if group else os.kill
    for delay in sample([0.05 * step for step in range(20)], 2, f"press {between} {group}"):
        with subprocess.Popen(
            [*COMMAND, *words, "--overwrite"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - no threads here
        ) as process:
            heeded(process.pid)
            time.sleep(delay)
            pids = children(process.pid)
            for wait in (0.0,) if between is None else (0.0, between):
                time.sleep(wait)
                try:
                    send(process.pid, signal.SIGINT)
                except ProcessLookupError:
                    break
            _, said = process.communicate(timeout=LIMIT)
        assert gone(pids)
        assert process.returncode in (0, 130), said
        assert "Traceback" not in said
        if process.returncode == 130:
            assert said.endswith(SAID)
