"""What notebooks show of what was judged, in the words that the commands have for it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chaosprep import html
from chaosprep.causes import Found, Note, by_cause
from chaosprep.errors import Problem
from chaosprep.quality.archive_rows import NUMBERS as KIND_NUMBERS
from chaosprep.quality.archive_rows import kind_rows
from chaosprep.quality.archived import Archive
from chaosprep.quality.case_rows import HEADINGS, NUMBERS, cells, summary
from chaosprep.quality.diff.found import Diff
from chaosprep.quality.diff.lines import lines
from chaosprep.quality.inspected import Inspection
from chaosprep.quality.verify import Verdict

_OUTLIERS = 10  # lines


def verdict(found: Verdict) -> str:
    """What `verify` found: how much of each kind, then of each cause a few."""
    kinds = {"Fault": leaks_first(found.faults), "Warning": leaks_first(found.warnings)}
    told = (
        line
        for (kind, some), where in zip(kinds.items(), (".faults", ".warnings"), strict=True)
        for line in _told(f"{kind}: ", [one.in_python() for one in some], where)
    )
    notes = (f"Note: {note}" for note in found.notes)
    return html.title(found.told) + html.lines([*counts(kinds), *told, *notes])


def leaks_first(problems: Iterable[Problem]) -> list[Problem]:
    """By code, leakage before all others: it makes every number that is measured worthless."""
    return sorted(problems, key=lambda one: (one.code != "leakage", one.code))


def counts(found: Mapping[str, Sequence[Problem]]) -> Iterator[str]:
    """How many there are of each code, where that is not seen at a glance."""
    for kind, problems in found.items():
        if len(problems) > 1:
            codes = Counter(problem.code for problem in problems)
            yield f"{kind}s: {', '.join(f'{count} {code}' for code, count in codes.items())}"


def _told(lead: str, problems: Iterable[Found], where: str) -> Iterator[str]:
    for cause in by_cause(problems):
        yield from (f"{lead}{line}" for line in cause.lines)
        if cause.more:
            yield f"{lead}{cause.code}: {cause.more} more like this in {where}"


def inspection(found: Inspection) -> str:
    """What `inspect` found: its cases, what is odd, and what there is of each sequence."""
    odd = [Note(case.id, text) for case in found.cases for text in case.warnings]
    problems = [one.in_python() for one in found.problems]
    more = len(found.outliers) - _OUTLIERS
    names = [f"{one.value} {one.name}" for one in found.labels]
    told = [
        *_told("Warning: ", odd, ".cases"),
        *_told("Problem: ", problems, ".problems"),
        *(f"Note: {note}" for note in found.notes),
        *(f"Stands out: {one.case}: {one.reason}" for one in found.outliers[:_OUTLIERS]),
        *([f"Stands out: {more} more in .outliers"] if more > 0 else []),
        *([f"labels: {', '.join(names)}"] if names else []),
        *summary(found),
    ]
    rows = map(cells, found.cases)
    table = html.table(HEADINGS, rows, numbers=NUMBERS, more=".cases") if found.cases else ""
    return html.title(found.told) + table + html.lines(told)


def archive(found: Archive) -> str:
    """What `inspect` found where headers tell which series there are: a row for each kind."""
    rows = kind_rows(found)
    heads = [name for name in rows[0] if any(row[name] for row in rows)] if rows else []
    few = ([row[name] for name in heads] for row in rows)
    problems = _told("Problem: ", [one.in_python() for one in found.problems], ".problems")
    notes = (f"Note: {note}" for note in found.notes)
    table = html.table(heads, few, numbers=KIND_NUMBERS, more=".kinds") if rows else ""
    return html.title(found.told) + table + html.lines([*problems, *notes])


def difference(found: Diff) -> str:
    """What `diff` found, counts first."""
    notes = [f"Note: {note}" for note in found.notes]
    told = html.lines(lines(found, whole=True), more="its fields")
    return told + html.lines(notes) + html.title(found.told)
