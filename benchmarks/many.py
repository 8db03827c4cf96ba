"""convert on 6,400 slices, beside others and on a Dask cluster: python -m benchmarks.many."""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.cluster import running_cluster
from benchmarks.machine import describe
from benchmarks.measure import say
from benchmarks.pipeline import Task, commands, run_rounds, tasks
from benchmarks.section import Asked, Section
from benchmarks.sources import make_sources, patients
from benchmarks.tables import RATE, compare, plural

TIMES = 10
"""As many slices as are asked for, so many times."""

GROUPS = ("convert", "convert --format npy")
DASK = "Dask, --dask local -j 2"
RUNNING = "Dask, two workers that run"
TEXT = """\
The same commands on ten times the slices, where starting up hardly counts. The rows of Dask are
ours on a cluster of two workers: one whose start and end are included, and one that was started
before and has not worked yet; the workers of the latter are not in its MB. The tutorial's figures,
at some ten slices a second, are not made again."""


def rows(slices: int, jobs: tuple[int, ...]) -> list[Task]:
    """The rows of the table."""
    found = [task for task in tasks(slices, jobs, slow=False) if task.group in GROUPS]
    convert = next(command for command in commands(slices) if command.name == "convert")
    line = (*convert.line(2), "--dask")
    dask = [
        Task("convert", DASK, (*line, "local")),
        Task("convert", RUNNING, (*line, "{scheduler}"), around=partial(running_cluster, 2)),
    ]
    last = max(place for place, task in enumerate(found) if task.group == "convert")
    return [*found[: last + 1], *dask, *found[last + 1 :]]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    slices = TIMES * asked.slices
    asked = replace(asked, slices=slices)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = describe(folder, peers=True)
        say(f"making {slices} slices")
        sources = make_sources(folder, patients(slices))
        todo = rows(slices, asked.jobs)
        run_rounds(todo, sources, folder, repeats=asked.repeats)
    note = f"- {slices} slices of 256 x 256; {plural(asked.repeats, 'round')}."
    return [*machine, note, "", *compare([task.result(slices) for task in todo], RATE, "command")]


SECTION: Section = Section("many", "Many slices", TEXT, measure_section)

if __name__ == "__main__":
    from benchmarks.command import main

    main(["many"])
