"""The one order of the organs of a dataset, in which legends, tables and exports have them."""

from collections.abc import Iterable, Mapping

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.records import Slice


def organ_values(told: LabelMap, rows: Iterable[Mapping[int, str]]) -> dict[str, int]:
    """Every organ and its mask value, the lowest of several.

    Args:
        told: what a descriptor says the values stand for; its organs come first, ascending, also
            those that no mask shows.
        rows: the `labels` of rows; what they alone name follows, ascending.
    """
    values = _lowest([{value: label.name for value, label in told.items()}])
    return values | {name: at for name, at in _lowest(rows).items() if name not in values}


def organ_order(told: LabelMap, rows: Iterable[Slice]) -> tuple[str, ...]:
    """Every organ that rows speak of, in the one order in which all that is shown has them.

    It is that of `organ_values`; what stands in areas alone follows as it comes.

    Args:
        told: what a descriptor says the values stand for.
        rows: those of the whole dataset.
    """
    seen = list(rows)
    counted = dict.fromkeys(organ for row in seen for organ in row.pixels)
    return tuple(dict.fromkeys([*organ_values(told, (row.labels for row in seen)), *counted]))


def _lowest(labels: Iterable[Mapping[int, str]]) -> dict[str, int]:
    values: dict[str, int] = {}
    for row in labels:
        for value, organ in row.items():
            values[organ] = min(value, values.get(organ, value))
    return dict(sorted(values.items(), key=lambda item: (item[1], item[0])))
