"""How a stage is to be run: one class, of which options, keywords and signatures are made."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chaosprep.dataset.containers.table import StoreName
from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import Problem, UsageError, plural
from chaosprep.running.shards import Part, parse_part
from chaosprep.systems.processes import cores

OnError = Literal["stop", "skip"]


class Event(msgspec.Struct, frozen=True):
    """What happens during a run.

    First `planned`, then `done` or `failed` for each case, then `committed`; or only
    `already-done`. `finished` of `total` cases are behind it. `planned` may have `notes`
    on what was planned; the last event has the dataset. Where a stage learns, `seen` comes before
    all that for each case that it learns from, and `total` is how many those are.
    """

    kind: Literal["seen", "planned", "done", "failed", "committed", "already-done"]
    stage: str
    finished: int
    total: int
    case: str | None = None
    slices: int = 0
    problems: tuple[Problem, ...] = ()
    dataset: Dataset | None = None
    notes: tuple[str, ...] = ()

    @property
    def closing(self) -> str:
        """What the last event comes to, in a line; empty of all others."""
        if self.dataset is None:
            return ""
        slices = sum(counts.slices for counts in self.dataset.descriptor.tool.counts.values())
        return (
            f"{self.stage}: {plural(len(self.dataset), 'case')}, {plural(slices, 'slice')}, "
            f"{len(self.dataset.skipped)} skipped -> {self.dataset.manifest}"
            f"{' (already done)' if self.kind == 'already-done' else ''}"
        )


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An `on_event` that does nothing."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every stage takes besides its own parameters.

    Raises:
        UsageError: no workers, or a shard that is not I/N.
    """

    jobs: Annotated[
        int | None,
        Meta(
            description="Worker processes; None is one for each processor, and none for a small "
            "job."
        ),
    ] = 1
    dask: Annotated[
        str | None,
        Meta(
            description="Work on a Dask cluster: its scheduler (tcp://host:8786), local (--jobs "
            "processes here), or config (what Dask is configured to use)."
        ),
    ] = None
    shard: Annotated[
        str | None,
        Meta(
            description="Work on the I-th of N parts of the cases; chaosprep merge joins the parts."
        ),
    ] = None
    on_error: Annotated[
        OnError,
        Meta(description="Commit nothing where there are problems, or leave those slices out."),
    ] = "stop"
    store: Annotated[
        StoreName,
        Meta(
            description="How images and masks are kept: as single files, or packed, in one tar of "
            "images and one of masks for each case, or one Zarr array of each."
        ),
    ] = "files"
    overwrite: Annotated[
        bool, Meta(description="Do everything again, whatever is in the output.")
    ] = False
    on_event: Annotated[
        OnEvent | None, Meta(description="Called in this process with every Event.")
    ] = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(
                f"--jobs: {self.jobs} workers are too few", "Give 1 or more.", code="jobs"
            )
        _ = self.part

    @property
    def processes(self) -> int:
        """How many processes may work."""
        return cores() if self.jobs is None else self.jobs

    @property
    def part(self) -> Part | None:
        """`shard` as numbers."""
        return None if self.shard is None else parse_part(self.shard)

    def tell(self, event: Event) -> None:
        """Pass an event on to whoever listens."""
        if self.on_event is not None:
            self.on_event(event)


DEFAULTS = RunOptions()
