"""What the signs and functions of a condition do with values; nothing is None all the way."""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

ARITHMETIC: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda one, other: float(one) ** float(other),  # whole numbers would grow for ever
}
SIGNS: Final[dict[type[ast.AST], Callable[[Any], Any]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_ORDER: Final[dict[type[ast.AST], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "len": len,
    "max": max,
    "min": min,
    "sum": sum,
}


class Unfit(Exception):  # noqa: N818 - it never leaves this file
    """Values that do not go together; the text is why."""


def plain(value: object) -> object:
    """A value with every list as a tuple, so that two of them can be equal."""
    return tuple(value) if isinstance(value, list) else value


def truth_of(value: object) -> bool | None:
    """Whether a value counts as true, as in Python; of nothing that is unknown."""
    return None if value is None else bool(value)


def together(values: Iterable[object], *, ends: bool) -> bool | None:
    """`and` of values, or `or`: that which ends it, else unknown where any is, else the other."""
    is_unknown = False
    for value in values:
        truth = truth_of(value)
        if truth is ends:
            return ends
        is_unknown |= truth is None
    return None if is_unknown else not ends


def kind_of(value: object) -> str:
    """What sort of value it is, for a message; values of two kinds are never compared."""
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a table" if isinstance(value, Mapping) else "a list"


def compared(op: ast.cmpop, one: object, other: object) -> bool | None:
    """A comparison of two values; None where one of them is nothing.

    Raises:
        Unfit: they are of two kinds, or have no order.
    """
    if isinstance(op, ast.In | ast.NotIn):
        inside = _is_in(one, other)
        return inside if inside is None or isinstance(op, ast.In) else not inside
    if one is None or other is None:
        return None
    if kind_of(one) != kind_of(other):
        raise Unfit(f"{kind_of(one)} is compared with {kind_of(other)}")
    if isinstance(op, ast.Eq | ast.NotEq):
        return (one == other) is isinstance(op, ast.Eq)
    try:
        return _ORDER[type(op)](one, other)
    except TypeError as error:
        raise Unfit(f"two of {kind_of(one)[2:]}s have no order") from error


def _is_in(one: object, whole: object) -> bool | None:
    if whole is None:
        return None
    if isinstance(whole, str):
        if one is not None and not isinstance(one, str):
            raise Unfit(f"{kind_of(one)} is looked for in a text")
        return None if one is None else one in whole
    if not isinstance(whole, Mapping | tuple):
        raise Unfit(f"{kind_of(whole)} has no parts")
    there = [*whole]
    if one is None:
        return True if None in there else None
    kinds = {kind_of(part) for part in there if part is not None}
    if kinds and kind_of(one) not in kinds:
        raise Unfit(f"{kind_of(one)} is looked for among {' and '.join(sorted(kinds))}")
    return one in there


def calculated(work: Callable[..., Any], *numbers: object) -> object:
    """A sum or the like; nothing of nothing, and of a division by zero."""
    if any(one is None for one in numbers):
        return None
    if odd := [one for one in numbers if not isinstance(one, int | float)]:
        raise Unfit(f"{kind_of(odd[0])} is not a number")
    try:
        made = work(*numbers)
    except ZeroDivisionError:
        return None
    except OverflowError as error:
        raise Unfit("a number becomes too large") from error
    if isinstance(made, complex):
        raise Unfit("a root of a negative number is not a number")
    return made


def called(name: str, values: list[object]) -> object:
    """A function of numbers, or of the numbers of one list or table (its values)."""
    if any(one is None for one in values):
        return None
    if name == "len":
        if len(values) > 1 or not isinstance(values[0], str | Mapping | tuple):
            raise Unfit("len is of one text, list or table")
        return len(values[0])
    first = values[0]
    if name == "abs":
        if len(values) > 1:
            raise Unfit("abs is of one number")
        return calculated(abs, first)
    if len(values) == 1:
        if not isinstance(first, Mapping | tuple):
            raise Unfit(f"{name} is of a list or a table")
        values = [*first.values()] if isinstance(first, Mapping) else [*first]
    elif name == "sum":
        raise Unfit("sum is of one list or table")
    if not values and name != "sum":
        return None
    return calculated(lambda *numbers: FUNCTIONS[name](numbers), *values)
