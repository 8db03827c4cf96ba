"""Whose a case is, where neither folders nor headers tell: by its name, or by a table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaosprep.cells import read_cells
from chaosprep.errors import FileError, Problem, UsageError, plural
from chaosprep.files import read_regular, sha256
from chaosprep.layouts.folder_cases import NOWHERE
from chaosprep.layouts.layout import Where
from chaosprep.layouts.patterns import stem
from chaosprep.words import shortened

TABLE = "patients.csv"
"""Our exports write whose each case is into a file of this name."""
COLUMNS = ("case", "patient")

_FIELD = re.compile(r"(\{(?:patient)?\})")
_MOST = 2**24  # bytes of a table
_SHOWN = 3  # names in a message
_LONGEST = 255  # letters of a name that is shown: no file has more


@dataclass(frozen=True)
class Told:
    """Whose cases are: name of a case -> what tells the patient, and what is to be said."""

    patients: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    note: str = ""


def patients_of(names: Sequence[str], where: Where, folder: Path) -> Told:
    """Tell the patient of each case: by the user's pattern or table, else by our own export's.

    Names do not tell it by themselves. Where nothing does and names need not be strict, each case
    is a patient's of its own, and that is a problem.

    Raises:
        UsageError: `patient-unknown`; `pattern` or `patients-table`, what was given will not do.
    """
    hidden = where.key is not None
    if where.patient_from_name is not None:
        return _by_name(names, where.patient_from_name, hidden)
    if where.patients is not None:
        return _by_table(names, read_patients(Path(where.patients)), "--patients", hidden)
    own = read_patients(folder / TABLE, own=True)
    if own is not None:
        return _by_table(names, own, TABLE, hidden)
    unknown = _unknown(names, hidden)
    if where.strict:
        raise unknown
    return Told({name: name for name in names}, (Problem.of(unknown, NOWHERE),))


def name_pattern(text: str) -> re.Pattern[str]:
    """A pattern of cases' names: `{patient}` is the patient, `{}` anything, the rest itself.

    `{patient}` takes as much as it can: `{patient}_{}` is what stands before the last underscore.

    Raises:
        UsageError: `pattern`, it has not one `{patient}`, or something else in braces.
    """
    rest = _FIELD.sub("", text)
    if text.count("{patient}") != 1 or "{" in rest or "}" in rest or "}{" in text:
        raise UsageError(
            f"--patient-from-name: {text!r} does not say which part of a name is the patient",
            "Write {patient} once, {} for what may be anything, with text between them: "
            "'{patient}_{}', or of the paths of --layout headers '{patient}/{}'.",
            code="pattern",
        )
    return re.compile(fields_pattern(text, "."), re.DOTALL)


def fields_pattern(text: str, sign: str) -> str:
    """The regular expression of a text with fields, each of one or more of a sign.

    What stands behind a `{}` is taken where it comes first, for good: to look for it farther on
    finds no other patient, and takes for ever in a name such as `aaaa`.
    """
    first, *rest = _FIELD.split(text)
    made = re.escape(first)
    for at in range(0, len(rest), 2):
        behind = re.escape(rest[at + 1])
        if rest[at] == "{patient}":
            made += f"(?P<patient>{sign}+){behind}"
        else:
            is_last = at + 2 == len(rest)
            made += f"{sign}+?{behind}" if is_last else f"(?>{sign}+?{behind})"
    return made


def read_patients(file: Path, *, own: bool = False) -> dict[str, str] | None:
    """Case -> patient, of a table (CSV, also with semicolons or tabs), with or without a heading.

    One of our ``own`` has a heading that says so; None without it, or where there is no such file.

    Raises:
        UsageError: `patients-table`, it cannot be used.
    """
    try:
        rows = read_cells(read_regular(file, follow=not own, most=_MOST))
    except FileError as error:
        if own:
            return None
        raise _no_table(error.reason) from error
    except ValueError as error:
        if own:
            return None
        raise _no_table("it is not CSV in UTF-8") from error
    heading = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
    has_heading = set(COLUMNS) <= set(heading)
    if own and not has_heading:
        return None
    at = tuple(map(heading.index, COLUMNS)) if has_heading else (0, 1)
    found: dict[str, str] = {}
    for line, row in rows[has_heading:]:
        cells = [cell.strip() for cell in row]
        case, patient = (cells[n] if n < len(cells) else "" for n in at)
        if not case or not patient:
            raise _no_table(f"line {line} does not name a case and its patient")
        if found.setdefault(case, patient) != patient:
            raise _no_table(f"line {line} gives a case a different patient from an earlier line")
    return found


def fingerprint(table: str) -> str:
    """8 hexadecimal digits that tell what a table says from what another does.

    Raises:
        UsageError: `patients-table`.
    """
    said = sorted((read_patients(Path(table)) or {}).items())
    return sha256(msgspec.json.encode(said))[:8]


def _by_name(names: Sequence[str], text: str, hidden: bool) -> Told:
    pattern = name_pattern(text)
    found = {name: fit["patient"] for name in names if (fit := pattern.fullmatch(name))}
    strange = [name for name in names if name not in found]
    reason = f"the pattern does not fit {cases_text(strange, hidden)}"
    remedy = "Write one that fits every name, or give a table: --patients TABLE."
    return _told(found, strange, f"--patient-from-name '{text}'", reason, remedy)


def _by_table(
    names: Sequence[str], table: Mapping[str, str] | None, source: str, hidden: bool
) -> Told:
    plain = {stem(case): patient for case, patient in (table or {}).items()}
    given = plain | dict(table or {})
    found = {name: given[name] for name in names if name in given}
    lacking = [name for name in names if name not in found]
    reason = f"{source} does not give the patient of {cases_text(lacking, hidden)}"
    return _told(found, lacking, source, reason, "Add a line for each case: case,patient.")


def _told(
    found: Mapping[str, str], others: Sequence[str], source: str, reason: str, remedy: str
) -> Told:
    """What was found; the cases of which nothing was are a problem."""
    problem = Problem(code="patient-unmatched", id=NOWHERE, reason=reason, remedy=remedy)
    count = plural(len({*found.values()}), "patient")
    note = f"{count} in {plural(len(found), 'case')}, by {source}" if found else ""
    return Told(found, (problem,) if others else (), note)


def _unknown(names: Sequence[str], hidden: bool) -> UsageError:
    apart = next((sign for sign in "_-." if _tells_several(names, sign)), None)
    each = "'{patient}' where every case is of a different patient"
    example = f"'{{patient}}{apart}{{}}', or {each}" if apart else each
    return UsageError(
        f"it is not known which patient {cases_text(names, hidden)} "
        f"{'belong' if names[1:] else 'belongs'} to",
        f"Say which part of a name is the patient: --patient-from-name {example}; or give a table "
        "(CSV: case,patient): --patients TABLE.",
        code="patient-unknown",
    )


def _tells_several(names: Sequence[str], sign: str) -> bool:
    """Whether what stands before the last of a sign is not the same in all names: `liver_1` is."""
    parts = [name.rpartition(sign) for name in names]
    return all(before and after for before, _, after in parts) and len({p[0] for p in parts}) > 1


def cases_text(names: Sequence[str], hidden: bool) -> str:
    """`5 cases (a, b, c, ...)`; their number alone where names are hidden."""
    count = plural(len(names), "case")
    shown = ", ".join(shortened(name, _LONGEST) for name in sorted(names)[:_SHOWN])
    return count if hidden else f"{count} ({shown}{', ...' if len(names) > _SHOWN else ''})"


def _no_table(why: str) -> UsageError:
    return UsageError(
        f"--patients: {why}", "Write a line for each case: case,patient.", code="patients-table"
    )
