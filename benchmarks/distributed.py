"""Packed stages on a Dask cluster whose workers are killed: python -m benchmarks distributed.

Where the processor's time goes (workers, scheduler, the command), and that the bytes are those of
a run on this machine alone.
"""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster import running_cluster
from benchmarks.machine import describe, put_away
from benchmarks.measure import environment, measure, parent_of, say
from benchmarks.pipeline import PROGRAM
from benchmarks.section import Asked, Section
from benchmarks.sources import SLICES_OF_A_PATIENT
from benchmarks.stores import make_pairs
from benchmarks.tables import plural, spread, table
from chaosprep.dataset.table import TABLE
from chaosprep.files import sha256

BETWEEN = 10.0
"""Seconds between two kills."""
TICKS = os.sysconf("SC_CLK_TCK")
TEXT = """\
`convert --store tar` of packed slices on a Dask cluster of two workers on this machine, of which
one is killed every ten seconds. Shares are of the processor time of all processes while the command
runs; the command is the one that a person types, which plans, records and commits."""


def measure_section(asked: Asked) -> list[str]:
    """The machine and what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder, cases = Path(name), max(2, asked.most // SLICES_OF_A_PATIENT)
        machine = describe(folder)
        slices = cases * SLICES_OF_A_PATIENT
        say(f"making {slices} slices")
        pairs = make_pairs(folder, cases, "--store", "tar")
        line = (*PROGRAM, "convert", str(pairs), "--store", "tar", "-o")
        alone = measure((*line, str(folder / "alone"), "--jobs", "2")).seconds
        runs, same = list[_Run](), True
        for number in range(asked.repeats):
            say(f"round {number + 1}: on a cluster")
            runs.append(_on_a_cluster((*line, str(folder / "dask"))))
            same &= _table_of(folder / "dask") == _table_of(folder / "alone")
            if not number:
                measure((*PROGRAM, "verify", str(folder / "dask"), "--jobs", "2"))
            put_away(folder / "dask")
    killed = plural(sum(run.killed for run in runs), "worker")
    return [
        *machine,
        f"- {slices:,} slices of 256 x 256 in {cases:,} cases; {plural(len(runs), 'round')}, "
        f"{killed} killed; {alone:.0f} s with `--jobs 2`.",
        "- `verify` finds no fault; the table, with the hash of every file, is "
        f"{'the same' if same else 'ANOTHER'}.",
        "",
        *table(["", "found"], list(_rows(runs))),
    ]


@dataclass(frozen=True)
class _Run:
    """Seconds by the clock, seconds of the processor of each kind of process, and the kills."""

    seconds: float
    spent: dict[str, float]
    killed: int


def _rows(runs: Sequence[_Run]) -> Iterator[list[str]]:
    yield ["the command, seconds", spread([run.seconds for run in runs])]
    for who in runs[0].spent:
        shares = [100 * run.spent[who] / sum(run.spent.values()) for run in runs]
        yield [f"{who}, % of the processor time", spread(shares)]


def _table_of(directory: Path) -> str:
    return sha256((directory / TABLE).read_bytes())


def _on_a_cluster(command: tuple[str, ...]) -> _Run:
    """Run a command on a cluster whose workers are killed."""
    with running_cluster(2) as cluster:
        pid = int(cluster["pid"])
        killer = _Killer(pid)
        killer.start()
        before, begin = _used_by(pid), time.perf_counter()
        line = (*command, "--dask", cluster["scheduler"])
        with subprocess.Popen(line, env=environment(), stderr=subprocess.DEVNULL) as process:
            _, code, used = os.wait4(process.pid, 0)
            process.returncode = code
        seconds = time.perf_counter() - begin
        killer.stop()
        if code:
            raise RuntimeError(f"{' '.join(line)} ended with {code}")
        after = _used_by(pid)
    spent = {who: after[who] - before[who] for who in after}
    return _Run(seconds, spent | {"command": used.ru_utime + used.ru_stime}, killer.killed)


def _used_by(cluster: int) -> dict[str, float]:
    """Seconds of the processor that the processes of a cluster have used so far."""
    own, ended = processor_time(cluster)
    living = sum(sum(processor_time(worker)) for worker in workers_of(cluster))
    return {"workers": ended + living, "scheduler": own}


def processor_time(pid: int) -> tuple[float, float]:
    """Seconds that a process has used, and those that its ended children had; proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, of_children, system_of_children = map(int, fields[11:15])
    return (user + system) / TICKS, (of_children + system_of_children) / TICKS


def workers_of(pid: int) -> Iterator[int]:
    """The worker processes of a cluster's process."""
    for path in Path("/proc").iterdir():
        is_child = path.name.isdigit() and parent_of(int(path.name)) == pid
        with suppress(OSError):  # it has ended meanwhile
            if is_child and b"spawn_main" in (path / "cmdline").read_bytes():
                yield int(path.name)


class _Killer(threading.Thread):
    """Kills a worker every now and then."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.killed = 0
        self._pid = pid
        self._stopped = threading.Event()

    def run(self) -> None:
        """Kill until stopped."""
        chance = random.Random(0)
        while not self._stopped.wait(BETWEEN):
            if workers := list(workers_of(self._pid)):
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                    self.killed += 1

    def stop(self) -> None:
        """End the killing."""
        self._stopped.set()
        self.join()


SECTION: Section = Section("distributed", "On a Dask cluster", TEXT, measure_section)
