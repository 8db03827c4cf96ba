"""One table of all arms: means over patients, differences from the first, and how sure they are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import msgspec

from benchmarks.tables import table
from benchmarks.training.arms import Arm
from benchmarks.training.results import Done
from chaosprep.evaluation.intervals import Interval, intervals
from chaosprep.evaluation.paired.differences import Difference, by_patient, differences
from chaosprep.evaluation.paired.signs import EXACT, holm
from chaosprep.evaluation.results import OrganResult

LEVEL = 0.05
HEADINGS = ("Dice", "95 %", "difference", "95 %", "p", "Holm", "against the first")
NOTHING = ("",) * (len(HEADINGS) - 1)

Key = tuple[int, str, str]
"""Seed, case, organ."""
Rows = Mapping[Key, OrganResult]
Finished = Mapping[tuple[str, int, int], Done]


@dataclass(frozen=True)
class Line:
    """An arm: its mean over patients, and its difference from the first arm of its group.

    `instead` stands where it was not measured. Organs, cases and seeds of a patient are averaged.
    """

    arm: Arm
    dice: float | None = None
    interval: Interval | None = None
    against: Difference | None = None
    holm: float | None = None
    instead: str = ""

    @property
    def verdict(self) -> str:
        """Whether it is more than chance, by Holm's p."""
        if self.against is None or self.holm is None:
            return ""
        if self.holm >= LEVEL:
            return "not significant"
        return "better" if self.against.difference > 0 else "worse"


def compared(
    groups: Sequence[Sequence[Arm]],
    done: Finished,
    runs: Collection[tuple[int, int]],
    missing: Mapping[str, str],
) -> list[Line]:
    """The lines of a table, with p-values adjusted for all of its comparisons.

    Args:
        groups: arms; in each, the first is what the others are compared with.
        done: all results.
        runs: (fold, seed) of all trainings of an arm.
        missing: arm -> why it cannot be gone.
    """
    lines = [line for group in groups for line in _group(group, done, runs, missing)]
    tests = [place for place, line in enumerate(lines) if line.against]
    adjusted = holm([one.p for line in lines if (one := line.against)])
    for place, p in zip(tests, adjusted, strict=True):
        lines[place] = replace(lines[place], holm=p)
    return lines


def _group(
    group: Sequence[Arm],
    done: Finished,
    runs: Collection[tuple[int, int]],
    missing: Mapping[str, str],
) -> Iterator[Line]:
    first: Rows = {}
    for arm in group:
        some = [done[arm.name, *run] for run in sorted(runs) if (arm.name, *run) in done]
        if len(some) < len(runs):
            reason = missing.get(arm.name, f"{len(some)} of {len(runs)} trainings")
            yield Line(arm, instead=f"not measured: {reason}")
            continue
        rows = rows_of(some)
        against = difference(rows, first) if first else None
        yield Line(arm, mean(rows), interval(rows), against)
        if arm is group[0]:
            first = rows


def rows_of(done: Sequence[Done]) -> Rows:
    """The rows of all folds and seeds, as of one organ."""
    return {
        (one.seed, row.case, row.organ): msgspec.structs.replace(row, organ="all")
        for one in done
        for row in one.results
    }


def mean(rows: Rows) -> float:
    """Dice of a patient, then the mean over patients."""
    return fmean(a for a, _ in by_patient([(row, row) for row in rows.values()], "dice").values())


def interval(rows: Rows) -> Interval | None:
    """The 95 % interval of that mean."""
    some = list(rows.values())
    return intervals({"dice": [row.dice for row in some]}, [row.patient for row in some])["dice"]


def difference(rows: Rows, first: Rows) -> Difference:
    """An arm's Dice minus that of the first, patient by patient, as `evaluate A B REF` has it."""
    pairs = [(row, first[key]) for key, row in rows.items() if key in first]
    ((found,), _) = differences(pairs, ("dice",))
    return found


def shown(lines: Sequence[Line], titles: tuple[str, str]) -> list[str]:
    """The table as Markdown."""
    return table((*titles, *HEADINGS), [(*one.arm.titles, *_cells(one)) for one in lines], left=2)


def _cells(line: Line) -> tuple[str, ...]:
    if line.dice is None:
        return (line.instead, *NOTHING)
    found = f"{line.dice:.3f}", _ends(line.interval, "")
    if line.against is None or line.holm is None:
        return (*found, *NOTHING[1:])
    return (
        *found,
        f"{line.against.difference:+.3f}",
        _ends(line.against.interval, "+"),
        f"{line.against.p:.3f}",
        f"{line.holm:.3f}",
        line.verdict,
    )


def _ends(interval: Interval | None, sign: str) -> str:
    return "-" if interval is None else f"{interval.low:{sign}.3f} to {interval.high:{sign}.3f}"


def said(lines: Sequence[Line]) -> Iterator[str]:
    """What is significant, and what could be: sentences below the table."""
    tests = [line for line in lines if line.against]
    if not tests:
        return
    sure = [f"{', '.join(one.arm.titles)} ({one.verdict})" for one in tests if _is_sure(one)]
    yield f"- More than chance at {LEVEL:.0%}, by Holm's p: {'; '.join(sure) or 'nothing'}."
    patients = min(one.against.patients for one in tests if one.against)
    least = 2 / 2 ** min(patients, EXACT)
    if least * len(tests) >= LEVEL:
        yield (
            f"- {patients} patients have 2^{patients} assignments of signs: no p can be below "
            f"{least:.3f}, and none below {min(1, least * len(tests)):.3f} when it is adjusted for "
            f"{len(tests)} comparisons. Nothing on so few patients can be significant."
        )


def _is_sure(line: Line) -> bool:
    return line.holm is not None and line.holm < LEVEL
