"""A condition over the columns of a table, read once and asked of every row."""

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from chaosprep.errors import UsageError
from chaosprep.expressions.syntax import (
    NAMED,
    REMEDY,
    about,
    asks_for_nothing,
    names_in,
    parsed,
)
from chaosprep.expressions.values import (
    ARITHMETIC,
    SIGNS,
    Unfit,
    calculated,
    called,
    compared,
    kind_of,
    plain,
    together,
    truth_of,
)
from chaosprep.printable import printable
from chaosprep.words import there_are

_ENOUGH = 100  # keys that are remembered, for a message


@dataclass
class Found:
    """Whether a key of a column is there in any of the rows seen, and which others are."""

    is_there: bool = False
    others: set[str] = field(default_factory=set)


class Condition:
    """A condition over some columns, read and checked, but for what their values are.

    It remembers which keys it has looked up, for `check_keys`.

    Raises:
        UsageError: `where-syntax`, it cannot be read or says what may not be said; `where-unknown`,
            it names no column that there is.
    """

    def __init__(self, text: str, columns: Collection[str]) -> None:
        self.text = text
        self._keys: dict[ast.Subscript, Found] = {}
        self._tree = parsed(text)
        names = names_in(text, self._tree)
        unknown = sorted(names - {*columns} - NAMED.keys())
        if unknown:
            raise UsageError(
                f"{about(text)}: no column is called {', '.join(unknown)}",
                f"{there_are(columns, unknown)} Texts go in quotes.",
                "where-unknown",
            )
        if not names - NAMED.keys():
            raise UsageError(f"{about(text)}: it names no column", REMEDY, "where-syntax")

    def holds(self, id: str, value: Callable[[str], object]) -> bool | None:
        """Whether it holds for a row; None where a value is missing that would tell it.

        Nothing is neither equal nor unequal to any value: `spacing[0] <= 6` and its opposite are
        both unknown where a row has no spacing. `spacing is None`, also written `== None`, asks
        for it.

        Args:
            id: what the row is called, for a message.
            value: gives the value of a column.

        Raises:
            UsageError: `where-type`, a text and a number are to be compared, say.
        """
        try:
            return truth_of(self._value(self._tree, value))
        except Unfit as error:
            raise UsageError(
                f"{about(self.text)}: {error} ({id})",
                "Compare numbers with numbers, and texts with texts.",
                "where-type",
            ) from error

    def check_keys(self) -> None:
        """Refuse a key that was looked up in many rows and is in none: it is misspelt.

        Raises:
            UsageError: `where-unknown`.
        """
        for node, found in self._keys.items():
            if not found.is_there and found.others:
                key = str(node.slice.value) if isinstance(node.slice, ast.Constant) else ""
                raise UsageError(
                    f"{about(self.text)}: no row has {printable(ast.unparse(node))}",
                    there_are(sorted(found.others), [key]),
                    "where-unknown",
                )

    def _value(self, node: ast.expr, column: Callable[[str], object]) -> Any:  # noqa: ANN401, PLR0911
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return NAMED[name] if name in NAMED else plain(column(name))
            case ast.Tuple(elts=some) | ast.List(elts=some):
                return tuple(self._value(one, column) for one in some)
            case ast.BoolOp(op=op, values=some):
                ends = isinstance(op, ast.Or)
                return together((self._value(one, column) for one in some), ends=ends)
            case ast.UnaryOp(op=ast.Not(), operand=one):
                truth = truth_of(self._value(one, column))
                return None if truth is None else not truth
            case ast.UnaryOp(op=op, operand=one):
                return calculated(SIGNS[type(op)], self._value(one, column))
            case ast.BinOp(left=left, op=op, right=right):
                sides = self._value(left, column), self._value(right, column)
                return calculated(ARITHMETIC[type(op)], *sides)
            case ast.Subscript(value=whole, slice=key):
                return self._part(node, self._value(whole, column), self._value(key, column))
            case ast.Compare():
                return self._compared(node, column)
            case ast.Call(func=ast.Name(id=name), args=some):
                return called(name, [self._value(one, column) for one in some])
        raise AssertionError("checked when it was read")

    def _part(self, node: ast.Subscript, whole: Any, key: Any) -> object:  # noqa: ANN401
        """What a key or a number has of a value; nothing where the row has no such."""
        found = self._keys.setdefault(node, Found())
        if whole is None or key is None:
            return None
        if isinstance(whole, str) or not isinstance(whole, Mapping | Sequence):
            raise Unfit(f"{kind_of(whole)} has no parts")
        if isinstance(whole, Sequence) and not isinstance(key, int):
            raise Unfit("the parts of a list have numbers")
        parts: Collection[object] = whole if isinstance(whole, Mapping) else range(len(whole))
        there = whole if isinstance(whole, Mapping) else range(-len(whole), len(whole))
        if not found.is_there and len(found.others) < _ENOUGH:
            found.others |= {*map(str, islice(parts, _ENOUGH))}
        if isinstance(key, tuple | Mapping) or key not in there:
            return None
        found.is_there = True
        return plain(whole[key])

    def _compared(self, node: ast.Compare, column: Callable[[str], object]) -> bool | None:
        """Each value with the next, as `low <= x < high` says it."""
        nodes = [node.left, *node.comparators]
        values = [self._value(one, column) for one in nodes]
        pairs = zip(node.ops, nodes, nodes[1:], values, values[1:], strict=False)
        return together(
            (
                (one is other) is isinstance(op, ast.Is | ast.Eq)
                if asks_for_nothing(op, left, right)
                else compared(op, one, other)
                for op, left, right, one, other in pairs
            ),
            ends=False,
        )
