"""The stub of `chaosprep.export`, made of the exports' parameters.

`python -m tests.exports.stub` writes it.
"""

from typing import Any

from msgspec import inspect as types

from chaosprep.exports.table import EXPORTS, find_export
from chaosprep.params import describe_params
from tests.documents import HOME

FILE = HOME / "chaosprep" / "exports" / "export.pyi"
_HEAD = '''\
"""`chaosprep.export`, an overload for each format: written by `python -m tests.exports.stub`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

from chaosprep.dataset.manifest import Dataset
from chaosprep.running.folder import Exported
from chaosprep.running.options import OnError

'''
_OVERLOAD = """\
@overload
def export(
    format: {format},
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
{own}) -> Exported: ...
"""
_PLAIN: dict[Any, str] = {
    types.IntType: "int",
    types.FloatType: "float",
    types.StrType: "str",
    types.BoolType: "bool",
    types.NoneType: "None",
}


def text() -> str:
    """The stub: what any name takes comes last, without a parameter of its own."""
    own = {
        f'Literal["{name}"]': "".join(
            f"    {field.name}: {annotation(field.type)} = {quoted(field.default)},\n"
            for field in describe_params(find_export(name).params)
        )
        for name in EXPORTS
    }
    overloads = (_OVERLOAD.format(format=f, own=o) for f, o in {**own, "str": ""}.items())
    return _HEAD + "".join(overloads)


def annotation(kind: types.Type) -> str:
    """A type as a stub writes it; several values are any sequence, as `make_params` takes them."""
    match kind:
        case types.Metadata():
            return annotation(kind.type)
        case types.UnionType():
            return " | ".join(map(annotation, kind.types))
        case types.VarTupleType():
            return f"Sequence[{annotation(kind.item_type)}]"
        case types.LiteralType():
            return f"Literal[{', '.join(map(quoted, kind.values))}]"
    return _PLAIN[type(kind)]


def quoted(value: object) -> str:
    """A literal value with the quotes that this project writes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
