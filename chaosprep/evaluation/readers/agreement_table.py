"""What readers agree on as aligned tables of 80 columns."""

from collections.abc import Iterator, Sequence

from chaosprep import html
from chaosprep.evaluation.readers.agreement import METRICS, Agreed, PairSummary, shown
from chaosprep.words import shortened

_WIDTH = 80
_CELL = 6
_ORGAN = 20
Row = tuple[str, ...]


def lines(found: Agreed) -> list[str]:
    """Who the readers are; a line for every two of them, each organ and case; means; each reader.

    The `mean` of more than two readers is that over the cases of the mean over their pairs.
    """
    who = [f"{one.name}: {one.given} ({one.kind})" for one in found.readers]
    return [*who, *_aligned(_pairs(found), 3), *_aligned(list(_readers(found)), 2)]


def as_html(found: Agreed) -> str:
    """The same for a notebook; each reader goes first."""
    who = [f"{one.name}: {one.given} ({one.kind})" for one in found.readers]
    (heads, *readers), (columns, *pairs) = _readers(found), _pairs(found)
    return "".join(
        [
            html.title(found.told),
            html.lines([*who, *(f"Note: {note}" for note in found.notes)]),
            html.table(heads, readers, numbers=heads[2:]),
            html.table(columns, pairs, numbers=columns[3:], more=".results"),
        ]
    )


def _pairs(found: Agreed) -> list[Row]:
    columns = [name for name in shown(found.results) if METRICS[name][0]]
    pairs = [("Case", "Organ", "Readers", *(METRICS[name][0] for name in columns))]
    for row in found.results:
        values = [_number(getattr(row, name), METRICS[name][1]) for name in columns]
        pairs.append((row.case, row.organ, "-".join(row.readers), *values))
    for summary in found.summaries:
        pairs += _summary(summary, columns)
    return pairs


def _summary(summary: PairSummary, columns: Sequence[str]) -> Iterator[Row]:
    readers = "-".join(summary.readers) if len(summary.readers) == 2 else "all"
    spreads = [(summary.metrics[name], METRICS[name][1]) for name in columns]
    place = summary.organ, readers
    yield "mean", *place, *(_number(one.mean, decimals) for one, decimals in spreads)
    yield "+- sd", *place, *(_number(one.sd, decimals) for one, decimals in spreads)
    yield "cases", *place, *(str(one.n) for one, _ in spreads)


def _readers(found: Agreed) -> Iterator[Row]:
    has_rates = bool(found.estimates)
    yield "Reader", "Organ", "Dice", "ml", *(("Sens", "Spec") if has_rates else ())
    for one in found.by_reader:
        rates = [one.sensitivity, one.specificity] if has_rates else []
        values = (_number(rate.mean if rate else None, 3) for rate in rates)
        mean = _number(one.dice.mean, 3), _number(one.ml.mean, 1)
        yield one.reader, one.organ, *mean, *values


def _aligned(rows: Sequence[Row], texts: int) -> Iterator[str]:
    """Rows whose first columns are so many texts, the others numbers; the first text yields."""
    rest = [tuple(shortened(text, _ORGAN) for text in row[1:texts]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rest, strict=True)]
    figures = len(rows[0]) - texts
    room = _WIDTH - sum(width + 1 for width in widths) - figures * (_CELL + 1)
    names = [shortened(row[0], room) for row in rows]
    width = max(map(len, names))
    for name, others, row in zip(names, rest, rows, strict=True):
        cells = [one.ljust(size) for one, size in zip(others, widths, strict=True)]
        numbers = [one.rjust(_CELL) for one in row[texts:]]
        yield " ".join([name.ljust(width), *cells, *numbers])


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
