"""convert on ever more workers, up to the machine's cores: python -m benchmarks cores."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.growth import ALIKE, draw_bases, grow
from benchmarks.machine import MEMORY, describe, file_system, put_away
from benchmarks.many import TIMES
from benchmarks.measure import Measurement, measure, say
from benchmarks.pipeline import PROGRAM
from benchmarks.section import Asked, Section
from benchmarks.sources import SLICES_OF_A_PATIENT
from benchmarks.tables import plural, spread, table

TEXT = """\
`convert` (8-bit), whole commands, on ten times the slices and ever more workers, up to one for
each core that there is: process start, plan, table and commit count, which no worker shares. The
files lie on a disk in memory where there is one, so that the disk is not what ends the growth.
Runs take turns."""


def workers(cores: int) -> list[int]:
    """1, 2, 4, ... and one for each core."""
    doubled = [2**power for power in range(cores.bit_length()) if 2**power < cores]
    return [*doubled, cores]


def run(folder: Path, slices: int, counts: list[int], repeats: int) -> dict[int, list[Measurement]]:
    """Measure each number of workers once in each round."""
    say(f"making {slices:,} slices")
    grow(folder / "chaos", draw_bases(folder / "drawn", slices), slices // SLICES_OF_A_PATIENT)
    first = (*PROGRAM, "split", "--link", "hard", "--val-patient", "MR001", *ALIKE)
    measure([*first, str(folder / "chaos"), "-o", str(folder / "split")])
    found: dict[int, list[Measurement]] = {count: [] for count in counts}
    for number in range(repeats):
        for count in counts:
            say(f"round {number + 1} of {repeats}: {plural(count, 'worker')}")
            line = (*PROGRAM, "convert", str(folder / "split"), "--jobs", str(count))
            found[count].append(measure([*line, "-o", str(folder / "output")]))
            put_away(folder / "output")
    return found


def rows(slices: int, found: Mapping[int, list[Measurement]]) -> Iterator[list[str]]:
    """The rows of the table."""
    alone = [one.seconds for one in next(iter(found.values()))]
    for count, measured in found.items():
        seconds = [one.seconds for one in measured]
        times = [before / now for before, now in zip(alone, seconds, strict=True)]
        memory = max(one.tree_mb or 0.0 for one in measured)
        rate = spread([slices / one for one in seconds])
        yield [str(count), rate, spread(times), spread(seconds), f"{memory:.0f}"]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    place = MEMORY if file_system(MEMORY) == "tmpfs" else None
    slices = TIMES * asked.slices // SLICES_OF_A_PATIENT * SLICES_OF_A_PATIENT
    with tempfile.TemporaryDirectory(dir=place) as name:
        machine = describe(Path(name))
        found = run(Path(name), slices, workers(os.cpu_count() or 1), asked.repeats)
    note = f"- {slices:,} slices of 256 x 256; {plural(asked.repeats, 'round')}."
    header = ["workers", "slices/s", "times one worker", "s in all", "MB"]
    return [*machine, note, "", *table(header, list(rows(slices, found)), left=0)]


SECTION: Section = Section("cores", "More workers", TEXT, measure_section)
