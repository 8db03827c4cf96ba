"""Described fields as the keywords of a function: its signature, documentation and checks."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from inspect import Parameter, Signature, cleandoc, signature
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from chaosprep.params import check_names, describe_params

F = TypeVar("F", bound=Callable[..., Any])


def shows(
    *kinds: type[msgspec.Struct], without: Iterable[str] = (), about: str | None = None
) -> Callable[[F], F]:
    """Give a function the fields of some classes as keywords, which it takes as `**named`.

    They stand in its signature and documentation, and a name that nothing has is a `UsageError`.
    Fields that the function has in its own signature stay as they are there; `without` are left
    out; `about` goes before the function's own documentation.
    """

    def show(function: F) -> F:
        head = [p for p in signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
        own = [parameter.name for parameter in head]
        fields = {
            field.name: (field, get_type_hints(kind)[field.name])
            for kind in kinds
            for field in describe_params(kind)
            if field.name not in {*own, *without}
        }
        more = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=field.default, annotation=taken(hint))
            for name, (field, hint) in fields.items()
        ]
        made = Signature([*head, *more], return_annotation=signature(function).return_annotation)
        keywords = [p.name for p in made.parameters.values() if p.kind is p.KEYWORD_ONLY]

        @wraps(function)
        def shown(*places: Any, **named: Any) -> Any:  # noqa: ANN401 - what the function gives
            check_names([name for name in named if name not in own], keywords)
            return function(**made.bind(*places, **named).arguments)

        lines = [f"    {name}: {field.description}" for name, (field, _) in fields.items()]
        texts = [cleandoc(text) for text in (about, function.__doc__) if text]
        shown.__doc__ = "\n".join(["\n\n".join(texts), "", "Parameters:", *lines, ""])
        shown.__signature__ = made  # type: ignore[attr-defined]
        return cast(F, shown)

    return show


def taken(hint: Any) -> Any:  # noqa: ANN401 - a type
    """What may be given for a field of this type: any sequence, and a table's file for a table.

    Where one number or several may be given, these may be text too.
    """
    if get_origin(hint) is tuple and get_args(hint)[-1] is ...:
        return Sequence[get_args(hint)[0]]  # type: ignore[misc]
    inner = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
    if any(get_origin(one) is dict for one in inner):
        return hint | str | Path
    if float in inner and any(get_origin(one) is tuple for one in inner):
        return float | Sequence[float] | str | None
    return hint


def listed(names: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
