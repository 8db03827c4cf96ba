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
    return f"{place or 'it'} {must_be(wanted, value)}"


def must_be(kind: types.Type, value: object) -> str:
    """`must be a number of less than 1 (given: 4)`; of 4.0 for a whole number, the point counts."""
    words = expected(kind)
    whole = "whole number" in words
    given = f"{value:g}" if isinstance(value, float) and not whole else repr(value)
    return f"must be {words} (given: {given})"


def expected(kind: types.Type) -> str:
    """What a value of a type must be: `a number of at least 0 and less than 1`."""
    words = _PLAIN.get(type(kind), "something else")
    match kind:
        case types.Metadata(type=inner):
            words = expected(inner)
        case types.UnionType(types=some):
            named = [expected(one) for one in some if not isinstance(one, types.NoneType)]
            words = " or ".join(dict.fromkeys(named))
        case types.IntType() | types.FloatType():
            words += _bounds(kind)
        case types.StrType(min_length=1):
            words += " that is not empty"
        case types.LiteralType(values=values):
            words = f"one of {', '.join(map(str, values))}"
        case types.VarTupleType(item_type=item, min_length=int(count), max_length=int(most)) if (
            count == most
        ):
            words = f"{count} values, each {expected(item)}"
        case types.VarTupleType(item_type=item) | types.ListType(item_type=item):
            words = f"a list, each {expected(item)}"
        case types.TupleType(item_types=items):
            words = f"{len(items)} values, each {expected(items[0])}"
    return words


_PLAIN: dict[type[types.Type], str] = {
    types.BoolType: "true or false",
    types.IntType: "a whole number",
    types.FloatType: "a number",
    types.StrType: "a text",
    types.DictType: "a table",
    types.StructType: "a table",
}


def _bounds(kind: types.IntType | types.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {_plain(kind.ge)} to {_plain(kind.le)}"
    words = {"at least": kind.ge, "more than": kind.gt, "at most": kind.le, "less than": kind.lt}
    found = [f"{word} {_plain(bound)}" for word, bound in words.items() if bound is not None]
    return f" of {' and '.join(found)}" if found else ""


def _plain(bound: float) -> str:
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
