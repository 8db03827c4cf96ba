"""Ctrl-C amid what Python does to start workers, to wait for them and to end them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.attacker import sample
from tests.attacks.outside import python, small_root
from tests.attacks.test_first_moments import SAID

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sends itself a signal")
CALLED = """
import atexit, json, os, signal, sys
from chaosprep.cli.entry import run
place, moment = sys.argv.pop(1), int(sys.argv.pop(1))
seen = {}
def hook(frame, event, argument):
    code = frame.f_code
    here = code.co_filename.rpartition("/")[2] + " " + code.co_qualname
    seen[here] = seen.get(here, 0) + 1
    if here == place and seen[here] == moment:
        sys.setprofile(None)
        os.write(1, b"sent")
        os.kill(os.getpid(), signal.SIGINT)
    elif here == "interrupts.py pass_over":  # all is done
        sys.setprofile(None)
if place == "count":
    atexit.register(lambda: print(json.dumps(seen)))
sys.setprofile(hook)
run()
"""
DROPPED = """
import signal, sys, time
from chaosprep.cli.interrupts import heed, not_dropped
def interrupt(number, frame):
    raise KeyboardInterrupt
class Ends:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
heed(interrupt)
sys.unraisablehook = not_dropped(interrupt)
try:
    Ends()
    time.sleep(600)
except KeyboardInterrupt:
    print("came")
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("among") / "root", 8)


@pytest.fixture(scope="module")
def events(root: Path) -> dict[str, int]:
    """How often each function is entered, left, or calls C code, in a run that nobody disturbs."""
    counted: dict[str, int] = json.loads(interrupted("count", 0, root, root.parent / "out").stdout)
    return counted


def interrupted(
    place: str, moment: int, root: Path, output: Path
) -> subprocess.CompletedProcess[str]:
    """Split by two workers, with Ctrl-C at the n-th event of a function."""
    words = ["split", str(root), "-o", str(output), "-j", "2", "-q"]
    return python(CALLED, place, str(moment), *words)


@pytest.mark.parametrize(
    "place",
    [
        "_base.py _AcquireFutures.__enter__",
        "process.py ProcessPoolExecutor.shutdown",
        "process.py ProcessPoolExecutor.submit",
        "queues.py Queue.__init__",
        "resource_tracker.py ResourceTracker._send",
        "synchronize.py SemLock.__init__",
        "synchronize.py SemLock._cleanup",
        "threading.py Condition.__enter__",
        "threading.py Thread.join",
        "util.py Finalize.__call__",
    ],
)
def test_ctrl_c_leaves_no_lock_held_and_no_name_behind(
    place: str, events: dict[str, int], root: Path, tmp_path: Path
) -> None:
    """A lock that is left held hangs; a semaphore, or Ctrl-C in a finalizer, says more lines."""
    for moment in sample(range(1, events[place] + 1), 1, place):
        done = interrupted(place, moment, root, tmp_path / str(moment))
        ends = [(130, line) for line in SAID] if done.stdout else [(0, "")]  # there were fewer
        assert (done.returncode, done.stderr) in ends, (place, moment, done.stderr)


def test_ctrl_c_that_python_drops_in_a_finalizer_comes_again() -> None:
    done = python(DROPPED)
    assert (done.stdout, done.stderr) == ("came\n", "")
