"""Where the time of `convert` goes: python -m benchmarks profile."""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import chaosprep
from benchmarks.clocks import PARTS, REST
from benchmarks.machine import describe
from benchmarks.measure import measure, say
from benchmarks.section import Asked, Section
from benchmarks.sources import patients
from benchmarks.tables import figure, plural, spread, table
from chaosprep.phantom import write_chaos

TEXT = """\
The command `convert` (8-bit, one process) from the start of the process to its end, part by part.
A part is the time inside its functions, less that of other parts inside them; a clock costs about
a microsecond a call. "Imports" are those of the command and its libraries, also where they come
late; "process start and end" is Python's own. "Rest" is what no part claims: arguments, rows, the
loop over the slices."""

AROUND = "process start and end"
WHOLE = "all"


def run(split: Path, folder: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of each part, and of all, in every run; one run before them does not count."""
    report, output = folder / "report.json", folder / "output"
    found: dict[str, list[float]] = {}
    for number in range(repeats + 1):
        say(f"convert with clocks, run {number} of {repeats}")
        command = ("convert", str(split), "-j", "1", "-o", str(output))
        whole = measure([sys.executable, "-m", "benchmarks.clocks", str(report), *command]).seconds
        shutil.rmtree(output)
        seconds: dict[str, float] = json.loads(report.read_text(encoding="utf-8"))
        seconds = {AROUND: whole - sum(seconds.values()), **seconds, WHOLE: whole}
        for part, taken in seconds.items() if number else ():
            found.setdefault(part, []).append(taken)
    return found


def rows(found: dict[str, list[float]], slices: int) -> list[list[str]]:
    """A row for each part: ms of all slices, microseconds of one, part of the whole."""
    whole = statistics.median(found[WHOLE])
    return [
        [
            part,
            spread([1000 * seconds for seconds in found[part]]),
            figure(1e6 * statistics.median(found[part]) / slices),
            f"{statistics.median(found[part]) / whole:.1%}",
        ]
        for part in (AROUND, *PARTS, REST, WHOLE)
    ]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_chaos(folder / "chaos", patients(asked.slices))
        chaosprep.split(folder / "chaos", folder / "split", val_patient=("MR001",))
        machine = describe(folder)
        found = run(folder / "split", folder, asked.repeats)
    note = f"- {asked.slices} slices of 256 x 256; {plural(asked.repeats, 'run')}."
    header = ["part", "ms", "us for a slice", "share"]
    return [*machine, note, "", *table(header, rows(found, asked.slices))]


SECTION: Section = Section("profile", "Where the time of convert goes", TEXT, measure_section)
