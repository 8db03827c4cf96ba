"""The headers of a large tree, read once and kept: python -m benchmarks index.

One run alone: python -m benchmarks.index ROOT FOLDER JOBS.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.index_tree import BYTES_OF_A_FILE, MATRIX, SERIES_OF_A_SEG, SLICES, write_tree
from benchmarks.machine import describe
from benchmarks.measure import Measurement, measure, say
from benchmarks.peers import Peer, imgtools
from benchmarks.section import Asked, Section
from benchmarks.tables import NOT_INSTALLED, plural, spread, table
from chaosprep.layouts.headers.index import read_index
from chaosprep.running.mapping import on_workers
from chaosprep.workbench import Workbench

TEXT = """\
What lies below a root of many small DICOM files, by their headers: what `--layout headers` reads
before anything else. It is kept beside the output, so that the second run only sees that the files
are the same. The files were just written: the disk is warm. `imgtools index` (med-imagetools) reads
them with pydicom, in as many processes, and runs once."""

_FIRST, _SECOND = "chaosprep, first run", "chaosprep, second run"


def run(folder: Path, asked: Asked) -> Iterator[tuple[str, Measurement | None]]:
    """Measure each in turn; None for what is not installed."""
    root, jobs = folder / "root", max(asked.jobs)
    say(f"making {asked.files:,} files")
    write_tree(root, asked.files)
    for number in range(asked.repeats):
        kept = folder / f"kept{number}"
        for name in (_FIRST, _SECOND):
            say(f"{asked.files:,} files, round {number + 1}: {name}")
            words = ("-m", "benchmarks.index", str(root), str(kept), str(jobs))
            yield name, measure((sys.executable, *words))
    places = ("--dicom-dir", str(root), "--output-dir", str(folder / "peer"))
    line = imgtools(f"index --n-jobs {jobs}", *places)
    peer = Peer(f"imgtools index, {plural(jobs, 'job')}", line, needs=("med-imagetools",))
    say(f"{asked.files:,} files: {peer.name}")
    yield peer.name, measure(peer.command) if peer.is_installed else None


def rows(found: dict[str, list[Measurement]], files: int) -> list[list[str]]:
    """A row for each: seconds, microseconds of a file, memory."""
    return [
        [
            name,
            spread([one.seconds for one in some]) if some else NOT_INSTALLED,
            spread([1e6 * one.seconds / files for one in some]) if some else "",
            f"{max(one.tree_mb or 0.0 for one in some):.0f}" if some else "",
        ]
        for name, some in found.items()
    ]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        free, needed = shutil.disk_usage(folder).free, asked.files * BYTES_OF_A_FILE
        if free < needed:
            return [f"- Not measured: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} are free."]
        machine = describe(folder, peers=True)
        found: dict[str, list[Measurement]] = {}
        for run_, measured in run(folder, asked):
            found.setdefault(run_, []).extend([measured] if measured else [])
    note = (
        f"- {asked.files:,} slices of {MATRIX} x {MATRIX} in series of {SLICES}, a SEG for one of "
        f"{SERIES_OF_A_SEG} series; {plural(max(asked.jobs), 'worker')}, "
        f"{plural(asked.repeats, 'round')}; MB is of all processes together."
    )
    header = ["run", "s", "us for a file", "MB at most"]
    return [*machine, note, "", *table(header, rows(found, asked.files))]


SECTION: Section = Section("index", "The headers of a large tree", TEXT, measure_section)


def main(root: str, folder: str, jobs: str) -> None:
    """Read the headers below a root, kept in a folder; print how many entries there are."""
    bench = Workbench(Path(folder), "index", int(jobs), work=on_workers)
    print(len(read_index(Path(root), bench)))


if __name__ == "__main__":
    main(*sys.argv[1:])
