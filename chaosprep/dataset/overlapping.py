"""Structures that lie on each other in masks: what a value stands for, and who cannot take them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, plural

_SHOWN = 3  # sets of structures in a message
_NAMED = 8  # structures in its remedy


def structure_values(row: Slice) -> dict[str, tuple[int, ...]]:
    """Structure -> the values of a row's mask where it lies, also with others; by its own value."""
    values: dict[str, dict[int, None]] = {}
    for label, name in sorted(row.labels.items()):
        values.setdefault(name, {})[label] = None
    for value, labels in (row.overlaps or {}).items():
        for label in labels:
            values[row.labels[label]][value] = None
    return {name: tuple(found) for name, found in values.items()}


def structure_areas(row: Slice, mask: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each structure with where it lies, (rows, cols); several may lie on one pixel."""
    for name, values in structure_values(row).items():
        yield name, mask == values[0] if len(values) == 1 else np.isin(mask, values)


def refuse_overlaps(rows: Iterable[Slice]) -> None:
    """Refuse masks in which structures overlap, for who takes one structure for each pixel.

    Raises:
        FileError: `structures-overlap`.
    """
    cases: dict[tuple[str, ...], set[str]] = defaultdict(set)
    pixels = Counter[str]()
    for row in rows:
        for labels in (row.overlaps or {}).values():
            names = tuple(dict.fromkeys(row.labels[label] for label in labels))
            cases[names].add(row.case)
            pixels.update({name: row.pixels.get(name, 0) for name in names})
    if not cases:
        return
    from shlex import quote

    often = sorted(cases, key=lambda names: (-len(cases[names]), names))
    told = [
        f"{', '.join(names[:-1])} and {names[-1]} in {plural(len(cases[names]), 'case')}"
        for names in often[:_SHOWN]
    ]
    more = [f"{len(often) - _SHOWN} more sets of them"] if len(often) > _SHOWN else []
    small = sorted(pixels, key=lambda name: (pixels[name], name))  # what is large would hide it
    order = ",".join(small[:_NAMED]) + (",..." if len(small) > _NAMED else "")
    raise FileError(
        f"its structures overlap ({'; '.join([*told, *more])})",
        f"Say which lies on top: chaosprep extract-labels --order {quote(order)}. Or take "
        f"one whole: chaosprep extract-labels --organ {quote(small[-1])}.",
        code="structures-overlap",
    )
