"""An opened stage directory: its descriptor, its slices, grouped into cases, and their arrays."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.codes import codes_by_name
from chaosprep.dataset.descriptor import (
    DataSource,
    Descriptor,
    LabelMap,
    LeftOut,
    License,
    PastStage,
    Shard,
    ShardDescriptor,
    StageRecord,
)
from chaosprep.dataset.places import Lines, Places
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.dataset.table import Table
from chaosprep.errors import ChaosprepError, Problem, plural
from chaosprep.facts import Label
from chaosprep.files import sha256
from chaosprep.imaging.measured import Pixels

if TYPE_CHECKING:
    import pandas

DESCRIPTOR = "datapackage.json"
SHARD = "shard.json"
WORKSPACE = ".chaosprep"
JOURNAL = "journal.jsonl"
P = TypeVar("P")
T = TypeVar("T")


class OnDemand(Sequence[T]):
    """Items that are made of their places, each time that one is asked for."""

    def __init__(self, places: Sequence[P], make: Callable[[P], T]) -> None:
        self._places: Sequence[Any] = places
        self._make: Callable[[Any], T] = make

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        found = self._places[index]
        return [self._make(one) for one in found] if isinstance(index, slice) else self._make(found)


@dataclass(eq=False, repr=False)
class Dataset:
    """A finished stage directory; made by `open_dataset`.

    Its table is checked whole when it is opened, and read again a case at a time, so that the
    size of a dataset is bounded by the disk, not by memory.
    """

    directory: Path
    descriptor: Descriptor
    descriptor_sha256: str
    table: Table
    _places: Places
    left_out: tuple[LeftOut, ...] = ()
    """What of the stage directory is not in it, as a person chose when it was opened."""
    told: tuple[str, ...] = ()
    """What else is to be said of that."""
    _keep: Callable[[tuple[Slice, ...]], tuple[Slice, ...]] | None = None

    def __repr__(self) -> str:
        return f"<Dataset {self._told()} in {self.directory}>"

    def _told(self) -> str:
        counts = self.descriptor.tool.counts
        slices = sum(one.slices for one in counts.values())
        sides = " ".join(f"{side} {one.patients}" for side, one in counts.items() if one.patients)
        held = f"{plural(len(self), 'case')}, {plural(slices, 'slice')}"
        return f"{self.made.stage}: {held}, {sides} patients"

    def _repr_html_(self) -> str:
        """What a notebook shows: how much there is, and the fullest slices of a few cases."""
        from chaosprep.dataset.notebook import shown

        title = f"Dataset {self._told()}"
        return shown(title, self.directory, self.cases, self.descriptor.tool.counts)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def shard(self) -> Shard | None:
        """Which part of a stage this is, where it is not the whole."""
        return self.descriptor.shard if isinstance(self.descriptor, ShardDescriptor) else None

    @property
    def manifest(self) -> Path:
        """Its descriptor: the file that commits it."""
        return self.directory / (DESCRIPTOR if self.shard is None else SHARD)

    @cached_property
    def store(self) -> Store:
        """Where its images and masks are."""
        return Store(self.directory, links=self.made.parameters.get("link") == "sym")

    @property
    def cases(self) -> Sequence[Case]:
        """The cases, sorted by id, each read from the table when it is asked for."""
        return OnDemand(self._places, self._read)

    def _read(self, place: Lines) -> Case:
        lines = self.table.read(place.start, place.stop).splitlines()
        rows = tuple(decode_row(line) for line in lines)
        digest = sha256(b"\n".join(lines))
        rows = rows if self._keep is None else self._keep(rows)
        known = self._max_pixels, self.label_map
        return Case(self.store, place.case, place.patient, rows, digest, *known)

    def only(
        self,
        cases: Collection[str],
        keep: Callable[[tuple[Slice, ...]], tuple[Slice, ...]],
        left_out: tuple[LeftOut, ...],
        told: tuple[str, ...],
    ) -> "Dataset":
        """The same with some of its cases alone, and of each the rows that `keep` gives of all."""
        places = Places(place for place in self._places if place.case in cases)
        return replace(self, _places=places, _keep=keep, left_out=left_out, told=told)

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """Every row of the table, sorted by id."""
        return tuple(row for case in self.cases for row in case.slices)

    @property
    def made(self) -> StageRecord:
        """The stage that made this directory, with its parameters."""
        return self.descriptor.tool

    @property
    def history(self) -> tuple[PastStage, ...]:
        """Every stage up to this one, each with the hash of the descriptor that it committed."""
        own = msgspec.structs.asdict(self.made.alone())
        last = PastStage(
            **own,
            descriptor_sha256=self.descriptor_sha256,
            skipped=self.skipped,
            left_out=self.descriptor.tool.left_out,
            learned=self.descriptor.tool.learned,
        )
        return (*self.descriptor.tool.history, last)

    @property
    def has_learned(self) -> bool:
        """Whether a stage learned something from its cases of the training side."""
        return any(past.learned for past in self.history)

    @property
    def licenses(self) -> tuple[License, ...]:
        """The licences of the data."""
        return self.descriptor.licenses

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """Where the data come from."""
        return self.descriptor.sources

    @property
    def label_map(self) -> LabelMap:
        """Mask value -> label, the same in every case; empty where nobody named the values."""
        return self.descriptor.tool.labels

    @cached_property
    def labels(self) -> LabelMap:
        """Its label map, ascending; without one, and of earlier releases, what its rows say."""
        told = self.label_map
        if not told:
            rows = (row.labels for case in self.cases for row in case.slices)
            known = codes_by_name(self.history)
            told = {at: Label(name, known.get(name)) for row in rows for at, name in row.items()}
        return dict(sorted(told.items()))

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """What this stage left out, and why; of earlier stages, see `history`."""
        return self.descriptor.tool.skipped

    @property
    def problems(self) -> tuple[Problem, ...]:
        """A finished directory has none (see `skipped`)."""
        return ()

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The ids of the cases, sorted."""
        return tuple(place.case for place in self._places)

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({place.patient for place in self._places}))

    def case(self, id: str) -> Case:
        """One case by its id.

        Raises:
            KeyError: there is no such case.
        """
        place = self._places.find(id)
        if place is None:
            raise KeyError(id)
        return self.cases[place]

    def image(self, row: Slice) -> NDArray[Any]:
        """The image of a slice as stored: (rows, cols)."""
        return self._of(row).image(row)

    def pixels(self, row: Slice, *, check: bool = True) -> Pixels:
        """A slice as every output sees it, see `Case.pixels`; `check` it against its hash."""
        return self._of(row, check).pixels(row)

    def mask(self, row: Slice, *, check: bool = True) -> NDArray[Any] | None:
        """The mask of a slice: (rows, cols), or None without ground truth; `check` as there."""
        return self._of(row, check).mask(row)

    def to_pandas(self) -> "pandas.DataFrame":
        """The table as a data frame (needs pandas)."""
        try:
            import pandas
        except ImportError as error:
            raise ChaosprepError(
                "pandas is not installed", "Run: pip install pandas.", "extra"
            ) from error
        return pandas.DataFrame([msgspec.to_builtins(row) for row in self.slices])

    def _of(self, row: Slice, check: bool = True) -> Case:
        known = self._max_pixels
        return Case(self.store, row.case, row.patient, (row,), "", known, check=check)

    @cached_property
    def _max_pixels(self) -> int:
        """What split was told to decode at most; a foreign manifest may not ask for everything."""
        stages = (*self.descriptor.tool.history, self.made)
        told = (stage.parameters.get("max_pixels") for stage in stages)
        return min(max((one for one in told if isinstance(one, int)), default=2**26), 2**30)
