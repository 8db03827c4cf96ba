"""Which organs change places in a mirror: those whose names tell right from left."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from chaosprep.known import MIRRORED

Side = Literal["right", "left"]
Pair = tuple[str, ...]
"""What a name says beside its side, in words: the same for both of a pair."""

_ANYWHERE: Mapping[str, Side] = {"right": "right", "left": "left", "rh": "right", "lh": "left"}
_AT_AN_END: Mapping[str, Side] = {"r": "right", "l": "left", "rt": "right", "lt": "left"}
_KNOWN: Mapping[str, tuple[Pair, Side]] = {
    **{right: ((right, left), "right") for right, left in MIRRORED},
    **{left: ((right, left), "left") for right, left in MIRRORED},
}


@lru_cache(maxsize=256)  # the names of a dataset are few, and are asked for with every slice
def side_of(name: str) -> tuple[Pair, Side] | None:
    """The pair that a name is of, and its side; None for one without.

    The side is one of the words `right`, `left`, rh and lh (hemispheres), or r, l, rt or lt at
    either end, whatever stands between words: `kidney_right`, `Left adrenal gland`, `LungL`,
    `rib_left_1`. A name of that word alone, or with two of them, has no side.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [word for word in re.split(r"[^\w]+|_+", apart.casefold()) if word]
    sides = {at: _ANYWHERE[word] for at, word in enumerate(words) if word in _ANYWHERE}
    if not sides:
        ends = {0, len(words) - 1} if words else ()
        sides = {at: _AT_AN_END[words[at]] for at in ends if words[at] in _AT_AN_END}
    if len(sides) == 1 and len(words) > 1:
        ((at, side),) = sides.items()
        return (*words[:at], *words[at + 1 :]), side
    return _KNOWN.get(name)


def sided(names: Iterable[str]) -> set[str]:
    """Those of the names that are of one side: a mirror image would have the wrong name."""
    return {name for name in names if side_of(name) is not None}


def swapped(labels: Mapping[int, str]) -> tuple[tuple[int, int], ...]:
    """The values (right, left) that a mirror exchanges, of labels by value, ascending by the right.

    None at all where a side of a pair has not just one value.
    """
    pairs: dict[Pair, dict[Side, list[int]]] = {}
    for value, name in labels.items():
        if (found := side_of(name)) is not None:
            pair, side = found
            pairs.setdefault(pair, {"right": [], "left": []})[side].append(value)
    if any(len(values) != 1 for both in pairs.values() for values in both.values()):
        return ()
    return tuple(sorted((both["right"][0], both["left"][0]) for both in pairs.values()))
