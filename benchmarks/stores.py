"""Single files and containers beside each other: python -m benchmarks stores.

How many files there are, and how long it takes to copy, verify and remove them.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.growth import draw_bases, grow, require_room
from benchmarks.machine import describe
from benchmarks.measure import measure, say
from benchmarks.pipeline import PROGRAM
from benchmarks.section import Asked, Section
from benchmarks.sources import SLICES_OF_A_PATIENT
from benchmarks.tables import plural, spread, table
from chaosprep.dataset.containers.table import CONTAINERS, StoreName

STORES: tuple[StoreName, ...] = ("files", *CONTAINERS)
TEXT = """\
The same 8-bit images and masks of many small cases as single files and packed (`--store`), all on
the same disk; Zarr's arrays are not compressed. All rows of a round run one after the other, before
the next round begins."""


@dataclass
class Row:
    """What one store took: the files that there are, and the seconds of each action and round."""

    store: StoreName
    files: int = 0
    megabytes: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def cells(self, slices: int) -> list[str]:
        """The row of the table."""
        told = [
            self.store,
            f"{self.files:,}",
            f"{self.files / slices:.3f}",
            f"{self.megabytes:.0f}",
        ]
        return [*told, *map(spread, self.seconds.values())]


def actions(directory: Path, copy: Path) -> dict[str, tuple[str, ...]]:
    """What is done with a stage directory, in order: commands."""
    return {
        "cp -r": ("cp", "-r", str(directory), str(copy)),
        "rm -r": ("rm", "-r", str(copy)),
        "verify -j 2": (*PROGRAM, "verify", str(directory), "--jobs", "2"),
    }


def measure_section(asked: Asked) -> list[str]:
    """The machine and the table."""
    with tempfile.TemporaryDirectory() as name:
        folder, cases = Path(name), max(2, asked.most // SLICES_OF_A_PATIENT)
        slices = cases * SLICES_OF_A_PATIENT
        machine = describe(folder)
        say(f"making {slices} slices")
        pairs = make_pairs(folder, cases, "--link", "hard")
        rows = [Row(store) for store in STORES]
        for row in rows:
            line = (*PROGRAM, "convert", str(pairs), "-o", str(folder / row.store))
            measure((*line, "--store", row.store, "--jobs", "2"))
            found = [path for path in (folder / row.store).rglob("*") if path.is_file()]
            row.files = len(found)
            row.megabytes = sum(path.stat().st_size for path in found) / 1e6
        for number in range(asked.repeats):
            for row in rows:
                say(f"round {number + 1}: {row.store}")
                for action, words in actions(folder / row.store, folder / "copy").items():
                    row.seconds.setdefault(action, []).append(measure(words).seconds)
    note = f"- {slices} slices of 256 x 256 in {cases} cases; {plural(asked.repeats, 'round')}."
    head = ["store", "files", "for each slice", "MB", *(f"{name}, s" for name in rows[0].seconds)]
    return [*machine, note, "", *table(head, [row.cells(slices) for row in rows])]


def make_pairs(folder: Path, cases: int, *how: str) -> Path:
    """`split` of so many cases, with these options."""
    slices = cases * SLICES_OF_A_PATIENT
    require_room(folder, slices)
    grow(folder / "chaos", draw_bases(folder / "bases", slices), cases)
    line = (*PROGRAM, "split", str(folder / "chaos"), "-o", str(folder / "pairs"))
    measure((*line, "--val", "0", "--trust-folders", *how))
    return folder / "pairs"


SECTION: Section = Section("stores", "Single files and containers", TEXT, measure_section)
