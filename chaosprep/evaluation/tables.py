"""The results as an aligned table of 80 columns, and as CSV."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from chaosprep import html
from chaosprep.cells import cell
from chaosprep.evaluation.metric import Metric
from chaosprep.evaluation.results import COLUMNS, Evaluation, Summary, shown
from chaosprep.words import shortened

_MOST = 8  # columns
_YIELDING = (("mssd",), ("precision", "recall"))
"""What leaves the table first where it is too wide; --json and --csv have them."""
_WIDTH = 80
_CELL = 6
_ORGAN = 24


def table(found: Evaluation) -> list[str]:
    """A line for each organ of each case, then what the cases of each organ come to.

    A case whose name is too long for that has it on a line of its own, above.
    """
    columns = _columns(found)
    lines = [_heads(columns), *_results(found, columns), *_summaries(found, columns)]
    organ = max(len(line.organ) for line in lines)
    room = max(_WIDTH - organ - 1 - len(columns) * (_CELL + 1), len("cases"))
    width = max(len(line.name) for line in lines if len(line.name) <= room)
    written: list[str] = []
    above = ""
    for line in lines:
        short = len(line.name) <= width
        if not short and line.name != above:
            written.append(line.name)
        above = line.name
        figures = " ".join(cell.rjust(_CELL) for cell in line.cells)
        name = line.name if short else ""
        written.append(f"{name.ljust(width)} {line.organ.ljust(organ)} {figures}")
    return written


def as_html(found: Evaluation) -> str:
    """The same for a notebook; means go first, as they are looked for."""
    columns = {name: one for name, one in shown(found.results).items() if one.heading}
    heads, means = _heads(columns), _summaries(found, columns)
    return "".join(
        [
            html.title(found.told),
            html.table(
                ["", "Organ", *heads.cells], (line.all for line in means), numbers=heads.cells
            ),
            html.lines([*volume_lines(found), *(f"Note: {note}" for note in found.notes)]),
            html.table(
                heads.all,
                (line.all for line in _results(found, columns)),
                numbers=heads.cells,
                more=".results",
            ),
        ]
    )


def _heads(columns: dict[str, Metric]) -> "_Line":
    return _Line("Case", "Organ", [one.heading for one in columns.values()])


def _results(found: Evaluation, columns: dict[str, Metric]) -> Iterator["_Line"]:
    for row in found.results:
        cells = [number(getattr(row, name), one.decimals) for name, one in columns.items()]
        yield _Line(row.case, shortened(row.organ, _ORGAN), cells)


def _summaries(found: Evaluation, columns: dict[str, Metric]) -> Iterator["_Line"]:
    for summary in found.summaries:
        yield from _summary(summary, columns)


def _columns(found: Evaluation) -> dict[str, Metric]:
    columns = {name: one for name, one in shown(found.results).items() if one.heading}
    for names in _YIELDING:
        if len(columns) > _MOST:
            columns = {name: one for name, one in columns.items() if name not in names}
    return columns


def volume_lines(found: Evaluation) -> list[str]:
    """How the volumes of each organ agree, a line each; none where fewer than two are known."""
    known = [(one.organ, one.volume) for one in found.summaries if one.volume]
    width = max((len(shortened(organ, _ORGAN)) for organ, _ in known), default=0)
    return [
        f"volume {shortened(organ, _ORGAN).ljust(width)}  bias {in_ml(one.bias)} ml, "
        f"limits {in_ml(one.low)} to {in_ml(one.high)} ml"
        for organ, one in known
    ]


def in_ml(value: float) -> str:
    """A volume or a difference of two, without its unit."""
    return f"{value:.{1 if abs(value) >= 10 else 2}f}"


def csv_text(found: Evaluation) -> str:
    """Every value of every row, six decimals; empty where there is none."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in found.results:
        writer.writerow(in_csv(getattr(row, name)) for name in COLUMNS)
    return stream.getvalue()


def in_csv(value: str | float | None) -> str | float | None:
    """A value as a cell: six decimals, and no text that a spreadsheet takes for a formula."""
    if isinstance(value, str):
        return cell(value)
    return f"{value:.6f}" if isinstance(value, float) else value


@dataclass(frozen=True)
class _Line:
    name: str
    organ: str
    cells: list[str]

    @property
    def all(self) -> list[str]:
        """Its cells from left to right."""
        return [self.name, self.organ, *self.cells]


def _summary(summary: Summary, columns: dict[str, Metric]) -> Iterator[_Line]:
    organ = shortened(summary.organ, _ORGAN)
    spreads = [(summary.metrics[name], one.decimals) for name, one in columns.items()]
    yield _Line("mean", organ, [number(one.mean, places) for one, places in spreads])
    yield _Line("+- sd", organ, [number(one.sd, places) for one, places in spreads])
    yield _Line("cases", organ, [str(one.n) for one, _ in spreads])
    ends = [(one.interval, places) for one, places in spreads]
    if not any(one for one, _ in ends):
        return
    yield _Line(
        "95 % low", organ, [number(one.low if one else None, places) for one, places in ends]
    )
    yield _Line(
        "95 % high", organ, [number(one.high if one else None, places) for one, places in ends]
    )
    if any(one and one.patients != of.n for (one, _), (of, _) in zip(ends, spreads, strict=True)):
        yield _Line("patients", organ, [str(one.patients) if one else "-" for one, _ in ends])


def number(value: float | None, decimals: int) -> str:
    """A value in the table; a hyphen where there is none."""
    return "-" if value is None else f"{value:.{decimals}f}"
