"""Params classes as click options: one option a field, with its name, default and description."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from msgspec import inspect as types

from chaosprep.params import Fields, Parameter, describe_params

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


def option_of(field: Parameter) -> Callable[[F], F]:
    """The option of one field."""
    flag = f"--{field.option}"
    if isinstance(field.type, types.BoolType):
        return click.option(flag, field.name, is_flag=True, help=field.description)
    return click.option(
        flag,
        field.name,
        default=field.default,
        show_default=field.default not in (None, ()),
        help=field.description,
        **_shape(field.type),
    )


def _shape(kind: types.Type) -> dict[str, Any]:
    """The click settings for a type: its parser, how many values, how it shows in the help."""
    kind = _bare(kind)
    if isinstance(kind, types.VarTupleType):
        return {"type": _single(kind.item_type), "multiple": True}
    if isinstance(kind, types.TupleType):
        return {"type": tuple(_single(item) for item in kind.item_types), "metavar": "LOW HIGH"}
    return {"type": _single(kind)}


def _single(kind: types.Type) -> Any:  # noqa: ANN401 - click's parser or a plain type
    kind = _bare(kind)
    if isinstance(kind, types.DictType):
        return click.Path(exists=True, dir_okay=False)
    if isinstance(kind, types.LiteralType):
        return Choice(value for value in kind.values if isinstance(value, str | int))
    return {types.IntType: int, types.FloatType: float}.get(type(kind), str)


def _bare(kind: types.Type) -> types.Type:
    """A type without its annotations and without None."""
    if isinstance(kind, types.Metadata):
        return _bare(kind.type)
    if isinstance(kind, types.UnionType):
        return _bare(next(t for t in kind.types if not isinstance(t, types.NoneType)))
    return kind


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
