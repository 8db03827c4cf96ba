"""What was measured, as Markdown tables that can be read on a terminal too."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Measurement

OURS = "chaosprep"
NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Result:
    """All measurements of one thing, in the order of the rounds.

    `seconds` are for `count` slices; without any, `instead` says why. `wrote` is what it left.
    """

    group: str
    run: str
    seconds: tuple[float, ...]
    count: int = 1
    tree_mb: float | None = None
    process_mb: float | None = None
    wrote: str = ""
    instead: str = NOT_INSTALLED

    @classmethod
    def of(
        cls, group: str, run: str, count: int, found: Sequence[Measurement], wrote: str
    ) -> "Result":
        """Gather runs: the times of all, the largest memory of any."""
        trees = [m.tree_mb for m in found if m.tree_mb is not None]
        processes = [m.process_mb for m in found if m.process_mb is not None]
        seconds = tuple(m.seconds for m in found)
        memory = max(trees, default=None), max(processes, default=None)
        return cls(group, run, seconds, count, *memory, wrote)

    @property
    def is_ours(self) -> bool:
        """Whether it is ours, and not what it is compared with."""
        return self.run.startswith(OURS)

    @property
    def memory(self) -> str:
        """The peaks of all processes together and of the largest one, MB."""
        if self.tree_mb is None or self.process_mb is None:
            return ""
        return f"{self.tree_mb:.0f} / {self.process_mb:.0f}"


@dataclass(frozen=True)
class Unit:
    """How a time is shown: its name, and the figure of some seconds for so many slices."""

    name: str
    of: Callable[[float, int], float]


RATE = Unit("slices/s", lambda seconds, count: count / seconds)
EACH = Unit("ms", lambda seconds, count: 1000 * seconds / count)


def spread(values: Sequence[float]) -> str:
    """The median, and the least and largest: ``12.3 (11.8..13.0)``."""
    middle = statistics.median(values)
    return f"{figure(middle)} ({figure(min(values))}..{figure(max(values))})"


def figure(value: float) -> str:
    """A number with about three digits."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def plural(count: int, thing: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def compare(results: Sequence[Result], unit: Unit, title: str) -> list[str]:
    """A table of groups, each ours beside the others.

    The columns on the right are, round by round, how many times as fast as the row ours is. What
    no row has (memory, what was written) gets no column.
    """
    ours = list(dict.fromkeys(result.run for result in results if result.is_ours))
    header = [title, "run", unit.name, *(f"{name} is" for name in ours), "MB", "wrote"]
    rows, last = [], ""
    for result in results:
        known = {r.run: r for r in results if r.group == result.group and r.is_ours}
        times = [_times(result, known.get(name)) for name in ours]
        shown = [unit.of(seconds, result.count) for seconds in result.seconds]
        middle = spread(shown) if shown else result.instead
        group = result.group if result.group != last else ""
        rows.append([group, result.run, middle, *times, result.memory, result.wrote])
        last = result.group
    used = [i for i in range(len(header)) if i < 3 or any(row[i] for row in rows)]
    return table([header[i] for i in used], [[row[i] for i in used] for row in rows], left=2)


def _times(result: Result, ours: Result | None) -> str:
    if ours is None or result.is_ours or not result.seconds:
        return ""
    return spread(times(result, ours))


def times(peer: Result, ours: Result) -> list[float]:
    """How many times as fast as the peer ours is, round by round; a slow peer has fewer rounds."""
    return [theirs / own for theirs, own in zip(peer.seconds, ours.seconds, strict=False)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Markdown with columns in line, the first `left` of them to the left."""
    widths = [max(2, *(len(row[i]) for row in (header, *rows))) for i in range(len(header))]
    rules = ["-" * width if i < left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    lines = [
        " | ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, rules, *rows)
    ]
    return [f"| {line} |" for line in lines]
