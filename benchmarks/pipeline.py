"""Every stage beside the tutorial's way and `cp -r`, in one run: python -m benchmarks.pipeline.

Each run is the whole command in a process of its own, so that start-up, hashes and the manifest
count; the runs of all sides take turns, so that a busy moment hits all of them. TMPDIR says which
disk the files are on; on one in memory, only the work itself is left.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import chaosprep
from benchmarks import tutorial
from benchmarks.measure import Measurement, measure
from benchmarks.pixels import measure_pixels
from benchmarks.report import COPY, Result, describe_machine, ours, render, to_markdown
from chaosprep.phantom import Patient, write_chaos

SLICES_OF_A_PATIENT = 32
PIXEL_SLICES = 64


@dataclass(frozen=True)
class Stage:
    """One line of work: our command, the directory it reads, and the tutorial's step for it."""

    name: str
    command: tuple[str, ...]
    source: str
    tutorial: tuple[str, ...] = ()
    peer: str = ""


@dataclass(frozen=True)
class Task:
    """One thing to measure; its output directory comes last."""

    stage: str
    run: str
    command: tuple[str, ...]


def stages(slices: int) -> tuple[Stage, ...]:
    """What is measured, on `slices` slices each (of augment: that many copies)."""
    copies = ("--preset", "tutorial", "--samples", str(slices))
    loop, figure, threads = "per-pixel loop", "matplotlib figure", "Augmentor threads"
    return (
        Stage("split", ("split", "--val-patient", "MR001"), "chaos"),
        Stage("extract-liver", ("extract-liver",), "split", ("mask",), loop),
        Stage("convert", ("convert",), "liver", ("figure",), figure),
        Stage("convert --keep-16bit", ("convert", "--keep-16bit"), "liver"),
        Stage("convert --format npy", ("convert", "--format", "npy"), "liver"),
        Stage("augment", ("augment", *copies), "8-bit", ("augment", str(slices)), threads),
        Stage("augment (16-bit)", ("augment", *copies), "16-bit"),
    )


def patients(slices: int) -> list[Patient]:
    """MR patients with one in-phase series of 256 x 256, `slices` slices in all."""
    sizes = [SLICES_OF_A_PATIENT] * (slices // SLICES_OF_A_PATIENT)
    if slices % SLICES_OF_A_PATIENT:
        sizes.append(slices % SLICES_OF_A_PATIENT)
    return [
        Patient(id=number, sequences=("t1-in",), slices=size, matrix=256)
        for number, size in enumerate(sizes, 1)
    ]


def make_sources(folder: Path, people: Sequence[Patient]) -> dict[str, Path]:
    """Write the phantom and take it through the stages once: what each stage reads, by name."""
    made = {name: folder / name for name in ("chaos", "split", "liver", "8-bit", "16-bit")}
    write_chaos(made["chaos"], people)
    chaosprep.split(made["chaos"], made["split"], val_patient=("MR001",))
    chaosprep.extract_liver(made["split"], made["liver"])
    chaosprep.convert(made["liver"], made["8-bit"])
    chaosprep.convert(made["liver"], made["16-bit"], keep_16bit=True)
    return made


def command_line(stage: Stage, source: Path, jobs: int) -> tuple[str, ...]:
    """Our command as a person runs it, up to the output directory."""
    program = (sys.executable, "-m", "chaosprep.cli.main")
    return (*program, *stage.command, str(source), "--jobs", str(jobs), "-o")


def tasks(
    work: Sequence[Stage], sources: Mapping[str, Path], jobs: Sequence[int]
) -> Iterator[Task]:
    """Every run of one round; `cp -r` once for each source, where it is first read."""
    copied: set[str] = set()
    for stage in work:
        source = sources[stage.source]
        for count in jobs:
            yield Task(stage.name, ours(count), command_line(stage, source, count))
        if stage.tutorial and (stage.peer != "matplotlib figure" or find_spec("matplotlib")):
            yield Task(stage.name, stage.peer, _tutorial(stage, source))
        if stage.source not in copied:
            copied.add(stage.source)
            yield Task(stage.name, COPY, ("cp", "-r", str(source)))


def _tutorial(stage: Stage, source: Path) -> tuple[str, ...]:
    step, *more = stage.tutorial
    return (sys.executable, str(Path(tutorial.__file__)), step, *more, str(source))


def run_rounds(todo: Sequence[Task], folder: Path, *, slices: int, repeats: int) -> list[Result]:
    """Measure every task once in each round, each into a new directory that is then removed."""
    measured: dict[Task, list[Measurement]] = {task: [] for task in todo}
    for number in range(repeats):
        for task in todo:
            say(f"round {number + 1}: {task.stage}, {task.run}")
            output = folder / "output"
            measured[task].append(measure([*task.command, str(output)]))
            shutil.rmtree(output)
    say("")
    return [Result.of(task.stage, task.run, slices, found) for task, found in measured.items()]


def say(text: str) -> None:
    """Show on a terminal what is being measured, over what stood there."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def run(
    people: Sequence[Patient], folder: Path, *, repeats: int = 3, jobs: Sequence[int] = (1, 2)
) -> list[Result]:
    """Make the sources below `folder` and measure everything that reads them."""
    slices = sum(patient.slices for patient in people)
    sources = make_sources(folder, people)
    todo = list(tasks(stages(slices), sources, jobs))
    whole = run_rounds(todo, folder, slices=slices, repeats=repeats)
    loop = "per-pixel loop"
    alone = measure_pixels(sources["split"], slices=PIXEL_SLICES, repeats=repeats, peer=loop)
    return [*whole, *alone]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument(
        "--slices", type=int, default=640, help="slices of the phantom (%(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="rounds (%(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it as Markdown too")
    asked = parser.parse_args()
    if asked.slices <= SLICES_OF_A_PATIENT or asked.repeats < 1:
        parser.error(f"it needs more than {SLICES_OF_A_PATIENT} slices (two patients) and a round")
    machine = describe_machine(asked.slices, asked.repeats)
    with tempfile.TemporaryDirectory() as folder:
        results = run(patients(asked.slices), Path(folder), repeats=asked.repeats)
    print(render(machine, results))
    if asked.markdown:
        asked.markdown.write_text(to_markdown(machine, results), encoding="utf-8")


if __name__ == "__main__":
    main()
