"""The same table on a disk in memory: python -m benchmarks memory."""

import shutil

from benchmarks import pipeline
from benchmarks.machine import MEMORY, file_system
from benchmarks.section import Asked, Section

TEXT = """\
The same commands with all files on a disk in memory, where a new file costs next to nothing: what
is left is the work itself. Slow peers, whose time is all computing, are not run again."""
MB_OF_A_SLICE = 1.5
"""What the sources, the kept outputs and one more hold, for each slice of 256 x 256."""


def measure_section(asked: Asked) -> list[str]:
    """The table; one line where there is no disk in memory, or no room on it."""
    return without_room(asked.slices) or pipeline.lines(asked, MEMORY, slow=False)


def without_room(slices: int) -> list[str]:
    """Why nothing can be measured on a disk in memory; nothing where it can."""
    if file_system(MEMORY) != "tmpfs":
        return ["- Not measured: there is no disk in memory here."]
    if shutil.disk_usage(MEMORY).free < slices * MB_OF_A_SLICE * 1e6:
        return ["- Not measured: the disk in memory is too small."]
    return []


SECTION: Section = Section("memory", "Whole commands on a disk in memory", TEXT, measure_section)
