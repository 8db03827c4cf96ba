"""Plan, run and commit a table of a million rows: `python -m benchmarks.million [--rows N]`.

A stand-in stage writes no files, so that what is measured is the runner: its plan, journal, table
and commit, in seconds and in memory of the parent process.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from benchmarks.machine import describe as describe_machine
from benchmarks.measure import memory_mb, say
from benchmarks.section import Asked, Section
from benchmarks.tables import plural, spread, table
from chaosprep.dataset.descriptor import DataSource, LabelMap, LeftOut, License, PastStage
from chaosprep.dataset.records import File, Slice, encode_row, file_columns
from chaosprep.errors import Problem
from chaosprep.params import Params
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer

TEXT = """\
A stand-in stage that writes no files: what is measured is the runner, its plan, journal, table and
commit, in seconds and in memory of the process, which is meant to stay under 2 GB."""
NO_FILE = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class RowsOnly:
    """A case of so many slices, without pixels."""

    id: str
    slices: int

    @property
    def patient(self) -> str:
        """The patient id."""
        return self.id.partition("_")[0]

    def rows(self) -> tuple[Slice, ...]:
        """Its rows, made at once."""
        return tuple(self.row(index) for index in range(self.slices))

    def row(self, index: int) -> Slice:
        """One row, as long as a real one."""
        id = f"{self.id}_s{index:03d}"
        return Slice(
            id=id,
            case=self.id,
            patient=self.patient,
            sequence="t1-in",
            slice=index,
            split="train",
            **file_columns(
                File(f"train/images/{id}.png", NO_FILE, 1),
                File(f"train/masks/{id}.png", NO_FILE, 1),
            ),
            rows=256,
            cols=256,
            dtype="uint8",
            bits_stored=8,
            spacing=(5.5, 1.8945, 1.8945),
            position=(-240.0, -240.0, 5.5 * index),
            orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            window=(0.0, 893.0),
            window_source="percentile",
            labels={255: "liver"},
            pixels={"liver": 1535},
            source=f"Train_Sets/MR/{self.patient}/T1DUAL/DICOM_anon/InPhase/{index}.dcm",
            parent=id,
        )

    def content(self) -> bytes:
        """What is planned for it."""
        return b"\n".join(encode_row(row) for row in self.rows())

    def inputs(self) -> str:
        """A hash, as of its files."""
        return hashlib.sha256(self.content()).hexdigest()


class Many(Sequence[RowsOnly]):
    """Cases that are made when they are asked for, as those of a stage directory are."""

    def __init__(self, rows: int, per_case: int) -> None:
        self._cases = rows // per_case
        self._per_case = per_case

    def __len__(self) -> int:
        return self._cases

    @overload
    def __getitem__(self, index: int) -> RowsOnly: ...
    @overload
    def __getitem__(self, index: slice) -> list[RowsOnly]: ...
    def __getitem__(self, index: int | slice) -> RowsOnly | list[RowsOnly]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if index >= self._cases:
            raise IndexError(index)
        return RowsOnly(f"MR{index:08d}_t1-in", self._per_case)


@dataclass(frozen=True)
class Source:
    """A source without a directory."""

    cases: Many
    directory: Path = Path("/nowhere")
    patients: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    history: tuple[PastStage, ...] = ()
    licenses: tuple[License, ...] = (License(name="CC0-1.0", title="Zero"),)
    sources: tuple[DataSource, ...] = (DataSource(title="made up"),)
    label_map: LabelMap = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    told: tuple[str, ...] = ()


def describe(case: RowsOnly, params: Params, writer: Writer) -> CaseResult:
    return CaseResult(case.rows())


def given(path: Path, params: Params, bench: object) -> Source:
    raise AssertionError("the stage is given its source")


STAGE = Stage(name="rows-only", version=1, params=Params, run_case=describe, open=given)


class Clock:
    """Seconds and the parent's peak memory, said at each turn of the run."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def tell(self, what: str) -> None:
        """Say what was reached."""
        now = time.perf_counter()
        peak = memory_mb(os.getpid())[1]  # not ru_maxrss: that counts what the parent held too
        print(f"{what:<10} {now - self._last:8.1f} s  {peak:8.0f} MB at most")
        self._last = now

    def on_event(self, event: Event) -> None:
        """Follow the run."""
        if event.kind == "planned":
            self.tell("planned")
        elif event.kind == "done" and event.finished == event.total:
            self.tell("worked")
        elif event.kind == "committed":
            self.tell("committed")


def measure_section(asked: Asked) -> list[str]:
    """The table: each round in a process of its own."""
    seconds: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {}
    for number in range(asked.repeats):
        say(f"a million rows, round {number + 1} of {asked.repeats}")
        command = [sys.executable, "-m", "benchmarks.million"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            part, took, _, peak, *_ = line.split()
            seconds.setdefault(part, []).append(float(took))
            peaks.setdefault(part, []).append(float(peak))
    say("")
    rows = [[part, spread(seconds[part]), spread(peaks[part])] for part in seconds]
    rounds = plural(asked.repeats, "round")
    note = f"- 1,000,000 rows in cases of 32, one process; {rounds}."
    return [*describe_machine(), note, "", *table(["until", "s", "MB at most"], rows)]


SECTION: Section = Section("million", "A million rows", TEXT, measure_section)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--per-case", type=int, default=32)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    source = Source(Many(asked.rows, asked.per_case))
    clock = Clock()
    with tempfile.TemporaryDirectory() as place:
        run(STAGE, Params(), source, Path(place, "out"), jobs=asked.jobs, on_event=clock.on_event)


if __name__ == "__main__":
    main()
