"""What a stage is: a name, a Params class and one function over one case."""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Meta
from msgspec.inspect import VarTupleType

from chaosprep.dataset.descriptor import DataSource, License, PastStage
from chaosprep.dataset.records import Slice
from chaosprep.dataset.writer import Writer
from chaosprep.errors import ChaosprepError, Problem, UsageError
from chaosprep.imaging.png import Compression


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


class AnyCase(Protocol):
    """What the runner needs to know of a case."""

    @property
    def id(self) -> str:
        """The case id."""
        ...

    @property
    def patient(self) -> str:
        """The patient id."""
        ...

    def content(self) -> bytes:
        """What identifies the case and all that is planned for it."""
        ...

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold."""
        ...


P = TypeVar("P", bound=Params)
C = TypeVar("C", bound=AnyCase)
C_co = TypeVar("C_co", bound=AnyCase, covariant=True)


class Lineage(Protocol):
    """Where data come from, as a manifest tells it."""

    @property
    def history(self) -> tuple[PastStage, ...]:
        """Every stage up to here."""
        ...

    @property
    def licenses(self) -> tuple[License, ...]:
        """The licences of the data."""
        ...

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """Where the data come from."""
        ...


class Source(Lineage, Protocol[C_co]):
    """Where cases come from: a dataset root seen through a layout, or a stage directory."""

    @property
    def directory(self) -> Path:
        """The root of its files."""
        ...

    @property
    def cases(self) -> Sequence[C_co]:
        """The cases, sorted by id."""
        ...

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong before any case was opened."""
        ...


@dataclass(frozen=True)
class CaseResult:
    """What a stage made of one case: its rows and what went wrong.

    `inputs` is the SHA-256 of what the case's files held, where only reading them could tell.
    """

    slices: tuple[Slice, ...]
    problems: tuple[Problem, ...] = ()
    inputs: str | None = None


def _as_they_are(cases: Sequence[C], params: P) -> Callable[[C], C]:
    return _itself


def _itself(case: C) -> C:
    return case


@dataclass(frozen=True)
class Stage(Generic[C, P]):
    """A step of the work.

    `version` goes up whenever the same input and parameters give other bytes. `plan` decides what
    needs all cases at once (who goes where, how often), and returns how to complete each case
    before it is sent to `run_case`; `open` finds the cases below a path. `needs` are the stages
    that must have come before, `libraries` the heavy ones that nearly every case takes: they are
    imported once, before workers are forked.
    """

    name: str
    version: int
    params: type[P]
    run_case: Callable[[C, P, Writer], CaseResult]
    open: Callable[[Path, P], Source[C]]
    plan: Callable[[Sequence[C], P], Callable[[C], C]] = _as_they_are
    needs: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


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
            raise UsageError(message, code="parameter") from error
        raise UsageError(
            f"{name}: {_expected(message, known[name])} (given: {fields[name]!r})", code="parameter"
        ) from error


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
    try:
        with Path(value).open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: {value}: {error}", code="parameter") from error


def plain(params: Params) -> dict[str, Any]:
    """The parameters as JSON would give them back: the manifest's form."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params.recorded()))
    return found


def check_params(params: P) -> P:
    """The same parameters, once more checked (a Struct made by hand is not)."""
    return make_params(type(params), msgspec.structs.asdict(params))


def each_slice(
    slices: Iterable[Slice], work: Callable[[Slice], Slice | Iterable[Slice] | None]
) -> CaseResult:
    """Do the work on every slice, turning each error into a problem of that slice.

    `work` returns the slice's new row, several, or None to drop it.
    """
    rows: list[Slice] = []
    problems: list[Problem] = []
    for row in slices:
        try:
            made = work(row)
        except ChaosprepError as error:
            problems.append(Problem.of(error, row.id, row.source))
            continue
        rows.extend([made] if isinstance(made, Slice) else made or ())
    return CaseResult(tuple(rows), tuple(problems))
