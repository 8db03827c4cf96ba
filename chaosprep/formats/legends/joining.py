"""Entries of a legend become one table: keys, their values and labels, without contradictions."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from chaosprep.facts import Label, Legend
from chaosprep.formats.legends.entries import (
    HIGHEST,
    LONGEST,
    Color,
    Entry,
    Key,
    LevelRange,
    key_of,
    key_text,
    no_legend,
)
from chaosprep.structures import folded

BACKGROUND = "background"
_NO_STRUCTURE = frozenset({"ignore"})
_RENAME = "Give each structure a name of its own, of up to 200 letters."


def joined(entries: Iterable[Entry]) -> tuple[Legend, tuple[tuple[Key, int], ...]]:
    """Value -> label, and the keys with their values, in the order of the entries.

    Numbers are their own values; for grey levels and colours, structures are numbered from 1.

    Raises:
        FileError: `labels`, they contradict each other, or a key or a name is none.
    """
    told = [(_key(one.key), one) for one in _bounded(entries)]
    kinds = {type(key) for key, _ in told}
    if Color in kinds and len(kinds) > 1:
        raise no_legend("it has both colours and numbers", "Masks have either: give them apart.")
    is_kept = kinds == {int}
    if not is_kept:
        told = [(LevelRange(key, key) if isinstance(key, int) else key, e) for key, e in told]
    _check_keys(key for key, _ in told)
    legend: Legend = {}
    keys: list[tuple[Key, int]] = []
    values: dict[str, int] = {}
    for key, entry in told:
        label = Label(_name(entry.name), entry.code)
        same, value = folded(label.name), 0
        if same != BACKGROUND:
            _check_background(key)
            fresh = key if is_kept and isinstance(key, int) else len(values) + 1
            value = values.setdefault(same, fresh)
            _check_same(legend.setdefault(value, label), label)
            _check_value(key, value, is_kept, label.name)
        keys.append((key, value))
    if not legend:
        raise no_legend("it has no labels")
    return legend, tuple(keys)


def _bounded(entries: Iterable[Entry]) -> Iterator[Entry]:
    for count, entry in enumerate(entries):
        if count > HIGHEST:
            raise no_legend("it has more labels than 16 bits have values")
        yield entry


def _key(text: str) -> Key:
    key = key_of(text)
    if key is None:
        raise no_legend(
            f"{text[:40]!r} is not a number from 0 to 65535, LOW..HIGH or #rrggbb",
            "Write the number first: 1=liver, 55..70=liver or #ff0000=liver.",
        )
    return key


def _name(text: str) -> str:
    """A name as it was written, without the spaces around it."""
    name = text.strip()
    if len(name) > LONGEST or not folded(name) or any(map(_is_strange, name)):
        raise no_legend("a name is empty, too long, or has characters that are not text", _RENAME)
    if key_of(name) is not None or folded(name) in _NO_STRUCTURE:
        raise no_legend(f"{name!r} cannot be the name of a structure", _RENAME)
    return name


def _is_strange(sign: str) -> bool:
    """Whether a sign is none of a text in one line, or half a letter."""
    return unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _check_same(label: Label, again: Label) -> None:
    """Refuse one structure that is told in two ways."""
    if label.name != again.name:
        raise no_legend(
            f"{label.name[:40]!r} and {again.name[:40]!r} are one name in two spellings",
            "Spell it in one way, or call different structures differently.",
        )
    if label.code != again.code:
        raise no_legend(f"{label.name[:40]!r} has two codes", "Give it one code, everywhere.")


def _check_value(key: Key, value: int, is_kept: bool, name: str) -> None:
    """Refuse one name of two numbers, and the name that another value has without one."""
    if is_kept and key != value:
        raise no_legend(
            f"{value} and {key} are both called {name[:40]!r}",
            "Give each number a name of its own; extract-labels --merge puts them together.",
        )
    found = re.fullmatch(r"label (\d+)", folded(name), re.ASCII)
    if found and found[1].lstrip("0") != str(value):
        raise no_legend(f"{value} is called {name[:40]!r}, which is the name of another", _RENAME)


def _check_keys(keys: Iterable[Key]) -> None:
    """Refuse a key that comes twice, and levels that overlap."""
    spans = sorted(map(_span, keys))
    for (_, last, _), (first, _, text) in pairwise(spans):
        if first <= last:
            raise no_legend(
                f"{text} occurs twice, whole or in part",
                "Give each number, level or colour to one structure.",
            )


def _span(key: Key) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """The first and the last of what a key means, and its text."""
    match key:
        case LevelRange():
            return (key.low,), (key.high,), key_text(key)
        case Color():
            return key.channels, key.channels, key_text(key)
        case _:
            return (key,), (key,), key_text(key)


def _check_background(key: Key) -> None:
    """Refuse a structure at 0 or in black."""
    first, _, _ = _span(key)
    if max(first) == 0:
        raise no_legend(
            f"{key_text(key)} is a structure, but {'black' if isinstance(key, Color) else 0} is "
            "the background",
            "Leave the background out.",
        )
