"""The command line that all sections share."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    bias,
    cores,
    distributed,
    feeding,
    growth,
    index,
    many,
    memory,
    million,
    pipeline,
    pixels,
    profile,
    small,
    startup,
    stores,
)
from benchmarks.measure import say
from benchmarks.page import block, write
from benchmarks.section import Asked, Section

SECTIONS: tuple[Section, ...] = (
    pipeline.SECTION,
    memory.SECTION,
    many.SECTION,
    many.MEMORY_SECTION,
    pixels.SECTION,
    bias.SECTION,
    startup.SECTION,
    small.SECTION,
    profile.SECTION,
    feeding.SECTION,
    cores.SECTION,
    growth.SECTION,
    million.SECTION,
    index.SECTION,
    stores.SECTION,
    distributed.SECTION,
)
LONG = (
    *(
        bias.SECTION,
        many.SECTION,
        many.MEMORY_SECTION,
        cores.SECTION,
        growth.SECTION,
        million.SECTION,
    ),
    *(index.SECTION, stores.SECTION, distributed.SECTION),
)
USUAL = [section.name for section in SECTIONS if section not in LONG]
"""What runs unless a section is named: the others take as long as all of these."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the sections that are asked for, else the usual ones; print them, or write them."""
    names = [section.name for section in SECTIONS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        help=f"of {', '.join(names)}; by name only: {', '.join(one.name for one in LONG)}",
    )
    parser.add_argument("--slices", type=int, default=640, help="of the phantom (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (%(default)s)")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="workers (1 2)")
    parser.add_argument("--most", type=int, default=64_000, help="where growth ends (%(default)s)")
    parser.add_argument("--files", type=int, default=100_000, help="of the index (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="bring this page up to date")
    asked = parser.parse_args(arguments)
    wanted = asked.sections or USUAL
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(names)}")
    if asked.slices < 4 or asked.repeats < 1 or min(asked.jobs) < 1:
        parser.error("it needs 4 slices (two patients of two), a round and a worker")
    what = Asked(asked.slices, asked.repeats, tuple(asked.jobs), asked.most, asked.files)
    for section in SECTIONS:
        if section.name in wanted:
            lines = section.measure(what)
            say("")
            print(block(section, lines), end="\n\n", flush=True)
            if asked.write:
                write(asked.write, SECTIONS, {section.name: lines})
