"""Conditions over named values, as a person writes them: `rows >= 256 and spacing[0] <= 6`.

Python's grammar is read and never run: a closed list of its nodes is known here, none of which
reaches an attribute, calls anything but a few functions of numbers, or takes long.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chaosprep.errors import UsageError
from chaosprep.printable import printable
from chaosprep.words import shortened, there_are

MOST_LETTERS: Final = 1000
_MOST_NODES, _MOST_DEEP = 300, 40
_REMEDY: Final = (
    "Compare columns as in: rows >= 256 and spacing[0] <= 6, or: sequence in ('t1-in', 'ct')."
)
_NAMED: Final[dict[str, object]] = {"null": None, "true": True, "false": False}
_ARITHMETIC: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda one, other: float(one) ** float(other),  # whole numbers would grow for ever
}
_SIGNS: Final[dict[type[ast.AST], Callable[[Any], Any]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_ORDER: Final[dict[type[ast.AST], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "len": len,
    "max": max,
    "min": min,
    "sum": sum,
}


@dataclass
class Found:
    """Whether a key of a column is there in any of the rows seen, and which others are."""

    is_there: bool = False
    others: set[str] = field(default_factory=set)


class _Unfit(Exception):  # noqa: N818 - it never leaves this file
    """Values that do not go together; the text is why."""


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
        self._tree = _parsed(text)
        names = _checked(text, self._tree)
        unknown = sorted(names - {*columns} - _NAMED.keys())
        if unknown:
            raise UsageError(
                f"{_about(text)}: no column is called {', '.join(unknown)}",
                f"{there_are(columns, unknown)} A text stands in quotes.",
                "where-unknown",
            )
        if not names - _NAMED.keys():
            raise UsageError(f"{_about(text)}: it names no column", _REMEDY, "where-syntax")

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
            return _truth(self._value(self._tree, value))
        except _Unfit as error:
            raise UsageError(
                f"{_about(self.text)}: {error} ({id})",
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
                    f"{_about(self.text)}: no row has {printable(ast.unparse(node))}",
                    there_are(sorted(found.others), [key]),
                    "where-unknown",
                )

    def _value(self, node: ast.expr, column: Callable[[str], object]) -> Any:  # noqa: ANN401
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return _NAMED[name] if name in _NAMED else _plain(column(name))
            case ast.Tuple(elts=some) | ast.List(elts=some):
                return tuple(self._value(one, column) for one in some)
            case ast.BoolOp(op=op, values=some):
                ends = isinstance(op, ast.Or)
                return _all((self._value(one, column) for one in some), ends=ends)
            case ast.UnaryOp(op=ast.Not(), operand=one):
                truth = _truth(self._value(one, column))
                return None if truth is None else not truth
            case ast.UnaryOp(op=op, operand=one):
                return _calculated(_SIGNS[type(op)], self._value(one, column))
            case ast.BinOp(left=left, op=op, right=right):
                sides = self._value(left, column), self._value(right, column)
                return _calculated(_ARITHMETIC[type(op)], *sides)
            case ast.Subscript(value=whole, slice=key):
                return self._part(node, self._value(whole, column), self._value(key, column))
            case ast.Compare():
                return self._compared(node, column)
            case ast.Call(func=ast.Name(id=name), args=some):
                return _called(name, [self._value(one, column) for one in some])
        raise AssertionError("checked when it was read")

    def _part(self, node: ast.Subscript, whole: object, key: object) -> object:
        """What a key or a number has of a value; nothing where the row has no such."""
        found = self._keys.setdefault(node, Found())
        if whole is None or key is None:
            return None
        if isinstance(whole, str) or not isinstance(whole, Mapping | Sequence):
            raise _Unfit(f"{_kind(whole)} has no parts")
        if isinstance(whole, Sequence) and not isinstance(key, int):
            raise _Unfit("the parts of a list have numbers")
        if isinstance(whole, Mapping):
            there: Collection[object] = whole.keys()
            found.others |= {*map(str, whole)}
        else:
            there = range(-len(whole), len(whole))
            found.others |= {str(one) for one in range(min(len(whole), 9))}
        if isinstance(key, tuple | Mapping) or key not in there:
            return None
        found.is_there = True
        return _plain(whole[key])  # type: ignore[index]

    def _compared(self, node: ast.Compare, column: Callable[[str], object]) -> bool | None:
        """Each value with the next, as `low <= x < high` says it."""
        nodes = [node.left, *node.comparators]
        values = [self._value(one, column) for one in nodes]
        pairs = zip(node.ops, nodes, nodes[1:], values, values[1:], strict=False)
        return _all(
            (
                (one is other) is isinstance(op, ast.Is | ast.Eq)
                if _asks_for_nothing(op, left, right)
                else _pair(op, one, other)
                for op, left, right, one, other in pairs
            ),
            ends=False,
        )


def _about(text: str) -> str:
    return f"--where: {printable(shortened(text, 100))}"


def _parsed(text: str) -> ast.expr:
    if len(text) > MOST_LETTERS or sum(map(text.count, "([{")) > _MOST_NODES:
        reason = f"{_about(text)}: it has more than {MOST_LETTERS} letters, or too many parts"
        raise UsageError(reason, "Write several shorter ones.", "where-syntax")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{_about(text)}: it cannot be read as a condition", _REMEDY, "where-syntax"
        ) from error


def _checked(text: str, tree: ast.expr) -> set[str]:
    """The names of an expression that says nothing but what may be said."""
    names, nodes, level = set[str](), 0, [tree]
    text = text.strip()
    for _ in range(_MOST_DEEP):
        nodes += len(level)
        names |= {one.id for one in level if isinstance(one, ast.Name)}
        level = [inner for one in level for inner in _inner(text, one)]
    if level or nodes > _MOST_NODES:
        reason = f"{_about(text)}: it is nested too deeply or has too many parts"
        raise UsageError(reason, "Write several shorter ones.", "where-syntax")
    return names


def _inner(text: str, node: ast.expr) -> Sequence[ast.expr]:
    """What stands in a node that is known here."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()) | ast.Name():
            return ()
        case ast.Tuple(elts=some) | ast.List(elts=some) | ast.BoolOp(values=some):
            return some
        case ast.UnaryOp(op=ast.Not() | ast.UAdd() | ast.USub(), operand=one):
            return (one,)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return (left, right)
        case ast.Subscript(value=whole, slice=key) if not isinstance(key, ast.Slice | ast.Tuple):
            return (whole, key)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = (left, *others)
            for at, op in enumerate(ops):
                is_test = isinstance(op, ast.Is | ast.IsNot)
                if is_test and not _asks_for_nothing(op, sides[at], sides[at + 1]):
                    break
            else:
                return sides
        case ast.Call(func=ast.Name(id=name), args=some, keywords=[]) if (
            name in _FUNCTIONS and some
        ):
            return some
    said = printable(shortened(ast.get_source_segment(text, node) or "that", 60))
    raise UsageError(
        f"{_about(text)}: {said} may not stand in it",
        "It takes columns, numbers, texts, and, or, not, in, comparisons, sums and products, "
        f"x['key'], x[0] and {', '.join(_FUNCTIONS)}.",
        "where-syntax",
    )


