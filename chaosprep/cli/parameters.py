"""Params classes as click options: one option a field, with its name, default and description."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from msgspec import inspect as types

from chaosprep.params import Fields, Parameter, bare, describe_params, takes_several

F = TypeVar("F", bound=Callable[..., Any])


def parameter_options(*kinds: type[Fields], without: Iterable[str] = ()) -> Callable[[F], F]:
    """Add an option for every field of some Params classes; a shared field becomes one option.

    `without` are fields that the command takes in another way.
    """
    fields = {field.name: field for kind in kinds for field in describe_params(kind)}
    for name in without:
        del fields[name]

    def add(function: F) -> F:
        for field in reversed(fields.values()):
            function = option_of(field)(function)
        return function

    return add


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's values that somebody gave, in whatever way; the rest are defaults."""
    source = click.get_current_context().get_parameter_source
    return {n: value for n, value in values.items() if source(n) is not ParameterSource.DEFAULT}


def option_of(field: Parameter, *letters: str, **more: Any) -> Callable[[F], F]:
    """The option of one field; `letters` are short names, `more` goes before what is derived."""
    flags = (*letters, f"--{field.option}", field.name)
    if isinstance(field.type, types.BoolType):
        return click.option(*flags, is_flag=True, help=field.description, **more)
    derived = {
        "default": field.default,
        "show_default": field.default not in (None, ()),
        "help": field.description,
        **_shape(field.type),
    }
    return click.option(*flags, **derived | more)


def _shape(kind: types.Type) -> dict[str, Any]:
    """The click settings for a type: its parser, how many values, how it shows in the help."""
    if takes_several(kind):
        return {"type": str, "metavar": "MM"}
    kind = bare(kind)
    if isinstance(kind, types.VarTupleType):
        return {"type": _single(kind.item_type), "multiple": True}
    if isinstance(kind, types.TupleType):
        return {"type": tuple(_single(item) for item in kind.item_types), "metavar": "LOW HIGH"}
    return {"type": _single(kind)}


def _single(kind: types.Type) -> Any:  # noqa: ANN401 - click's parser or a plain type
    kind = bare(kind)
    if isinstance(kind, types.DictType):
        return click.Path(exists=True, dir_okay=False)
    if isinstance(kind, types.LiteralType):
        return Choice(value for value in kind.values if isinstance(value, str | int))
    return {types.IntType: int, types.FloatType: float}.get(type(kind), str)


class Choice(click.Choice[Any]):
    """A choice among literal values, numbers too."""

    def __init__(self, values: Iterable[str | int]) -> None:
        self._values = {str(value): value for value in values}
        super().__init__(list(self._values))

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | int:
        """The literal value that the text stands for."""
        return self._values[super().convert(str(value), param, ctx)]
