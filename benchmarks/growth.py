"""Time and memory from 64 to 64,000 slices: python -m benchmarks growth [--most N].

Ten phantom patients are drawn. All others are variations of them, with files of their own: other
UIDs, another patient folder, and another last pixel, so that no image is twice in the dataset.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.machine import describe, put_away
from benchmarks.measure import Measurement, measure, say
from benchmarks.pipeline import PROGRAM
from benchmarks.section import Asked, Section
from benchmarks.sources import SLICES_OF_A_PATIENT, patients
from benchmarks.tables import plural, spread, table
from chaosprep.phantom import write_chaos

SIZES = (64, 640, 6_400, 64_000)
DRAWN = 10
"""Patients that are drawn; the files of the others are made in a fraction of the time."""

ALIKE = ("--trust-folders",)
"""The variations of a patient have the same name in their headers."""

BYTES_OF_A_SLICE = 360_000
"""On disk, at most at once: the DICOM file and its copy of 131 kB each, its PNG, and masks."""

TEXT = """\
`split` (which copies) and `convert` (8-bit), whole commands, on ever more patients of 32 slices
of 256 x 256. Ten patients are drawn; the others are variations of them in files of their own,
with other UIDs and another last pixel, so that nothing is read twice. If the time of a slice
stays as it is, work grows as the data do; if memory stays, any dataset fits. The data outgrow the
page cache only where they are larger than the memory that the machine has."""


def sizes(most: int) -> list[int]:
    """The sizes up to `most`, and `most` itself where that is the first."""
    return [size for size in SIZES if size <= most] or [max(most, 2)]


def require_room(folder: Path, slices: int) -> None:
    """End with a message where the disk is too small for so many slices."""
    free, needed = shutil.disk_usage(folder).free, slices * BYTES_OF_A_SLICE
    if free < needed:
        raise SystemExit(
            f"growth: {slices:,} slices need {needed / 1e9:.1f} GB for temporary files, "
            f"{free / 1e9:.1f} GB are free. Give a smaller --most, or a TMPDIR with more room."
        )


def draw_bases(folder: Path, slices: int, matrix: int = 256) -> list[Path]:
    """Write the patients that all others are variations of; return their folders."""
    people = patients(min(slices, DRAWN * SLICES_OF_A_PATIENT), matrix)
    write_chaos(folder, people)
    return [folder / "Train_Sets/MR" / str(person.id) for person in people]


def grow(root: Path, bases: Sequence[Path], count: int) -> None:
    """Bring a CHAOS root to so many patients; those that are there stay."""
    place = root / "Train_Sets/MR"
    place.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(place.iterdir())), count):
        variation, base = divmod(number, len(bases))
        for path in sorted(bases[base].rglob("*.*")):
            target = place / str(number + 1) / path.relative_to(bases[base])
            target.parent.mkdir(parents=True, exist_ok=True)
            data = path.read_bytes()
            target.write_bytes(varied(data, variation) if path.suffix == ".dcm" else data)


def varied(data: bytes, variation: int) -> bytes:
    """A DICOM file of the phantom with other UIDs of the same length, and another last pixel."""
    head, pixels = data[:8192], data[8192:-2]
    head = re.sub(rb"(2\.25\.\d+)\d{6}", rb"\g<1>%06d" % variation, head)
    return head + pixels + variation.to_bytes(2, "little")


def commands(root: Path, split: Path, jobs: int) -> dict[str, tuple[str, ...]]:
    """What is measured; the output directory comes last."""
    rest = ("--jobs", str(jobs), "-o")
    return {
        "split": (*PROGRAM, "split", "--val-patient", "MR001", *ALIKE, str(root), *rest),
        "convert": (*PROGRAM, "convert", str(split), *rest),
    }


def measure_size(folder: Path, slices: int, asked: Asked) -> Iterator[tuple[str, Measurement]]:
    """Measure both commands in turn, each into a directory that is then put away."""
    root, split, output = folder / "chaos", folder / "split", folder / "output"
    todo = commands(root, split, max(asked.jobs))
    measure([*todo["split"], str(split), "--link", "hard"])
    for number in range(asked.repeats):
        for name, command in todo.items():
            say(f"{slices:,} slices, round {number + 1}: {name}")
            os.sync()
            yield name, measure([*command, str(output)])
            put_away(output)
    shutil.rmtree(split)


def run(folder: Path, asked: Asked, matrix: int = 256) -> list[list[str]]:
    """The rows of the table: one for each command and size."""
    steps = sizes(asked.most)
    bases = draw_bases(folder / "drawn", steps[-1], matrix)
    found: dict[str, dict[int, list[Measurement]]] = {}
    for slices in steps:
        say(f"making {slices:,} slices")
        grow(folder / "chaos", bases, max(2, slices // SLICES_OF_A_PATIENT))
        for name, measured in measure_size(folder, slices, asked):
            found.setdefault(name, {}).setdefault(slices, []).append(measured)
    return [row for name, known in found.items() for row in _rows(name, known)]


def _rows(name: str, known: dict[int, list[Measurement]]) -> Iterator[list[str]]:
    for slices, measured in known.items():
        each = [1000 * one.seconds / slices for one in measured]
        tree = max(one.tree_mb or 0.0 for one in measured)
        process = max(one.process_mb or 0.0 for one in measured)
        total = spread([one.seconds for one in measured])
        memory = f"{tree:.0f} / {process:.0f}" if tree else ""
        yield [name, f"{slices:,}", spread(each), total, memory]


def measure_section(asked: Asked) -> list[str]:
    """The table, up to the size that is asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        require_room(folder, sizes(asked.most)[-1])
        machine = describe(folder)
        rows = run(folder, asked)
    counts = f"{plural(max(asked.jobs), 'worker')}, {plural(asked.repeats, 'round')}"
    note = f"- {counts}; MB is of all processes together / of the largest."
    header = ["command", "slices", "ms for a slice", "s in all", "MB"]
    return [*machine, note, "", *table(header, rows)]


SECTION: Section = Section("growth", "Growth", TEXT, measure_section)
