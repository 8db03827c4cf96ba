"""Every command beside its peers, in one run: python -m benchmarks pipeline.

Each run is the whole command in a process of its own, so that start-up, hashes and the manifest
count; the runs of all sides take turns, so that a busy moment hits all of them.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import describe, put_away
from benchmarks.measure import Measurement, measure, say
from benchmarks.peers import Peer, peers
from benchmarks.section import Asked, Section
from benchmarks.sources import make_sources, patients
from benchmarks.tables import OURS, RATE, Result, compare, plural
from benchmarks.verdicts import verdicts

SLOW_ROUNDS = 2
PROGRAM = (sys.executable, "-m", "chaosprep.cli.entry")
TEXT = """\
Whole commands: process start, hashes and manifest count, and each file is written. All rows of a
round run one after the other, before the next round begins. Rows of `chaosprep` name their
workers; a peer's last columns say how many times as fast as the peer ours is (below 1: the peer
is faster). MB is the peak of all processes of a command together / of its largest process, where
pages that they share count for each. "Same bytes in and out" is a Python loop that reads what
ours reads and writes files of the sizes that ours writes; "zlib alone" compresses the pixels of
the PNG files and does nothing else. Files that are read stand in the page cache."""


@dataclass(frozen=True)
class Command:
    """One command of ours: its words, and whether it writes an output directory."""

    name: str
    words: tuple[str, ...]
    source: str
    writes: bool = True

    def line(self, jobs: int) -> tuple[str, ...]:
        """What a person types, with the paths in braces."""
        output = ("-o", "{output}") if self.writes else ()
        return (*PROGRAM, *self.words, f"{{{self.source}}}", "--jobs", str(jobs), *output)


def _nothing() -> AbstractContextManager[Mapping[str, str]]:
    return nullcontext({})


@dataclass
class Task:
    """One row of the table while it is measured.

    `around` opens what the command needs and what does not count, and gives more values for its
    braces.
    """

    group: str
    run: str
    command: tuple[str, ...]
    slow: bool = False
    is_installed: bool = True
    around: Callable[[], AbstractContextManager[Mapping[str, str]]] = _nothing
    found: list[Measurement] = field(default_factory=list)
    wrote: str = ""
    failure: str = ""

    def result(self, slices: int) -> Result:
        """The row."""
        if self.failure:
            return Result(self.group, self.run, (), instead="failed")
        if not self.found:
            return Result(self.group, self.run, ())
        return Result.of(self.group, self.run, slices, self.found, self.wrote)


def commands(slices: int) -> tuple[Command, ...]:
    """What is measured, on `slices` slices each (`augment`: that many copies)."""
    copies = ("--preset", "tutorial", "--samples", str(slices))
    return (
        Command("split", ("split", "--val-patient", "MR001"), "chaos"),
        Command("extract-liver", ("extract-liver",), "split"),
        Command("convert", ("convert",), "liver"),
        Command("convert --keep-16bit", ("convert", "--keep-16bit"), "liver"),
        Command("convert --format npy", ("convert", "--format", "npy"), "liver"),
        Command("augment", ("augment", *copies), "8-bit"),
        Command("verify", ("verify",), "8-bit", writes=False),
        Command("prepare", ("prepare", "--val-patient", "MR001", *copies), "chaos"),
        Command("inspect", ("inspect",), "chaos", writes=False),
    )


def tasks(slices: int, jobs: Sequence[int], *, slow: bool = True) -> Iterator[Task]:
    """Every row; without `slow` those whose time is all computing are left out."""
    known = peers(slices)
    for command in commands(slices):
        for count in jobs:
            yield Task(command.name, f"{OURS} -j {count}", command.line(count))
        for peer in known[command.name]:
            if slow or not peer.slow:
                yield _task(command.name, peer)


def _task(group: str, peer: Peer) -> Task:
    return Task(group, peer.name, peer.command, peer.slow, peer.is_installed)


def run_rounds(
    todo: Sequence[Task],
    sources: Mapping[str, Path],
    folder: Path,
    *,
    repeats: int,
    slow_rounds: int = SLOW_ROUNDS,
) -> None:
    """Measure every task once in each round, each into a new directory that is then put away.

    What our first run of each command writes is kept aside: the floors write the same.
    """
    references: dict[str, Path] = {}
    for number in range(repeats):
        for task in todo:
            if not task.is_installed or task.failure or (task.slow and number >= slow_rounds):
                continue
            say(f"round {number + 1} of {repeats}: {task.group}, {task.run}")
            reference = references.setdefault(task.group, folder / f"reference {len(references)}")
            paths = {**sources, "reference": reference, "output": folder / "output"}
            _measure(task, paths)
            if task.run.startswith(OURS) and paths["output"].exists() and not reference.exists():
                paths["output"].rename(reference)
            put_away(paths["output"])
    say("")


def _measure(task: Task, paths: Mapping[str, Path]) -> None:
    """Run a task once; ours must succeed, and a peer that fails is said so."""
    values = {name: str(path) for name, path in paths.items()}
    try:
        with task.around() as more:
            words = [word.format_map({**values, **more}) for word in task.command]
            os.sync()  # what the one before left to write is not this one's business
            task.found.append(measure(words))
    except RuntimeError as error:
        if task.run.startswith(OURS):
            raise
        task.failure = str(error)
        print(f"{task.group}, {task.run}: {error}", file=sys.stderr)
    if not task.wrote:
        task.wrote = written(paths["output"])


def written(folder: Path) -> str:
    """How many files a folder holds, and how many MB; nothing where there is none."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return f"{plural(len(sizes), 'file')}, {sum(sizes) / 1e6:.1f} MB" if sizes else ""


def run(
    asked: Asked, place: Path | None = None, *, slow: bool = True, matrix: int = 256
) -> list[Result]:
    """Make the sources in a new folder of `place` and measure everything that reads them."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        people = patients(asked.slices, matrix)
        say(f"making {asked.slices} slices")
        sources = make_sources(folder, people)
        todo = list(tasks(asked.slices, asked.jobs, slow=slow))
        run_rounds(todo, sources, folder, repeats=asked.repeats)
        return [task.result(asked.slices) for task in todo]


def lines(asked: Asked, place: Path | None = None, *, slow: bool = True) -> list[str]:
    """The machine, the table, and how it stands beside what was expected."""
    machine = describe(Path(place or tempfile.gettempdir()), peers=True)
    results = run(asked, place, slow=slow)
    rest = f", {SLOW_ROUNDS} of what is slow" if slow and asked.repeats > SLOW_ROUNDS else ""
    note = f"- {asked.slices} slices of 256 x 256; {plural(asked.repeats, 'round')}{rest}."
    return [*machine, note, "", *compare(results, RATE, "command"), "", *verdicts(results)]


def measure_section(asked: Asked) -> list[str]:
    """The table on the usual disk, and what each peer does."""
    notes = [
        f"- {command}, {peer.name}: {peer.note}."
        for command, some in peers(asked.slices).items()
        for peer in some
        if peer.note
    ]
    return [*lines(asked), "", "What the others do, and what they do not:", "", *notes]


SECTION: Section = Section("pipeline", "Whole commands", TEXT, measure_section)
