"""Parameters as data: a class of described fields, checked where they are made."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

import msgspec
from msgspec import NODEFAULT, Meta
from msgspec import inspect as types

from chaosprep.errors import UsageError
from chaosprep.expected import explain, must_be
from chaosprep.toml import read_toml
from chaosprep.urls.location import is_url, without_secrets
from chaosprep.words import there_are


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters; every field has a description and is a CLI option too.

    The option is called as the field is, or as `Meta(extra={"option": ...})` says; there, `remedy`
    is what to do where the value is wrong, and `local` says that it names a file or folder of this
    machine. Of the fields that `APART` names in pairs, only one may be given. Messages spell a
    field as its option, `--val`.
    """

    APART: ClassVar[tuple[tuple[str, str], ...]] = ()

    def recorded(self) -> "Fields":
        """The parameters as manifests show them: without what must stay secret."""
        return self


class Params(Fields, frozen=True, kw_only=True):
    """The parameters of a stage."""

    patient: Annotated[
        tuple[str, ...], Meta(description="Only this patient, such as MR001. Repeatable.")
    ] = ()

    @classmethod
    def completed(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Recorded parameters with the default of each that is absent, as JSON has it."""
        names, defaults, _ = _fields(cls)
        known = {n: one for n, one in zip(names, defaults, strict=True) if one is not NODEFAULT}
        return {**msgspec.json.decode(msgspec.json.encode(known)), **recorded}


_HELP = "See --help for what may be given."

F = TypeVar("F", bound=Fields)
P = TypeVar("P", bound=Params)
S = TypeVar("S", bound=msgspec.Struct)


def make_params(kind: type[S], fields: dict[str, Any]) -> S:
    """Build parameters from named values, checked against their types and ranges.

    Raises:
        UsageError: naming the parameter that is wrong or unknown.
    """
    check_names(fields, kind.__struct_fields__)
    known = {field.name: field for field in describe_params(kind)}
    for one, other in getattr(kind, "APART", ()):
        if not any(fields.get(name) in (None, (), []) for name in (one, other)):
            reason = f"--{known[one].option} and --{known[other].option} exclude each other"
            raise UsageError(reason, "Give one of them.", "parameter")
    _check_local(fields, known)
    files = {name: str(value) for name, value in fields.items() if _is_file(known[name], value)}
    fields = {name: _plainer(known[name], value) for name, value in fields.items()}
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise _refused(error, kind, fields) from error
    except UsageError as error:
        for name, file in files.items():
            about = f"--{known[name].option}: "
            error.reason = error.reason.replace(about, f"{about}{file}: ", 1)
        raise


def _check_local(fields: Mapping[str, Any], known: Mapping[str, "Parameter"]) -> None:
    for name, value in fields.items():
        if known[name].local and is_url(value):
            reason = f"--{known[name].option}: {without_secrets(value)}: this option takes no URL"
            raise UsageError(reason, "Give a path on this machine.", "parameter")


def _refused(
    error: msgspec.ValidationError, kind: type[msgspec.Struct], fields: Mapping[str, Any]
) -> UsageError:
    """What is wrong with which parameter."""
    _, _, path = str(error).partition(" - at `$.")
    name = next((name for name in fields if re.match(rf"{name}\b", path)), None)
    if name is None:
        return UsageError(explain(error, kind, fields), _HELP, "parameter")
    field = next(field for field in describe_params(kind) if field.name == name)
    reason = f"--{field.option}: {must_be(field.type, fields[name])}"
    return UsageError(reason, field.remedy, "parameter")


def check_names(
    given: Iterable[str], known: Collection[str], what: str = "parameter", code: str = "parameter"
) -> None:
    """Refuse names that nothing has, with those there are and those that were probably meant.

    Raises:
        UsageError: there are such names.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"{', '.join(unknown)}: no such {what}", there_are(known, unknown), code)


class Parameter(msgspec.Struct, frozen=True):
    """A field of a Params class: what help texts, options and signatures are made of."""

    name: str
    type: types.Type
    default: Any
    description: str
    option: str
    remedy: str = _HELP
    local: bool = False


