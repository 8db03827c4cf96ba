"""What a value of a type must be, in plain words."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect as types

from chaosprep.words import did_you_mean

_MSGSPEC = ("Expected ", "Invalid ", "Object ", "Str", "Integer")


def explain(error: msgspec.ValidationError, kind: type[msgspec.Struct], given: object) -> str:
    """Why a table is no record of a class: `gamma.low must be a number (given: 'x')`.

    What a class's own check says stays as it is.
    """
    message, _, path = str(error).partition(" - at `")
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    place, wanted, value = "", types.type_info(kind), given
    for name, index in steps:
        place += f".{name}" if name else f"[{index}]"
        wanted, value = _below(wanted, name), _part(value, name or int(index))
    place = place.removeprefix(".")
    if not message.startswith(_MSGSPEC):
        return f"{place}: {message}" if place else message
    strange = re.search(r"unknown field `(.*)`", message)
    if strange:
        known = _keys(wanted)
        hint = did_you_mean(strange.groups(), known).replace(" D", " (d").replace("?", "?)")
        return f"{place or 'it'} has no {strange[1]}{hint}, only {', '.join(known)}"
    missing = re.search(r"missing required field `(.*)`", message)
    if missing:
        return f"{place or 'it'} lacks {missing[1]}"
    return f"{place or 'it'} must be {expected(wanted)} (given: {shown(value)})"


def shown(value: object) -> str:
    """A value as somebody would write it."""
    return f"{value:g}" if isinstance(value, float) else repr(value)


def expected(kind: types.Type) -> str:
    """What a value of a type must be: `a number of at least 0 and less than 1`."""
    match kind:
        case types.Metadata(type=inner):
            return expected(inner)
        case types.UnionType(types=some):
            named = [expected(one) for one in some if not isinstance(one, types.NoneType)]
            return " or ".join(dict.fromkeys(named))
        case types.IntType() | types.FloatType():
            noun = "a whole number" if isinstance(kind, types.IntType) else "a number"
            return f"{noun}{_bounds(kind)}"
        case types.BoolType():
            return "true or false"
        case types.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case types.VarTupleType(item_type=item) | types.ListType(item_type=item):
            return f"a list, each {expected(item)}"
        case types.TupleType(item_types=items):
            return f"{len(items)} values, each {expected(items[0])}"
        case types.DictType() | types.StructType():
            return "a table"
        case types.StrType():
            return "a text"
    return "something else"


def _bounds(kind: types.IntType | types.FloatType) -> str:
    words = {"at least": kind.ge, "more than": kind.gt, "at most": kind.le, "less than": kind.lt}
    found = [f"{word} {bound:g}" for word, bound in words.items() if bound is not None]
    if kind.ge is not None and kind.le is not None:
        return f" from {_whole(kind.ge)} to {_whole(kind.le)}"
    return f" of {' and '.join(found)}" if found else ""


def _whole(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def _below(kind: types.Type, name: str) -> types.Type:
    """The type of a field, or of an item."""
    while isinstance(kind, types.Metadata):
        kind = kind.type
    if isinstance(kind, types.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, types.NoneType))
        return _below(kind, name)
    if isinstance(kind, types.StructType):
        return next((f.type for f in kind.fields if f.encode_name == name), types.AnyType())
    items = getattr(kind, "item_types", None) or [getattr(kind, "item_type", types.AnyType())]
    item: types.Type = items[0]
    return item


def _part(value: Any, key: str | int) -> object:  # noqa: ANN401 - whatever was given
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return value


def _keys(kind: types.Type) -> Sequence[str]:
    while isinstance(kind, types.Metadata):
        kind = kind.type
    if isinstance(kind, types.UnionType):
        return _keys(next(one for one in kind.types if not isinstance(one, types.NoneType)))
    return [field.encode_name for field in getattr(kind, "fields", ())]
