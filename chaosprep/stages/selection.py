"""Which structures of a label map are written, and as what: chosen, renamed, merged, ranked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from shlex import quote
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.organs import unnamed
from chaosprep.errors import FileError, UsageError
from chaosprep.facts import Code, Label
from chaosprep.formats.label_table import table_of
from chaosprep.formats.legends.entries import Entry
from chaosprep.formats.legends.joining import BACKGROUND
from chaosprep.structures import folded
from chaosprep.terms import code_of, private_code, sided_code_of
from chaosprep.words import there_are

Pairs = Iterable[tuple[str, str]]
_PLACE = re.compile(
    "right|left|rh|lh|rt|lt|upper|middle|lower|superior|inferior|anterior|posterior|medial|lateral|"
    "ascending|transverse|descending|head|neck|body|tail|lobe|segment|part|half|[a-z]|[a-z]?[0-9]+[a-z]?"
)


class Structure(NamedTuple):
    """What is written: its value, its label, and the values of the label map that it is made of."""

    value: int
    label: Label
    of: frozenset[int]


@dataclass(frozen=True)
class Selection:
    """The structures to write, by value, and the places of some in the order of precedence."""

    structures: tuple[Structure, ...]
    ranks: Mapping[int, int]

    @cached_property
    def labels(self) -> LabelMap:
        """Value -> label of what is written."""
        return {one.value: one.label for one in self.structures}

    def numbered(self, values: Mapping[int, int]) -> "Selection":
        """The same structures with other values, each by its own."""
        structures = (one._replace(value=values[one.value]) for one in self.structures)
        ranks = {values[value]: rank for value, rank in self.ranks.items()}
        return Selection(tuple(structures), ranks)

    def shown(self, values: Iterable[int]) -> tuple[int, ...]:
        """What is written where these values of the label map lie on one voxel, the top first."""
        here = {*values}
        found = [one.value for one in self.structures if one.of & here]
        return tuple(sorted(found, key=lambda value: self.ranks.get(value, len(self.ranks))))

    def is_ranked(self, found: Sequence[int]) -> bool:
        """Whether the order says which of some structures lies on top."""
        return len(found) < 2 or found[0] in self.ranks

    def table(self, values: Mapping[int, tuple[int, ...]]) -> NDArray[np.uint16]:
        """Stored value -> what is written for it, (65536,); ``values`` has what each stands for."""
        table = np.zeros(2**16, np.uint16)
        for value, labels in values.items():
            table[value] = next(iter(self.shown(labels)), 0)
        return table


def select(
    labels: LabelMap,
    organs: Sequence[str] = (),
    renames: Pairs = (),
    merges: Iterable[tuple[str, Sequence[str]]] = (),
    order: Sequence[str] = (),
) -> Selection:
    """What to write of a label map.

    Names are equal but for case, spaces, `-` and `_`; of patterns, `*` stands for any text and `?`
    for any sign. Values stay: a merged structure has that of the part with its name, or else the
    lowest.

    Args:
        labels: value -> label; one name may have several values.
        organs: patterns of the names to take, old or new ones; all, where there is none.
        renames: (old, new).
        merges: (new, patterns of its parts).
        order: patterns: what comes first lies on top.

    Raises:
        UsageError: `organ-unknown`, there is no such name; `organ-name`, a name is not free, or
            belongs to another structure.
    """
    found = _Found(labels)
    for name, parts in merges:
        found.merge(name, parts)
    for old, new in renames:
        found.rename(old, new)
    taken = found.matching("organ", organs) if organs else {*found.structures}
    structures = sorted((found.structures[key] for key in taken), key=lambda one: one.value)
    kept = _Found({one.value: one.label for one in structures})
    ranked = dict.fromkeys(
        kept.structures[key].value for text in order for key in kept.in_order("order", text)
    )
    return Selection(tuple(structures), {value: rank for rank, value in enumerate(ranked)})


class _Found:
    """The structures by their names, folded, while they are merged and renamed."""

    def __init__(self, labels: LabelMap) -> None:
        self.structures: dict[str, Structure] = {}
        self._old: dict[str, str] = {}
        self._parts: dict[str, list[Structure]] = {}
        for value, label in sorted(labels.items()):
            key = folded(label.name)
            first = self.structures.get(key) or Structure(value, label, frozenset())
            self.structures[key] = first._replace(of=first.of | {value})

    def in_order(self, option: str, text: str) -> list[str]:
        """The keys that a pattern fits, by value; those of older names too."""
        sign = {"*": ".*", "?": "."}
        pattern = "".join(sign.get(one) or re.escape(one) for one in folded(text))
        fits = re.compile(pattern, re.DOTALL).fullmatch
        # What is called so now goes before what once was.
        now = {key: key for key in self.structures}
        found = dict.fromkeys(key for name, key in (now | self._old | now).items() if fits(name))
        if not found:
            raise UsageError(
                f"--{option}: no structure is called {text}",
                _names_to_give(option, text, [*self.structures.values()]),
                code="organ-unknown",
            )
        return [*found]

    def matching(self, option: str, texts: Iterable[str]) -> set[str]:
        """The keys that any of the patterns fits."""
        return {key for text in texts for key in self.in_order(option, text)}

    def merge(self, name: str, parts: Sequence[str]) -> None:
        """Make one structure of several."""
        keys, new = self.matching("merge", parts), folded(name)
        if new in self.structures and new not in keys:
            raise _not_free("merge", name)
        of = [self.structures.pop(key) for key in sorted(keys)]
        own = next((one for one in of if folded(one.label.name) == new), None)
        value = own.value if own else min(one.value for one in of)
        _check_name("merge", value, name)
        label = Label(name, own.label.code if own else _code_of_all(name, of))
        self.structures[new] = Structure(value, label, frozenset().union(*(one.of for one in of)))
        if own is None:
            self._parts[new] = of

    def rename(self, old: str, new: str) -> None:
        """Call a structure otherwise; it stays what it is."""
        keys, key = self.in_order("rename", old), folded(new)
        if len(keys) > 1:
            raise UsageError(
                f"--rename: {old} fits {len(keys)} structures",
                "Name one, or make one of them with --merge.",
                code="organ-unknown",
            )
        if key in self.structures and key != keys[0]:
            raise _not_free("rename", new)
        value, label, of = self.structures.pop(keys[0])
        _check_name("rename", value, new)
        code = code_of(new) if label.name == unnamed(value) else _code(label, new)
        if parts := self._parts.pop(keys[0], None):
            self._parts[key], code = parts, _code_of_all(new, parts)
        self.structures[key] = Structure(value, Label(new, code), of)
        self._old |= {once: key for once, now in self._old.items() if now == keys[0]}
        self._old[keys[0]] = key


def _names_to_give(option: str, text: str, structures: Sequence[Structure]) -> str:
    """What to give instead of a text that no structure is called by."""
    names = [one.label.name for one in structures]
    if not names:
        return "The masks name none."
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and {*map(folded, parts)} <= {*map(folded, names)}:
        return f"Give each by itself: {' '.join(f'--{option} {quote(one)}' for one in parts)}."
    if all(one.label.name == unnamed(one.value) for one in structures):
        say = f"chaosprep split --labels {structures[0].value}=NAME,..."
        return f"{there_are(names, [text])} Say what they stand for: {say}"
    return there_are(names, [text])


def _code_of_all(name: str, parts: Sequence[Structure]) -> Code | None:
    """The code of a whole without a part of its name: one of ours, unless all are parts of it.

    The left and the right kidney are a kidney; what duodenum and pancreas are, nobody knows, and
    tumours and cysts of the liver are no liver.
    """
    is_whole = all(_is_part(part.label.name, name) for part in parts)
    return None if is_whole or _concept(name) is None else private_code(name)


def _is_part(part: str, whole: str) -> bool:
    """Whether a name says more than another only by a side, a place or a number."""
    words, more = {*folded(whole).split()}, {*folded(part).split()}
    return words <= more and all(_PLACE.fullmatch(word) for word in more - words)


def _concept(name: str) -> tuple[object, ...] | None:
    """What a name stands for in a terminology, with its side."""
    code = code_of(name)
    sided = sided_code_of(name) if code is None else None
    return code[:2] if code else sided and (sided.code[:2], sided.side[:2])


def _code(label: Label, new: str) -> Code | None:
    """The code of a structure under another name.

    Raises:
        UsageError: `organ-name`, another structure has that name.
    """
    own, other = _concept(label.name), _concept(new)
    sided = sided_code_of(label.name)
    is_sided = sided is not None and label.code is not None and sided.code[:2] == label.code[:2]
    if label.code and label.code.scheme == "SCT" and not is_sided:
        own = label.code[:2]
    if own is not None and other is not None and own != other:
        raise UsageError(
            f"--rename: by their codes, {label.name} and {new} are different structures",
            "Give it a name that no other structure has.",
            code="organ-name",
        )
    return label.code or code_of(label.name)


def _check_name(option: str, value: int, name: str) -> None:
    """Refuse a new name that a legend could not give to a value.

    Raises:
        UsageError: `organ-name`.
    """
    if folded(name) == BACKGROUND:
        raise UsageError(
            f"--{option}: {name} cannot be the name of a structure",
            "Background needs no name: choose the others with --organ.",
            code="organ-name",
        )
    try:
        table_of([Entry(str(value), name)])
    except FileError as error:
        raise UsageError(f"--{option}: {error.reason}", error.remedy, "organ-name") from error


def _not_free(option: str, name: str) -> UsageError:
    return UsageError(
        f"--{option}: another structure is called {name} already",
        f"Give another name, or make one of both: --merge '{name}={name},...'.",
        code="organ-name",
    )
