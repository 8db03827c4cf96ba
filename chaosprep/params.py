"""Parameters as data: a class of described fields, checked where they are made."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from msgspec.inspect import VarTupleType

from chaosprep.errors import UsageError
from chaosprep.files import read_toml
from chaosprep.imaging.png.codec import Compression


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a stage; every field has a description and is a CLI option too."""

    patient: Annotated[
        tuple[str, ...], Meta(description="Only this patient, such as MR001. Repeatable.")
    ] = ()
    compression: Annotated[
        Compression, Meta(description="PNG files: quick to write, smallest, or not compressed.")
    ] = "fast"

    def recorded(self) -> "Params":
        """The parameters as manifests show them: without what must stay secret."""
        return self


P = TypeVar("P", bound=Params)


def make_params(kind: type[P], fields: dict[str, Any]) -> P:
    """Build parameters from named values, checked against their types and ranges.

    Raises:
        UsageError: naming the parameter that is wrong or unknown.
    """
    unknown = sorted(set(fields) - set(kind.__struct_fields__))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: no such parameter",
            f"There are: {', '.join(kind.__struct_fields__)}.",
            code="parameter",
        )
    known = {field.name: field for field in describe_params(kind)}
    one = {name for name, field in known.items() if isinstance(field.type, VarTupleType)}
    fields = {n: (v,) if n in one and isinstance(v, str) else v for n, v in fields.items()}
    tables = {name for name, field in known.items() if takes_table(field.type)}
    fields = {n: _table(n, v) if n in tables else v for n, v in fields.items()}
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = re.split(r"[\[`]", path)[0]
        if name not in known:
            remedy = f"The parameters are {', '.join(known)}."
            raise UsageError(message, remedy, "parameter") from error
        reason = f"{name}: {_expected(message, known[name])} (given: {fields[name]!r})"
        raise UsageError(reason, "Give such a value.", "parameter") from error


@dataclass(frozen=True)
class Parameter:
    """A field of a Params class: what help texts, options and signatures are made of."""

    name: str
    type: msgspec.inspect.Type
    default: Any
    description: str


def describe_params(kind: type[Params]) -> list[Parameter]:
    """The fields of a Params class, in their order."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return [_parameter(field) for field in info.fields]


def _parameter(field: msgspec.inspect.Field) -> Parameter:
    found, description = field.type, ""
    if isinstance(found, msgspec.inspect.Metadata):
        description = (found.extra_json_schema or {}).get("description", "")
        found = found.type
    return Parameter(field.name, found, field.default, description)


def _expected(message: str, field: Parameter) -> str:
    """Msgspec's words for what is wrong, with the choices where there are some."""
    if message.startswith("Invalid enum value"):
        literal = field.type.item_type if isinstance(field.type, VarTupleType) else field.type
        literal = literal.type if isinstance(literal, msgspec.inspect.Metadata) else literal
        choices = getattr(literal, "values", ())
        return f"must be one of {', '.join(str(choice) for choice in choices)}"
    return message[0].lower() + message[1:]


def takes_table(kind: msgspec.inspect.Type) -> bool:
    """Whether a parameter is a table, or None: a TOML file, where it is given as a path."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return any(takes_table(one) for one in kind.types)
    return isinstance(kind, msgspec.inspect.DictType)


def _table(name: str, value: Any) -> Any:  # noqa: ANN401 - checked afterwards
    """A table as it is given, or read from the TOML file that is named."""
    if not isinstance(value, str | Path):
        return value
    return read_toml(Path(value), f"{name}: ", "parameter")


def plain(params: Params) -> dict[str, Any]:
    """The parameters as JSON would give them back: the manifest's form."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params.recorded()))
    return found


def check_params(params: P) -> P:
    """The same parameters, once more checked (a Struct made by hand is not)."""
    return make_params(type(params), msgspec.structs.asdict(params))
