"""What was measured, as a table for a terminal or as Markdown, and beside what was expected."""

import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measure import Measurement

COPY = "cp -r"
_OURS = "chaosprep -j "
_LIBRARIES = (
    "chaosprep",
    "numpy",
    "opencv-python-headless",
    "pydicom",
    "Pillow",
    "matplotlib",
    "Augmentor",
)
_HEADER = ("stage", "run", "slices/s (min..max)", "MB tree/one", "x tutorial", "x cp -r")
EXPECTED = (
    ("extract-liver", 50.0),
    ("mask pixels alone", 50.0),
    ("convert", 15.0),
    ("augment", 1.5),
)
"""Stage -> how many times faster than the tutorial's way it is meant to be."""

EXPECTED_MB = 400.0
"""What a stage's whole process tree is meant to stay under, in MB."""


@dataclass(frozen=True)
class Result:
    """All measurements of one thing; `rates` in slices per second, memory the largest seen."""

    stage: str
    run: str
    rates: tuple[float, ...]
    tree_mb: float | None
    process_mb: float | None

    @classmethod
    def of(cls, stage: str, run: str, slices: int, found: Sequence[Measurement]) -> "Result":
        """Turn the times of `slices` slices into rates."""
        trees = [m.tree_mb for m in found if m.tree_mb is not None]
        processes = [m.process_mb for m in found if m.process_mb is not None]
        rates = tuple(slices / m.seconds for m in found)
        return cls(stage, run, rates, max(trees, default=None), max(processes, default=None))

    @property
    def rate(self) -> float:
        """The median rate."""
        return statistics.median(self.rates)

    @property
    def is_ours(self) -> bool:
        """Whether it is our command, and not one that it is compared with."""
        return self.run.startswith(_OURS)


def ours(jobs: int) -> str:
    """The name of our command's run with so many jobs."""
    return f"{_OURS}{jobs}"


def describe_machine(slices: int, repeats: int) -> list[str]:
    """What the figures depend on, in a few lines."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    libraries = [f"{name} {found}" for name in _LIBRARIES if (found := _version(name))]
    return [
        f"{slices} slices of 256 x 256 in every run; medians of {repeats} runs of whole commands",
        "(start-up, hashes, manifest and files included; pixels alone: 64 slices, in memory).",
        "MB is the peak of all processes of a command together / of the largest one.",
        f"{_cpu()}, {cores} cores, load {os.getloadavg()[0]:.1f} at the start",
        ", ".join([system, *libraries[:2]]),
        ", ".join(libraries[2:]),
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "CPU")


def render(machine: Sequence[str], results: Sequence[Result]) -> str:
    """The whole report as text, at most 100 columns wide."""
    rows = [_HEADER, *cells(results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*machine, "", *lines, "", *verdicts(results)])


def to_markdown(machine: Sequence[str], results: Sequence[Result]) -> str:
    """The whole report as Markdown."""
    rows = [_HEADER, ("--", "--", "--:", "--:", "--:", "--:"), *cells(results)]
    table = [f"| {' | '.join(row)} |" for row in rows]
    notes = [f"- {line}" for line in (*machine, *verdicts(results))]
    return "\n".join([*notes[: len(machine)], "", *table, "", *notes[len(machine) :], ""])


def cells(results: Sequence[Result]) -> Iterator[tuple[str, ...]]:
    """One row of text for each result; a stage is named in its first row only."""
    copy: Result | None = None
    last = ""
    for result in results:
        peers = [r for r in results if r.stage == result.stage and not r.is_ours]
        # Stages that read the same directory share the copy that the first of them shows.
        copy = next((r for r in peers if r.run == COPY), copy)
        yield (
            result.stage if result.stage != last else "",
            result.run,
            f"{result.rate:.0f} ({min(result.rates):.0f}..{max(result.rates):.0f})",
            _memory(result),
            _times(result, next((r for r in peers if r.run != COPY), None)),
            _times(result, copy),
        )
        last = result.stage


def _memory(result: Result) -> str:
    if result.tree_mb is None or result.process_mb is None:
        return "-"
    return f"{result.tree_mb:.0f} / {result.process_mb:.0f}"


def _times(result: Result, peer: Result | None) -> str:
    return _ratio(result, peer) if peer is not None and result.is_ours else ""


def _ratio(result: Result, peer: Result) -> str:
    times = result.rate / peer.rate
    return f"{times:.1f}" if times >= 10 else f"{times:.2f}"


def verdicts(results: Sequence[Result]) -> Iterator[str]:
    """What was expected, and whether it was measured."""
    for stage, factor in EXPECTED:
        peer = next((r for r in results if r.stage == stage and not r.is_ours), None)
        if peer is None or peer.run == COPY:
            yield f"{stage}: at least {factor:g} x the tutorial's way expected; not measured"
            continue
        for result in (r for r in results if r.stage == stage and r.is_ours):
            word = "met" if result.rate >= factor * peer.rate else "MISSED"
            yield (
                f"{stage}, {result.run}: at least {factor:g} x {peer.run} expected, "
                f"{_ratio(result, peer)} x measured: {word}"
            )
    known = [r for r in results if r.is_ours and r.tree_mb is not None]
    worst = max(known, key=lambda r: r.tree_mb or 0.0, default=None)
    if worst is None or worst.tree_mb is None:
        yield f"peak memory: under {EXPECTED_MB:g} MB expected; not measured"
    else:
        word = "met" if worst.tree_mb < EXPECTED_MB else "MISSED"
        yield (
            f"peak memory: under {EXPECTED_MB:g} MB expected, {worst.tree_mb:.0f} MB in "
            f"{worst.stage}, {worst.run}: {word}"
        )
