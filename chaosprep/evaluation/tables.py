"""The results as an aligned table of 80 columns, and as CSV."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

import msgspec

from chaosprep.cells import cell
from chaosprep.evaluation.results import METRICS, Evaluation, OrganResult, Summary
from chaosprep.words import shortened

_COLUMNS = {name: metric for name, metric in METRICS.items() if metric.heading}
_WIDTH = 80
_CELL = 6
_ORGAN = 24


def table(found: Evaluation) -> list[str]:
    """A line for each organ of each case, then mean, sd and number of cases of each organ.

    A case whose name is too long for that has it on a line of its own, above.
    """
    lines = [_Line("Case", "Organ", [one.heading for one in _COLUMNS.values()])]
    for row in found.results:
        cells = [_number(getattr(row, name), one.decimals) for name, one in _COLUMNS.items()]
        lines.append(_Line(row.case, shortened(row.organ, _ORGAN), cells))
    for summary in found.summaries:
        lines += _summary(summary)
    organ = max(len(line.organ) for line in lines)
    room = max(_WIDTH - organ - 1 - len(_COLUMNS) * (_CELL + 1), len("cases"))
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


def csv_text(found: Evaluation) -> str:
    """Every value of every row, six decimals; empty where there is none."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(OrganResult.__struct_fields__)
    for row in found.results:
        values = msgspec.structs.astuple(row)
        writer.writerow(map(_in_csv, values))
    return stream.getvalue()


def _in_csv(value: str | float | None) -> str | float | None:
    if isinstance(value, str):
        return cell(value)
    return f"{value:.6f}" if isinstance(value, float) else value


@dataclass(frozen=True)
class _Line:
    name: str
    organ: str
    cells: list[str]


def _summary(summary: Summary) -> Iterator[_Line]:
    organ = shortened(summary.organ, _ORGAN)
    spreads = [(summary.metrics[name], one.decimals) for name, one in _COLUMNS.items()]
    yield _Line("mean", organ, [_number(one.mean, places) for one, places in spreads])
    yield _Line("+- sd", organ, [_number(one.sd, places) for one, places in spreads])
    yield _Line("cases", organ, [str(one.n) for one, _ in spreads])


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
