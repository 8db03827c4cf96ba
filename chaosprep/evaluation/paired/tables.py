"""A comparison of two predictions as a table of 80 columns, and as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO

from chaosprep import html
from chaosprep.evaluation.paired.comparison import Comparison
from chaosprep.evaluation.paired.differences import Difference
from chaosprep.evaluation.results import MEASURED
from chaosprep.evaluation.tables import in_csv, number
from chaosprep.words import shortened

_ORGAN = 16
_HEADINGS = ("A", "B", "A-B", "low", "high", "p", "Holm", "n")
_WIDTHS = (6, 6, 7, 7, 7, 6, 6, 4)
PAIRED_COLUMNS = (
    *("organ", "metric", "cases", "patients", "a", "b", "difference", "low", "high", "p", "p_holm"),
)


def paired_table(found: Comparison) -> list[str]:
    """A line for each test: both means, their difference with its interval, p, and patients."""
    lines: list[tuple[str, str, tuple[str, ...]]] = [("Organ", "Metric", _HEADINGS)]
    lines += [
        (shortened(one.organ, _ORGAN), MEASURED[one.metric].heading, tuple(_cells(one)))
        for one in found.differences
    ]
    organ, metric = (max(len(line[place]) for line in lines) for place in (0, 1))
    return [
        " ".join(
            [
                line[0].ljust(organ),
                line[1].ljust(metric),
                *(cell.rjust(width) for cell, width in zip(line[2], _WIDTHS, strict=True)),
            ]
        )
        for line in lines
    ]


def as_html(found: Comparison) -> str:
    """The same for a notebook."""
    rows = ([one.organ, MEASURED[one.metric].heading, *_cells(one)] for one in found.differences)
    return "".join(
        [
            html.title(found.told),
            html.table(
                ["Organ", "Metric", *_HEADINGS], rows, numbers=_HEADINGS, more=".differences"
            ),
            html.lines(f"Note: {note}" for note in found.notes),
        ]
    )


def _cells(one: Difference) -> Iterator[str]:
    places = MEASURED[one.metric].decimals
    ends = (one.interval.low, one.interval.high) if one.interval else (None, None)
    yield from (number(value, places) for value in (one.a, one.b))
    yield from (
        "-" if value is None else signed(value, places) for value in (one.difference, *ends)
    )
    yield from (number(value, 4) for value in (one.p, one.p_holm))
    yield str(one.patients)


def signed(value: float, places: int) -> str:
    """A difference with its sign; what is rounded to 0 has none."""
    text = f"{value:+.{places}f}"
    return text if text.strip("+-0.") else text[1:]


def paired_csv(found: Comparison) -> str:
    """Every test with all its numbers, six decimals; empty where there is no interval."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(PAIRED_COLUMNS)
    for one in found.differences:
        ends = {"low": one.interval.low, "high": one.interval.high} if one.interval else {}
        writer.writerow(in_csv(ends.get(name, getattr(one, name, None))) for name in PAIRED_COLUMNS)
    return stream.getvalue()