def _asks_for_nothing(op: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
    """Whether a comparison asks whether there is a value: `mask is None`, `fold != null`."""
    return isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and any(
        (isinstance(one, ast.Constant) and one.value is None)
        or (isinstance(one, ast.Name) and one.id == "null")
        for one in (left, right)
    )


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)


def _all(values: Any, *, ends: bool) -> bool | None:  # noqa: ANN401 - an iterator of any values
    """`and` of values, or `or`: that which ends it, else unknown where any is, else the other."""
    is_unknown = False
    for value in values:
        truth = _truth(value)
        if truth is ends:
            return ends
        is_unknown |= truth is None
    return None if is_unknown else not ends


def _kind(value: object) -> str:
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a table" if isinstance(value, Mapping) else "a list"


def _pair(op: ast.cmpop, one: object, other: object) -> bool | None:
    if isinstance(op, ast.In | ast.NotIn):
        inside = _is_in(one, other)
        return inside if inside is None or isinstance(op, ast.In) else not inside
    if one is None or other is None:
        return None
    if _kind(one) != _kind(other):
        raise _Unfit(f"{_kind(one)} is compared with {_kind(other)}")
    if isinstance(op, ast.Eq | ast.NotEq):
        return (one == other) is isinstance(op, ast.Eq)
    try:
        return _ORDER[type(op)](one, other)
    except TypeError as error:
        raise _Unfit(f"two of {_kind(one)[2:]}s have no order") from error


def _is_in(one: object, whole: object) -> bool | None:
    if whole is None:
        return None
    if isinstance(whole, str):
        if one is not None and not isinstance(one, str):
            raise _Unfit(f"{_kind(one)} is looked for in a text")
        return None if one is None else one in whole
    if not isinstance(whole, Mapping | tuple):
        raise _Unfit(f"{_kind(whole)} has no parts")
    there = [*whole]
    if one is None:
        return True if None in there else None
    kinds = {_kind(part) for part in there if part is not None}
    if kinds and _kind(one) not in kinds:
        raise _Unfit(f"{_kind(one)} is looked for among {' and '.join(sorted(kinds))}")
    return one in there


def _calculated(work: Callable[..., Any], *numbers: object) -> object:
    """A sum or the like; nothing of nothing, and of a division by zero."""
    if any(one is None for one in numbers):
        return None
    if odd := [one for one in numbers if not isinstance(one, int | float)]:
        raise _Unfit(f"{_kind(odd[0])} is no number")
    try:
        made = work(*numbers)
    except ZeroDivisionError:
        return None
    except OverflowError as error:
        raise _Unfit("a number becomes too large") from error
    if isinstance(made, complex):
        raise _Unfit("a root of a negative number is no number")
    return made


def _called(name: str, values: list[object]) -> object:
    """A function of numbers, or of the numbers of one list or table (its values)."""
    if any(one is None for one in values):
        return None
    if name == "len":
        if len(values) > 1 or not isinstance(values[0], str | Mapping | tuple):
            raise _Unfit("len is of one text, list or table")
        return len(values[0])
    first = values[0]
    if name == "abs":
        if len(values) > 1:
            raise _Unfit("abs is of one number")
        return _calculated(abs, first)
    if len(values) == 1:
        if not isinstance(first, Mapping | tuple):
            raise _Unfit(f"{name} is of a list or a table")
        values = [*first.values()] if isinstance(first, Mapping) else [*first]
    elif name == "sum":
        raise _Unfit("sum is of one list or table")
    if not values and name != "sum":
        return None
    return _calculated(lambda *numbers: _FUNCTIONS[name](numbers), *values)
