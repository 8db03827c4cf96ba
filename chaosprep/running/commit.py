"""The commit of a stage: table first, descriptor last, nothing else left in the directory."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from chaosprep.dataset.codes import codes_by_name
from chaosprep.dataset.descriptor import (
    MANIFEST_MINOR,
    MANIFEST_VERSION,
    Descriptor,
    LabelMap,
    Provenance,
    Resource,
    Shard,
    ShardDescriptor,
    Share,
    SplitCounts,
    StageRecord,
    table_schema,
)
from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, TABLE, WORKSPACE
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.records import EMPTY, RARE, SPLITS, Slice, Split, encode_row
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError, Problem
from chaosprep.facts import Label
from chaosprep.files import check_own, settle, temporary_in, write_json
from chaosprep.imaging.png.codec import COMPRESSOR
from chaosprep.running.libraries import version_of
from chaosprep.running.place import PARTS
from chaosprep.running.stage import Lineage
from chaosprep.version import __version__

_LIBRARIES = ("Pillow", "numpy", "opencv-python-headless", "pydicom")


def versions() -> dict[str, str]:
    """The versions of this tool and of the libraries that its output depends on."""
    known = {name: version_of(name) for name in _LIBRARIES}
    return {"chaosprep": __version__, "PNG": COMPRESSOR} | known


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems as messages and manifests show them."""
    return tuple(sorted(problems, key=lambda p: (p.id, p.file or "", p.code)))


def commit(
    directory: Path,
    made: StageRecord,
    source: Lineage,
    rows: Callable[[], Iterable[Slice]],
    labels: LabelMap | None,
    skipped: tuple[Problem, ...],
    shard: Shard | None = None,
    division: tuple[Share, ...] = (),
) -> None:
    """Write the table and the descriptor of a finished stage; no other file of a run stays.

    Args:
        directory: the stage directory, whose image and mask files are all there, and whose
            workspace takes what is not whole yet.
        made: the stage and its parameters.
        source: what it was made from, for licences, sources and history.
        rows: gives the table, sorted by id, each time that it is asked.
        labels: what the values of its masks stand for; None for what the rows say.
        skipped: the problems that were left out.
        shard: which part this is, where it is not the whole.
        division: how near its sides and folds come to what was asked.
    """
    counter, paths = _Counter(), set[str]()
    size, digest = _write_table(directory, _noted(rows(), counter, paths))
    if counter.rare:  # a column that any row has stands in all
        size, digest = _write_table(directory, _filled(rows(), counter.rare))
    _remove_left(directory, paths)
    descriptor = Descriptor(
        name=f"chaosprep-{made.stage}",
        title=f"Image and mask slices, as {made.stage} made them",
        licenses=source.licenses,
        sources=source.sources,
        resources=(_resource(size, digest, counter.rare),),
        tool=Provenance(
            **msgspec.structs.asdict(made),
            manifest_version=MANIFEST_VERSION,
            manifest_minor=MANIFEST_MINOR,
            counts=counter.counts(),
            warned=counter.warned,
            labels=dict(sorted((counter.labels(source) if labels is None else labels).items())),
            history=source.history,
            skipped=skipped,
            left_out=source.left_out,
            division=division,
        ),
    )
    if shard is None:
        write_json(directory / DESCRIPTOR, descriptor, directory / WORKSPACE)
    else:
        part = ShardDescriptor(**msgspec.structs.asdict(descriptor), shard=shard)
        write_json(directory / SHARD, part, directory / WORKSPACE)


def _noted(rows: Iterable[Slice], counter: "_Counter", paths: set[str]) -> Iterator[Slice]:
    for row in rows:
        counter.add(row)
        paths.update(file.path for file in row.files())
        yield row


def _filled(rows: Iterable[Slice], rare: Collection[str]) -> Iterator[Slice]:
    for row in rows:
        own = {name: getattr(row, name) or EMPTY[name] for name in rare}
        yield msgspec.structs.replace(row, **own)


def _write_table(directory: Path, rows: Iterable[Slice]) -> tuple[int, str]:
    """Write the table, there whole or not at all; its size in bytes and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    temporary = temporary_in(directory / WORKSPACE)
    try:
        with temporary.open("xb") as file:
            for row in rows:
                line = encode_row(row) + b"\n"
                digest.update(line)
                size += file.write(line)
        settle(temporary, directory / TABLE)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


def _remove_left(directory: Path, keep: set[str]) -> None:
    """Remove what an interrupted run of this or an earlier release left."""
    Store(directory).prune(keep)
    for name in PARTS:
        with suppress(FileNotFoundError, FileError):
            check_own((directory / name).lstat())
            (directory / name).unlink()


def _resource(size: int, digest: str, rare: Collection[str]) -> Resource:
    return Resource(
        name="slices",
        path=TABLE,
        format="jsonl",
        mediatype="application/jsonl",
        encoding="utf-8",
        bytes=size,
        hash=f"sha256:{digest}",
        schema=table_schema(rare),
    )


class _Counter:
    """Counts patients, cases and slices of each side, row by row; ``rare`` are those columns."""

    def __init__(self) -> None:
        self._patients = defaultdict[Split, set[str]](set)
        self._cases = defaultdict[Split, set[str]](set)
        self._slices = Counter[Split]()
        self.warned = 0
        self.rare = set[str]()
        self.names: dict[int, str] = {}

    def add(self, row: Slice) -> None:
        self._patients[row.split].add(row.patient)
        self._cases[row.split].add(row.case)
        self._slices[row.split] += 1
        self.warned += bool(row.warnings)
        for value, name in row.labels.items():
            if name != unnamed(value):
                self.names.setdefault(value, name)
        self.rare.update(name for name in RARE if getattr(row, name) is not msgspec.UNSET)

    def labels(self, source: Lineage) -> LabelMap:
        """What the rows say that values stand for, with the codes that such names may have."""
        known = codes_by_name(source.history)
        return {value: Label(name, known.get(name)) for value, name in self.names.items()}

    def counts(self) -> dict[Split, SplitCounts]:
        return {
            side: SplitCounts(len(self._patients[side]), len(self._cases[side]), self._slices[side])
            for side in SPLITS
            if side in self._slices
        }
