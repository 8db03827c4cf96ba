"""Traits that a table tells: a column of a CSV, by the names of patients or cases."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from chaosprep.cells import read_cells
from chaosprep.division.files.said import NAMES
from chaosprep.division.names import Names
from chaosprep.division.sides import KnownSplit
from chaosprep.division.traits.headers import check_says_nobody
from chaosprep.division.traits.trait import Evidence, Trait, Value, together
from chaosprep.errors import FileError, UsageError, plural
from chaosprep.files import read_regular, sha256
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded
from chaosprep.words import there_are

_OF_PATIENTS = ("patient", "subject", "participant")  # how the column of their names begins
_ENDINGS = (".csv", ".tsv", ".txt")
_MOST = 2**24  # bytes
_CODES = 5  # different numbers, which then are codes: each is a kind
_LONGEST = 80  # letters of a kind
_MISSING = ("", "-", "?", "na", "n/a", "nan", "none", "null", "unknown")


def table(text: str, root: Root, key: Key | None) -> Trait | None:
    """`clinic.csv:stage`: a column; numbers where all of it are numbers, and no codes.

    Codes are up to five different numbers, each twice on average.
    """
    place = of_table(text)
    if place is None:
        return None
    column = read_column(text)
    names = Names(root, key)
    source = KnownSplit({}, of_patients=column.of_patients)
    values: dict[str, list[Value]] = defaultdict(list)
    for name, value in column.rows:
        found = names.of(source, name)
        if len(found) > 1:
            raise _useless(text, "one of its names may be two patients of ROOT")
        for patient in found:
            values[patient].append(value)
    if not values:
        reason = f"none of the {plural(len(column.rows), 'name')} in it is a patient of ROOT"
        raise _useless(text, reason)
    joined = {patient: _join(several) for patient, several in values.items()}

    def of_case(case: SourceCase, told: Evidence) -> Value | None:
        return joined.get(case.patient)

    return Trait(f"table:{place[1]}", of_case, lambda several: several[0])


def of_table(text: str) -> tuple[str, str] | None:
    """The file and the column of a wish; None for another kind of wish."""
    file, colon, column = text.rpartition(":")
    is_one = colon and file.casefold().endswith(_ENDINGS) and column.strip()
    return (file, column.strip()) if is_one else None


def said(text: str) -> str:
    """A wish as the manifest has it: for a table's file, a fingerprint of what its column says.

    Raises:
        UsageError: `stratify-table`, it cannot be read.
    """
    place = of_table(text)
    if place is None:
        return text
    rows = sorted((name, str(value)) for name, value in read_column(text).rows)
    return f"table {sha256(repr(rows).encode('utf-8', 'surrogatepass'))[:8]}:{place[1]}"


@dataclass(frozen=True)
class Column:
    """The name and the value of each line that has both; whether the names are of patients."""

    rows: Sequence[tuple[str, Value]]
    of_patients: bool


def read_column(text: str) -> Column:
    """The column that a wish names.

    Raises:
        UsageError: `stratify-table`, it cannot be read, or has no such column;
            `stratify-identifies`, it holds what identifies.
    """
    file, column = of_table(text) or ("", "")
    check_says_nobody(column)
    try:
        rows = read_cells(read_regular(Path(file), follow=True, most=_MOST))
    except FileError as error:
        raise _useless(text, error.reason) from error
    except ValueError as error:
        raise _useless(text, "it is not CSV in UTF-8") from error
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    at = [n for n, one in enumerate(heading) if folded(one) == folded(column)]
    if len(at) != 1:
        reason = "it has no such column" if not at else "it has that column more than once"
        raise UsageError(
            f"--stratify {text}: {reason}", there_are(heading, [column]), "stratify-table"
        )
    plain = [cell.casefold().replace(" ", "_") for cell in heading]
    key = next((plain.index(name) for name in NAMES if name in plain), 0)
    if key == at[0]:
        raise _useless(text, "that column names the patients")
    told = [
        (row[key].strip(), row[at[0]].strip()) for _, row in rows[1:] if len(row) > max(key, at[0])
    ]
    values = _values([(name, cell) for name, cell in told if name and folded(cell) not in _MISSING])
    return Column(values, plain[key].startswith(_OF_PATIENTS))


def _values(told: Sequence[tuple[str, str]]) -> list[tuple[str, Value]]:
    numbers = [(name, _number(cell)) for name, cell in told]
    distinct = len({value for _, value in numbers})
    if all(value is not None for _, value in numbers):
        are_codes = distinct <= _CODES and 2 * distinct <= len(told)
        return [(name, f"{n:.15g}" if are_codes else n) for name, n in numbers if n is not None]
    spelled: dict[str, str] = {}
    for cell in sorted(cell for _, cell in told):
        spelled.setdefault(folded(cell), cell[:_LONGEST])
    return [(name, spelled[folded(cell)]) for name, cell in told]


def _number(cell: str) -> float | None:
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _join(values: Sequence[Value]) -> Value:
    numbers = [one for one in values if isinstance(one, float)]
    return fmean(numbers) if len(numbers) == len(values) else together(values)


def _useless(text: str, reason: str) -> UsageError:
    remedy = "Give a CSV whose columns have names, one of them for the patients (or cases)."
    return UsageError(f"--stratify {text}: {reason}", remedy, code="stratify-table")
