"""The commit of a stage: table first, descriptor last, nothing else left in the directory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from chaosprep.dataset.codes import codes_by_name
from chaosprep.dataset.containers.table import StoreName, on_disk
from chaosprep.dataset.descriptor import (
    MANIFEST_MINOR,
    MANIFEST_VERSION,
    Descriptor,
    LabelMap,
    Learned,
    Provenance,
    Shard,
    ShardDescriptor,
    Share,
    SplitCounts,
    StageRecord,
)
from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, WORKSPACE
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.places import Groups
from chaosprep.dataset.records import EMPTY, RARE, SPLITS, Slice, Split
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError, Problem
from chaosprep.facts import Label
from chaosprep.files import check_own, write_json
from chaosprep.imaging.png.codec import COMPRESSOR
from chaosprep.running.libraries import version_of
from chaosprep.running.path_set import PathSet
from chaosprep.running.place import PARTS
from chaosprep.running.stage import Lineage
from chaosprep.running.table_writing import write_table
from chaosprep.systems.replacing import unlink
from chaosprep.version import __version__

_LIBRARIES = ("Pillow", "numpy", "opencv-python-headless", "pydicom")


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """The versions of this tool and of the libraries that its output depends on, `more` too."""
    known = {name: version_of(name) for name in (*_LIBRARIES, *more)}
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
    store: StoreName = "files",
    learned: Learned | msgspec.UnsetType = msgspec.UNSET,
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
        store: how its images and masks lie.
        learned: what the stage learned over cases.
    """
    counter, paths = _Counter(), PathSet()
    written = write_table(directory, _filled(_noted(rows(), counter, paths), counter.rare))
    if counter.rare != counter.rare_at_first:  # a column that any row has stands in all
        written = write_table(directory, _filled(rows(), counter.rare))
    _remove_left(directory, paths)
    descriptor = Descriptor(
        name=f"chaosprep-{made.stage}",
        title=f"Image and mask slices, as {made.stage} made them",
        licenses=source.licenses,
        sources=source.sources,
        resources=(written.resource(counter.rare),),
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
            store=store,
            learned=learned,
        ),
    )
    if shard is None:
        write_json(directory / DESCRIPTOR, descriptor, directory / WORKSPACE)
    else:
        part = ShardDescriptor(**msgspec.structs.asdict(descriptor), shard=shard)
        write_json(directory / SHARD, part, directory / WORKSPACE)


def _noted(rows: Iterable[Slice], counter: "_Counter", paths: PathSet) -> Iterator[Slice]:
    for row in rows:
        counter.add(row)
        for file in row.files():
            for path in on_disk(file):
                paths.add(path)
        yield row


def _filled(rows: Iterable[Slice], rare: Collection[str]) -> Iterator[Slice]:
    """The rows with those of the rare columns that are known when each is asked for."""
    for row in rows:
        lacking = {name: EMPTY[name] for name in rare if getattr(row, name) is msgspec.UNSET}
        yield msgspec.structs.replace(row, **lacking) if lacking else row


def _remove_left(directory: Path, keep: Container[str]) -> None:
    """Remove what an interrupted run of this or an earlier release left."""
    Store(directory).prune(keep)
    for name in PARTS:
        with suppress(FileNotFoundError, FileError):
            check_own((directory / name).lstat())
            unlink(directory / name)


class _Counter:
    """Counts patients, cases and slices of each side, row by row.

    ``rare`` are those columns that a row has, ``rare_at_first`` those that the first one has.
    """

    def __init__(self) -> None:
        self._patients = defaultdict[Split, Groups](Groups)
        self._cases = defaultdict[Split, Groups](Groups)
        self._slices = Counter[Split]()
        self.warned = 0
        self.rare, self.rare_at_first = set[str](), frozenset[str]()
        self.names: dict[int, str] = {}

    def add(self, row: Slice) -> None:
        is_first = not self._slices
        self._patients[row.split].begins(row.patient, row.id)
        self._cases[row.split].begins(row.case, row.id)
        self._slices[row.split] += 1
        self.warned += bool(row.warnings)
        for value, name in row.labels.items():
            if value not in self.names and name != unnamed(value):
                self.names[value] = name
        for name in RARE:
            if getattr(row, name) is not msgspec.UNSET:
                self.rare.add(name)
        if is_first:
            self.rare_at_first = frozenset(self.rare)

    def labels(self, source: Lineage) -> LabelMap:
        """What the rows say that values stand for, with the codes that such names may have."""
        known = codes_by_name(source.history)
        return {value: Label(name, known.get(name)) for value, name in self.names.items()}

    def counts(self) -> dict[Split, SplitCounts]:
        return {
            side: SplitCounts(
                self._patients[side].count, self._cases[side].count, self._slices[side]
            )
            for side in SPLITS
            if side in self._slices
        }
