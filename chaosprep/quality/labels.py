"""The names in a table against the label map of its dataset, and against each other."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.table import TABLE
from chaosprep.errors import REMAKE, Problem, plural
from chaosprep.quality.findings import Findings
from chaosprep.structures import folded

_SHOWN = 8  # names or values in a message


def label_findings(id: str, told: LabelMap, named: Mapping[tuple[int, str], int]) -> Findings:
    """What is wrong with the names of mask values.

    Args:
        id: what the findings are said of.
        told: the label map; where it is empty, rows are only compared with each other.
        named: mask value and name -> how many rows say so.
    """
    found = Findings()
    if told:
        found.faults += _other_names(id, told, named)
        found.warnings += _unnamed(id, told, named)
    names = [*(label.name for label in told.values()), *(name for _, name in sorted(named))]
    found.warnings += _spellings(id, names)
    return found


def _other_names(
    id: str, told: LabelMap, named: Mapping[tuple[int, str], int]
) -> Iterator[Problem]:
    for (value, name), count in sorted(named.items()):
        if value in told and told[value].name != name:
            rows = f"{plural(count, 'row')} call{'s' if count == 1 else ''}"
            reason = f"{rows} the mask value {value} {name}, the label map {told[value].name}"
            yield Problem(code="label-differs", id=id, file=TABLE, reason=reason, remedy=REMAKE)


def _unnamed(id: str, told: LabelMap, named: Mapping[tuple[int, str], int]) -> Iterator[Problem]:
    rows = Counter[int]()
    for (value, _), count in named.items():
        rows[value] += count * (value not in told)
    values = sorted(value for value, count in rows.items() if count)
    if values:
        yield Problem(
            code="label-unnamed",
            id=id,
            file=TABLE,
            reason=f"the label map does not name mask values of {plural(rows.total(), 'row')}: "
            f"{_some(map(str, values))}",
            remedy="Name them where the dataset is split, or see what they are.",
        )


def _spellings(id: str, names: list[str]) -> Iterator[Problem]:
    alike: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        alike[folded(name)][name] = None
    for spelled in alike.values():
        if len(spelled) > 1:
            yield Problem(
                code="label-spelling",
                id=id,
                file=TABLE,
                reason=f"one name is spelled in {len(spelled)} ways: {_some(spelled)}",
                remedy="Give all masks one spelling: each counts as an organ of its own.",
            )


def _some(texts: Iterable[str]) -> str:
    found = list(texts)
    return ", ".join([*found[:_SHOWN], *(["..."] if len(found) > _SHOWN else [])])
