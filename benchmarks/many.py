"""Commands on 6,400 slices, beside others and on a Dask cluster: python -m benchmarks many.

And the same on a disk in memory: python -m benchmarks many-memory.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.cluster import running_cluster
from benchmarks.machine import MEMORY, describe
from benchmarks.measure import say
from benchmarks.memory import without_room
from benchmarks.pipeline import Task, commands, run_rounds, tasks
from benchmarks.section import Asked, Section
from benchmarks.sources import make_sources, patients
from benchmarks.tables import OURS, RATE, compare, plural
from benchmarks.verdicts import DASK, OF_MANY, RUNNING_DASK, TO_TAR, verdicts

TIMES = 10
"""As many slices as are asked for, so many times."""

GROUPS = ("extract-liver", "convert", "convert --format npy", "augment")
PACKED = ("convert", "convert --format npy")
TEXT = """\
The same commands on ten times the slices, where starting up hardly counts. The rows of Dask are
ours on a cluster of two workers: one whose start and end are included, and one that was started
before and has not worked yet; the workers of the latter are not in its MB. What is slow runs in
the first round only."""
IN_MEMORY = """\
The same on a disk in memory, where a new file costs next to nothing: what is left is the work
itself. What is slow, because it computes, is not run again."""


def rows(slices: int, jobs: tuple[int, ...], *, slow: bool = True) -> list[Task]:
    """The rows of the table."""
    found = [task for task in tasks(slices, jobs, slow=slow) if task.group in GROUPS]
    convert = next(command for command in commands(slices) if command.name == "convert")
    line = (*convert.line(2), "--dask")
    dask = [
        Task("convert", DASK, (*line, "local")),
        Task("convert", RUNNING_DASK, (*line, "{scheduler}"), around=partial(running_cluster, 2)),
    ]
    last = max(place for place, task in enumerate(found) if task.group == "convert")
    return [*found[: last + 1], *dask, *found[last + 1 :], *packed(slices, jobs)]


def packed(slices: int, jobs: tuple[int, ...]) -> Iterator[Task]:
    """The conversions again, into one container of images, and one of masks, for each case."""
    for command in commands(slices):
        if command.name in PACKED:
            for count in jobs:
                line = (*command.line(count), "--store", "tar")
                yield Task(command.name, f"{OURS} -j {count}{TO_TAR}", line)


def lines(asked: Asked, place: Path | None = None, *, slow: bool = True) -> list[str]:
    """The machine, the table, and how it stands beside what was expected."""
    slices = TIMES * asked.slices
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        machine = describe(folder, peers=True)
        say(f"making {slices} slices")
        sources = make_sources(folder, patients(slices))
        todo = rows(slices, asked.jobs, slow=slow)
        run_rounds(todo, sources, folder, repeats=asked.repeats, slow_rounds=1)
    results = [task.result(slices) for task in todo]
    note = f"- {slices} slices of 256 x 256; {plural(asked.repeats, 'round')}."
    judged = verdicts(results, OF_MANY)
    return [*machine, note, "", *compare(results, RATE, "command"), "", *judged]


def measure_section(asked: Asked) -> list[str]:
    """The table on the usual disk."""
    return lines(asked)


def measure_in_memory(asked: Asked) -> list[str]:
    """The table on a disk in memory; one line where there is none, or no room on it."""
    return without_room(TIMES * asked.slices) or lines(asked, MEMORY, slow=False)


SECTION: Section = Section("many", "Many slices", TEXT, measure_section)
MEMORY_SECTION: Section = Section(
    "many-memory", "Many slices on a disk in memory", IN_MEMORY, measure_in_memory
)
