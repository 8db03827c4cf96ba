"""The command as the shell runs it, in surroundings that somebody spoiled."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from chaosprep.phantom import Patient, write_chaos

ROOT = Path(__file__).parents[2]
ENTRY = "import sys; from chaosprep.cli.entry import main; sys.exit(main())"
COMMAND = (sys.executable, "-c", ENTRY)
LIMIT = 120  # seconds; only a hang takes as long


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This one, in which our own chaosprep is found."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, **(changes or {})}


def shell(
    script: str, *words: str | Path, changes: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script of bash, in which `"$@"` is the command with these words."""
    line = ["bash", "-c", script, "bash", *COMMAND, *map(str, words)]
    return subprocess.run(
        line,
        check=False,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=LIMIT,
        env=environment(changes),
    )


def mounting(script: str) -> str:
    """The script, where it may mount what it likes and nobody else sees it."""
    able = shutil.which("unshare") and os.geteuid() == 0
    if not able or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root may mount")
    return f"exec unshare -m bash -c '{script}' bash \"$@\""


def heed_interrupts() -> None:
    """Shells let what runs in the background ignore SIGINT, and these tests may run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def python(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script of Python with these words, which heeds Ctrl-C."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment(),
        preexec_fn=heed_interrupts,
    )


def small_root(folder: Path, patients: int = 4) -> Path:
    """A dataset root of so many patients of a few small slices."""
    return write_chaos(
        folder,
        [
            Patient(id=number, sequences=("t1-in",), slices=4, matrix=64)
            for number in range(1, patients + 1)
        ],
    )
