"""How soon the command answers: python -m benchmarks startup."""

import subprocess
import sys
import time

from benchmarks.machine import describe
from benchmarks.measure import environment, say
from benchmarks.section import Asked, Section
from benchmarks.tables import EACH, OURS, Result, compare, plural

TEXT = """\
From the start of the process to its end. `chaosprep --help` stands beside what it cannot be
faster than: an empty program of click, which prints its help, and a Python that does nothing.
Runs take turns."""
RUNS = 10
"""For each round that is asked for."""

_CALL = "from chaosprep.cli.main import main; main()"
PROGRAMS = {
    f"{OURS} --help": (_CALL, "--help"),
    f"{OURS} --version": (_CALL, "--version"),
    "an empty click program, --help": (
        "import click; click.command(context_settings={'auto_envvar_prefix': 'X'})(lambda: None)()",
        "--help",
    ),
    "python, nothing": ("pass",),
}


def run(runs: int) -> list[Result]:
    """Start every program so many times, in turn, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(runs + 1):
        say(f"start {number} of {runs}")
        for name, (code, *arguments) in PROGRAMS.items():
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", code, *arguments],
                stdout=subprocess.DEVNULL,
                check=True,
                env=environment(),
            )
            if number:
                seconds[name].append(time.perf_counter() - start)
    return [Result("start-up", name, tuple(found)) for name, found in seconds.items()]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    runs = RUNS * asked.repeats
    return [*describe(), f"- {plural(runs, 'run')} of each.", "", *compare(run(runs), EACH, "what")]


SECTION: Section = Section("startup", "Start-up", TEXT, measure_section)