def describe_params(kind: type[msgspec.Struct]) -> list[Parameter]:
    """The fields of a Params class, or of any other Struct, in their order."""
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)
    return [_parameter(field) for field in info.fields]


def _parameter(field: types.Field) -> Parameter:
    found, description = field.type, ""
    said: dict[str, Any] = {"option": field.name.replace("_", "-")}
    if isinstance(found, types.Metadata):
        description = (found.extra_json_schema or {}).get("description", "")
        said |= found.extra or {}
        found = found.type
    return Parameter(field.name, found, field.default, description, **said)


def bare(kind: types.Type) -> types.Type:
    """A type without its annotations and without None."""
    if isinstance(kind, types.Metadata):
        return bare(kind.type)
    if isinstance(kind, types.UnionType):
        return bare(next(t for t in kind.types if not isinstance(t, types.NoneType)))
    return kind


def takes_several(kind: types.Type) -> bool:
    """Whether a type takes one number or several, as text with commas between them."""
    if isinstance(kind, types.Metadata):
        return takes_several(kind.type)
    inner = [bare(one) for one in kind.types] if isinstance(kind, types.UnionType) else []
    kinds = (types.FloatType, types.VarTupleType)
    return all(any(isinstance(one, kind) for one in inner) for kind in kinds)


def _numbers(text: str) -> Any:  # noqa: ANN401 - checked afterwards
    """A number, or several with commas between; other text as it is."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        return text
    return found if len(found) > 1 else found[0]


def _is_file(field: Parameter, value: Any) -> bool:  # noqa: ANN401 - checked afterwards
    """Whether a table is given as its TOML file."""
    return isinstance(bare(field.type), types.DictType) and isinstance(value, str | Path)


def _plainer(field: Parameter, value: Any) -> Any:  # noqa: ANN401 - checked afterwards
    """A value in its field's own form: one of several, numbers, a table's TOML file, a path."""
    if takes_several(field.type):
        return _numbers(value) if isinstance(value, str) else value
    kind = bare(field.type)
    if isinstance(kind, types.VarTupleType):
        if isinstance(value, str | Path):
            return (str(value),)
        is_list = isinstance(value, list | tuple)
        return [str(x) if isinstance(x, Path) else x for x in value] if is_list else value
    if _is_file(field, value):
        return read_toml(Path(value), "parameter", f"--{field.option}: ")
    if isinstance(kind, types.StrType) and isinstance(value, Path):
        return str(value)
    return value


class _Fields(NamedTuple):
    """The names of a class's fields, sorted; their defaults; what gives a record's values."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    values: Callable[[msgspec.Struct], tuple[Any, ...]]


@cache
def _fields(kind: type[msgspec.Struct]) -> _Fields:
    found = sorted(msgspec.structs.fields(kind), key=lambda field: field.name)
    names = tuple(field.name for field in found)
    defaults = (f.default if f.default_factory is NODEFAULT else f.default_factory() for f in found)
    values = attrgetter(*names) if len(names) > 1 else _one_or_none(names)
    return _Fields(names, tuple(defaults), values)


def _one_or_none(names: tuple[str, ...]) -> Callable[[msgspec.Struct], tuple[Any, ...]]:
    """As `attrgetter` of several names, which gives a single value bare."""
    return lambda record: tuple(getattr(record, name) for name in names)


def differing(record: msgspec.Struct) -> dict[str, Any]:
    """The fields that differ from their defaults, by name: the same when a field is added."""
    names, defaults, values = _fields(type(record))
    found = zip(names, values(record), defaults, strict=True)
    return {name: value for name, value, one in found if value is not one and value != one}


def plain(params: Fields) -> dict[str, Any]:
    """The parameters as JSON would give them back: the manifest's form."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params.recorded()))
    return found


def check_params(params: F) -> F:
    """The same parameters, once more checked (a Struct made by hand is not)."""
    return make_params(type(params), differing(params))
