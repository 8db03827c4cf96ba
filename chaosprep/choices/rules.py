"""Which slices of a case go, and why: a rule for each thing that was asked for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from chaosprep.choices.excluded import Excluded
from chaosprep.choices.params import Area
from chaosprep.dataset.records import Slice
from chaosprep.errors import UsageError
from chaosprep.expressions.condition import Condition
from chaosprep.structures import folded
from chaosprep.words import there_are

Rows = Sequence[Slice]
Gone = Mapping[str, str]
"""The id of each slice that goes -> the reason."""

NOTHING = "{}: a value is missing"
"""What is said of rows that lack a value which a condition asks for."""


class Rule(NamedTuple):
    """What goes of a case, in the order of its rows, and by which option."""

    option: str
    gone: Callable[[Rows], Gone]


def by_tables(found: Excluded) -> Rule:
    """Slices that a table excludes, by themselves, with their case, or with their patient."""

    def gone(rows: Rows) -> Gone:
        reasons = {row.id: found.of(row.patient, row.case, row.id) for row in rows}
        return {id: reason for id, reason in reasons.items() if reason is not None}

    return Rule("exclude", gone)


def by_area(least: Area, text: str, organs: Collection[str]) -> Rule:
    """Slices whose masks show less than an area; those without a mask stay.

    Raises:
        UsageError: `organ-unknown`; of the rule, `area-unknown`: pixels have no size.
    """
    name = _called(least.organ, organs)

    def gone(rows: Rows) -> Gone:
        masked = (row for row in rows if row.mask is not None)
        return {row.id: text for row in masked if _shown(row, name, least.in_mm) < least.size}

    return Rule("min-area", gone)


def by_emptiness(most: float) -> Rule:
    """Of a case's slices with masks that show nothing, all but a part of those with masks.

    Those that stay are evenly spread over them. Copies do not count.
    """
    part = Fraction(repr(most))

    def gone(rows: Rows) -> Gone:
        masked = [row for row in rows if row.mask is not None and not row.copy]
        empty = [row.id for row in masked if not any(row.pixels.values())]
        full = len(masked) - len(empty)
        stay = len(empty) if part == 1 else min(int(part * full / (1 - part)), len(empty))
        kept = {empty[(2 * at + 1) * len(empty) // (2 * stay)] for at in range(stay)}
        return {id: f"{most:g}" for id in empty if id not in kept}

    return Rule("max-empty", gone)


def by_condition(condition: Condition) -> Rule:
    """Slices of which a condition does not hold, or that lack the value that would tell it."""

    def gone(rows: Rows) -> Gone:
        found = {row.id: condition.holds(row.id, _column(row)) for row in rows}
        texts = {False: condition.text, None: NOTHING.format(condition.text)}
        return {id: texts[holds] for id, holds in found.items() if not holds}

    return Rule("where", gone)


def ignore(rule: Rule, rows: Rows, gone: Gone, left: Rows) -> None:
    """A `tell` that does nothing."""


def apply(
    rules: Sequence[Rule], rows: Rows, tell: Callable[[Rule, Rows, Gone, Rows], None] = ignore
) -> Rows:
    """The rows of a case that stay; each rule judges what those before it left.

    A copy goes where its original goes. `tell` is called with each rule that took any, the rows
    before it, what went and what is left.
    """
    for rule in rules:
        gone = rule.gone(rows) if rows else {}
        if gone:
            places = {row.slice: gone[row.id] for row in rows if row.id in gone and not row.copy}
            copies = {row.id: places[row.slice] for row in rows if row.copy and row.slice in places}
            gone = copies | dict(gone)
            left = tuple(row for row in rows if row.id not in gone)
            tell(rule, rows, gone, left)
            rows = left
    return rows


def _column(row: Slice) -> Callable[[str], object]:
    def value(name: str) -> object:
        found = getattr(row, name)
        if isinstance(found, msgspec.Struct):
            return msgspec.structs.asdict(found)
        return None if found is UNSET else found

    return value


def _called(organ: str | None, organs: Collection[str]) -> str | None:
    """A structure as the table calls it."""
    if organ is None:
        return None
    known = {folded(one): one for one in organs}
    if folded(organ) not in known:
        raise UsageError(
            f"--min-area: no structure is called {organ}",
            there_are(sorted(organs), [organ]),
            "organ-unknown",
        )
    return known[folded(organ)]


def _shown(row: Slice, organ: str | None, in_mm: bool) -> Fraction:
    pixels = sum(row.pixels.values()) if organ is None else row.pixels.get(organ, 0)
    if not in_mm:
        return Fraction(pixels)
    if row.spacing is None:
        raise UsageError(
            f"--min-area: the size of the pixels of {row.id} is not known",
            "Give the area in pixels.",
            "area-unknown",
        )
    return pixels * Fraction(row.spacing[1]) * Fraction(row.spacing[2])
