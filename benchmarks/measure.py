"""Run one command in a fresh process: wall time, and the memory of it and its children."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.02
"""Seconds between two looks at the memory; one look costs well under a millisecond."""


@dataclass(frozen=True)
class Measurement:
    """What one run took.

    `tree_mb` is the largest sum, over the process and its descendants, of resident memory in MB
    (10^6 bytes); pages that they share count for each. `process_mb` is the most that any single
    one of them ever held. Both are None on systems without /proc.
    """

    seconds: float
    tree_mb: float | None
    process_mb: float | None


def measure(command: Sequence[str]) -> Measurement:
    """Run a command to its end, its output kept aside.

    Raises:
        RuntimeError: it failed; the text is its output.
    """
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment())
        watch = MemoryWatch(process.pid)
        watch.start()
        code = process.wait()
        seconds = time.perf_counter() - start
        watch.stop()
        if code:
            log.seek(0)
            text = log.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{text}")
    return Measurement(seconds, watch.tree_mb, watch.process_mb)


def environment() -> dict[str, str]:
    """Ours, where Python keeps what it compiles: installed packages are compiled already."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class MemoryWatch(threading.Thread):
    """Samples the memory of a process and its descendants until stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.tree_mb: float | None = None
        self.process_mb: float | None = None
        self._pid = pid
        self._parents: dict[int, int] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Sample at once and then every `INTERVAL`."""
        while Path("/proc/self/status").exists():
            self._sample()
            if self._stopped.wait(INTERVAL):
                return

    def stop(self) -> None:
        """End the sampling; the figures stand."""
        self._stopped.set()
        self.join()

    def _sample(self) -> None:
        memory = [memory_mb(pid) for pid in self._tree()]
        process = max((peak for _, peak in memory), default=0.0)
        tree = max(sum(now for now, _ in memory), process)
        if tree:
            self.tree_mb = max(self.tree_mb or 0.0, tree)
            self.process_mb = max(self.process_mb or 0.0, process)

    def _tree(self) -> set[int]:
        """The process and its descendants; of each new process the parent is read only once."""
        running = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}
        self._parents = {pid: self._parents.get(pid) or parent_of(pid) for pid in running}
        tree, more = set[int](), {self._pid} & running
        while more:
            tree |= more
            more = {pid for pid, parent in self._parents.items() if parent in more}
        return tree


def parent_of(pid: int) -> int:
    """The id of a process's parent; 0 where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])  # the name before it may hold anything


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its highest, in MB; zeros where it has ended.

    VmRSS and VmHWM of proc_pid_status(5), whose kB are 1024 bytes.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    fields = dict(line.split(":", 1) for line in lines)
    now, peak = (int(fields.get(name, "0 kB").split()[0]) for name in ("VmRSS", "VmHWM"))
    return now * 1024 / 1e6, peak * 1024 / 1e6


def say(text: str) -> None:
    """Show on a terminal what is being measured, over what stood there."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
