"""`datapackage.json`: the Data Package v2 descriptor that commits a stage directory.

It carries the data's licence and sources, the table's schema, size and hash, and under `chaosprep`
what made the directory and every stage before it.
"""

from collections.abc import Collection
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chaosprep.dataset.containers.table import StoreName
from chaosprep.dataset.records import RARE, Count, Id, Sha256, Slice, Split
from chaosprep.errors import Problem
from chaosprep.facts import Label
from chaosprep.params import Parameter, bare, describe_params

MANIFEST_VERSION = 1
MANIFEST_MINOR = 3
"""Goes up when a release adds a field or a parameter, or changes one by a migration."""


Learned = dict[str, Any]
"""What a stage learned over cases before it worked on any, by the parameter that gives it too."""


class StageRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What made a stage directory."""

    stage: str
    version: int
    versions: dict[str, str]
    parameters: Annotated[dict[str, Any], Meta(max_length=1000)]
    seed: int | None
    inputs_sha256: Sha256

    def alone(self) -> "StageRecord":
        """These fields without what a longer record adds."""
        return StageRecord(**{name: getattr(self, name) for name in StageRecord.__struct_fields__})


class LeftOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person chose to leave out, and why: cases by name, or slices by a rule."""

    option: str
    reason: str
    cases: Annotated[tuple[Id, ...], Meta(max_length=1_000_000)] = ()
    slices: Count = 0


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many patients of a kind a side or fold has, beside how many it would have ideally.

    `kind` is `label:liver=yes`, say; `part` is `val` or `fold 2`.
    """

    kind: str
    part: str
    patients: Count
    ideal: Annotated[float, Meta(ge=0)]


class PastStage(StageRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An earlier stage: the hash of the descriptor that it committed, and what went besides."""

    descriptor_sha256: Sha256
    skipped: tuple[Problem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    learned: Learned | UnsetType = UNSET


class SplitCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one side of the split holds."""

    patients: Count = 0
    cases: Count = 0
    slices: Count = 0


LabelMap = dict[Annotated[int, Meta(ge=1, le=65535)], Label]
"""Mask value -> what it stands for in every case, also where a case does not show it."""


class Provenance(StageRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `chaosprep` part of the descriptor: what made it, from what, and what came of it."""

    manifest_version: int
    manifest_minor: Count = 0
    counts: dict[Split, SplitCounts]
    warned: Count
    labels: LabelMap = {}
    history: Annotated[tuple[PastStage, ...], Meta(max_length=1000)]
    skipped: tuple[Problem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    division: tuple[Share, ...] = ()
    store: StoreName = "files"
    learned: Learned | UnsetType = UNSET


class License(msgspec.Struct, frozen=True, omit_defaults=True):
    """A licence of the data, as Data Package v2 writes it."""

    name: str | None = None
    path: str | None = None
    title: str | None = None


class DataSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the data come from, as Data Package v2 writes it."""

    title: str | None = None
    path: str | None = None


# A Data Package needs a licence; this id of the Open Definition's list says that none is known.
UNKNOWN_LICENSES = (License(name="notspecified", title="License not specified"),)
UNKNOWN_SOURCES = (DataSource(title="A folder of images that does not tell its origin"),)


Hash = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]


class TableFile(msgspec.Struct, frozen=True, kw_only=True):
    """One of several files of a table."""

    path: str
    bytes: Count
    hash: Hash


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The table as a Data Package resource.

    Where its rows are in several files, `path` names all, `bytes` and `hash` are of them one after
    the other, and `files` has what each holds.
    """

    name: str
    path: str | tuple[str, ...]
    format: str
    mediatype: str
    encoding: str
    bytes: Count
    hash: Hash
    schema: dict[str, Any]
    files: tuple[TableFile, ...] = ()

    def table_files(self) -> tuple[TableFile, ...]:
        """The files of its rows, in their order."""
        if self.files or not isinstance(self.path, str):
            return self.files
        return (TableFile(path=self.path, bytes=self.bytes, hash=self.hash),)


class Descriptor(
    msgspec.Struct, frozen=True, kw_only=True, rename={"profile": "$schema", "tool": "chaosprep"}
):
    """`datapackage.json`: a Data Package v2 descriptor."""

    profile: str = "https://datapackage.org/profiles/2.0/datapackage.json"
    name: str
    title: str
    licenses: tuple[License, ...]
    sources: tuple[DataSource, ...]
    resources: tuple[Resource, ...]
    tool: Provenance


class Shard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a stage a directory holds, and what `merge` must know of it.

    `planned_sha256` is the same for all parts of one run, `cases` has the part's cases with the
    hash of what each was made of, also of those that came to nothing.
    """

    index: Annotated[int, Meta(ge=1)]
    count: Annotated[int, Meta(ge=1)]
    planned_sha256: Sha256
    cases: dict[str, Sha256]


class ShardDescriptor(Descriptor, frozen=True, kw_only=True):
    """`shard.json`: the descriptor of a part, which no reader takes for a whole stage."""

    shard: Shard


_TABLE_TYPES = {
    msgspec.inspect.StrType: "string",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.FloatType: "number",
    msgspec.inspect.LiteralType: "string",
    msgspec.inspect.TupleType: "array",
    msgspec.inspect.VarTupleType: "array",
    msgspec.inspect.DictType: "object",
    msgspec.inspect.StructType: "object",
}


def table_schema(rare: Collection[str] = ()) -> dict[str, Any]:
    """The Table Schema of a `slices.jsonl` with these of the columns that one may lack."""
    there = [one for one in describe_params(Slice) if one.name in rare or one.name not in RARE]
    return {"fields": [_table_field(one) for one in there], "primaryKey": ["id"]}


def _table_field(field: Parameter) -> dict[str, Any]:
    nullable = field.name in RARE or (
        isinstance(field.type, msgspec.inspect.UnionType) and field.type.includes_none
    )
    entry: dict[str, Any] = {
        "name": field.name,
        "type": _TABLE_TYPES[type(bare(field.type))],
        "description": field.description,
    }
    return entry if nullable else entry | {"constraints": {"required": True}}
