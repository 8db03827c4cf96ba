"""A job of a few slices, where starting is what takes long: python -m benchmarks small."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.measure import environment, say
from benchmarks.pipeline import PROGRAM
from benchmarks.section import Asked, Section
from benchmarks.sources import make_sources, patients
from benchmarks.tables import EACH, OURS, Result, compare, plural
from benchmarks.verdicts import Expectation, verdicts

SLICES = 64
RUNS = 5
"""For each round that is asked for."""
TEXT = f"""\
`convert` of {SLICES} slices, whole commands, beside a Python that only imports what any such
program needs. Without `--jobs`, a job as small as this starts no workers. Runs take turns."""

IMPORTS = "python, import numpy, cv2"
GROUP = "small job"
EXPECTED = (
    Expectation(
        GROUP,
        IMPORTS,
        0.5,
        f"{OURS} convert",
        why="The other imports of the command, 64 slices, and a table and a descriptor that "
        "are synced to the disk come on top.",
    ),
)
_WAYS: Mapping[str, tuple[str, ...]] = {
    f"{OURS} convert": (),
    f"{OURS} convert -j 1": ("-j", "1"),
    f"{OURS} convert -j 2": ("-j", "2"),
}


def programs(source: Path, output: Path) -> dict[str, tuple[str, ...]]:
    """What is run, by name."""
    command = (*PROGRAM, "convert", str(source), "-o", str(output))
    ours = {name: (*command, *words) for name, words in _WAYS.items()}
    return ours | {IMPORTS: (sys.executable, "-c", "import numpy, cv2")}


def run(runs: int, slices: int = SLICES, place: Path | None = None) -> list[Result]:
    """Run every program so many times, in turn, after one turn that does not count."""
    with tempfile.TemporaryDirectory(dir=place) as made:
        folder = Path(made)
        source = make_sources(folder, patients(slices))["liver"]
        output = folder / "output"
        wanted = programs(source, output)
        seconds: dict[str, list[float]] = {name: [] for name in wanted}
        for number in range(runs + 1):
            say(f"small job {number} of {runs}")
            for name, words in wanted.items():
                start = time.perf_counter()
                subprocess.run(words, capture_output=True, check=True, env=environment())
                if number:
                    seconds[name].append(time.perf_counter() - start)
                shutil.rmtree(output, ignore_errors=True)
    return [Result(GROUP, name, tuple(found)) for name, found in seconds.items()]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    runs = RUNS * asked.repeats
    results = run(runs)
    lines = [*compare(results, EACH, "what"), "", *verdicts(results, EXPECTED)]
    return [*describe(), f"- {plural(runs, 'run')} of each.", "", *lines]


SECTION: Section = Section("small", "A small job", TEXT, measure_section)
