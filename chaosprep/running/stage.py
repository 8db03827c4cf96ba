"""What a stage is: a name, a Params class and one function over one case."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from chaosprep.dataset.descriptor import DataSource, LabelMap, LeftOut, License, PastStage, Share
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, Problem
from chaosprep.params import P
from chaosprep.running.fitting import Expected, one_for_each
from chaosprep.running.learning import Learning
from chaosprep.running.options import RunOptions
from chaosprep.running.writer import Writer
from chaosprep.workbench import Workbench


class AnyCase(Protocol):
    """What the runner needs to know of a case."""

    @property
    def id(self) -> str:
        """The case id."""

    @property
    def patient(self) -> str:
        """The patient id."""

    def content(self) -> bytes:
        """What identifies the case and all that is planned for it."""

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold."""


C = TypeVar("C", bound=AnyCase)
C_co = TypeVar("C_co", bound=AnyCase, covariant=True)


class Lineage(Protocol):
    """Where data come from, as a manifest tells it."""

    @property
    def history(self) -> tuple[PastStage, ...]:
        """Every stage up to here."""

    @property
    def licenses(self) -> tuple[License, ...]:
        """The licences of the data."""

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """Where the data come from."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What of it a person chose to leave out."""


class Source(Lineage, Protocol[C_co]):
    """Where cases come from: a dataset root seen through a layout, or a stage directory."""

    @property
    def label_map(self) -> LabelMap:
        """What the values of its masks stand for."""

    @property
    def directory(self) -> Path:
        """The root of its files."""

    @property
    def cases(self) -> Sequence[C_co]:
        """The cases, sorted by id."""

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong before any case was opened."""

    @property
    def told(self) -> tuple[str, ...]:
        """What is to be said of what was left out."""


class CaseResult(msgspec.Struct, frozen=True):
    """What a stage made of one case: its rows and what went wrong.

    `inputs` is the SHA-256 of what the case's files held, where only reading them could tell.
    """

    slices: tuple[Slice, ...]
    problems: tuple[Problem, ...] = ()
    inputs: str | None = None


class Planned(msgspec.Struct, Generic[C], frozen=True):
    """What was decided over all cases at once.

    `complete` gives each case all that was decided for it; `notes` are to be said of it, and
    `division` is how near the sides and folds come to what was asked.
    """

    complete: Callable[[C], C]
    notes: tuple[str, ...] = ()
    division: tuple[Share, ...] = ()


def _the_same(source: Source[C], params: P) -> LabelMap | None:
    return source.label_map


def _any(dataset: Dataset) -> bool:
    return True


def _no_more(params: P) -> tuple[str, ...]:
    return ()


def _whole(source: Source[C], params: P) -> Source[C]:
    return source


def _as_given(params: P, source: Source[C]) -> P:
    return params


def _as_they_are(source: Source[C], cases: Sequence[C], params: P) -> Planned[C]:
    return Planned(lambda case: case)


def _nothing_to_check(
    params: P, root: Path, output: Path, cases: Iterable[C], options: RunOptions
) -> None:
    """Nothing is checked before the work begins."""


def _nothing(dataset: Dataset, params: P, options: RunOptions) -> None:
    """Nothing is done at the end."""


class Stage(msgspec.Struct, Generic[C, P], frozen=True):
    """A step of the work.

    `version` goes up whenever the same input and parameters give other bytes. `plan` decides what
    needs all wanted cases at once (who goes where, how often), and how to complete each before it
    is sent to `run_case`; `open` finds the cases below a path,
    and keeps on the workbench what the next run can use; `settle` completes the parameters with
    what was settled there; `choose` leaves out of the source what a person wants to be left out.
    `ready` refuses, of the completed cases and before the work begins, what could not be done at
    its end, and `after` does that once all is committed, or was already. `rows` tells of a
    completed case what is settled of the rows that it becomes where nothing goes wrong, so that an
    unfinished run is gone on with where its journal says just that; cases of which it knows nothing
    (None) are done again. `learn` is what it learns over some cases first, and completes each
    with. `labels` tells what the values of its masks stand for, by all of its source;
    None where only its rows can tell. `needs` are the stages that must have come before,
    `libraries` the heavy ones that nearly every case takes: they are imported once, before workers
    are forked, and not for a small job that gets by without. `uses` are the packages that its
    output depends on beside those of every stage: their versions are recorded too.

    `folder` is its place in what `prepare` makes, which leaves out a stage without one, and one
    whose `takes` says that it is not for such a dataset. `shaping`
    are the parameters that change what the pixels are: what a network predicts on must agree in
    them with what it was trained on. For its users, `source_name` is what its input is called,
    `positional` the parameters (paths) that are given before it, each with its name in the help,
    and `help` what else there is to say. A stage `in_this_process` takes no workers.
    """

    name: str
    version: int
    params: type[P]
    run_case: Callable[[C, P, Writer], CaseResult]
    open: Callable[[Path, P, Workbench], Source[C]]
    settle: Callable[[P, Any], P] = _as_given
    choose: Callable[[Any, P], Any] = _whole
    plan: Callable[[Any, Sequence[C], P], Planned[C]] = _as_they_are
    rows: Callable[[C, P], Iterable[Expected] | None] = one_for_each
    learn: Learning[C, P] | None = None
    labels: Callable[[Source[C], P], LabelMap | None] = _the_same
    ready: Callable[[P, Path, Path, Iterable[Any], RunOptions], None] = _nothing_to_check
    after: Callable[[Dataset, P, RunOptions], None] = _nothing
    needs: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    uses: Callable[[P], tuple[str, ...]] = _no_more
    folder: str | None = None
    takes: Callable[[Dataset], bool] = _any
    shaping: tuple[str, ...] = ()
    source_name: str = "DIR"
    positional: Mapping[str, str] = msgspec.field(default_factory=dict)
    help: str = ""
    in_this_process: bool = False

    @property
    def not_taken(self) -> tuple[str, ...]:
        """The run options that have no meaning for it."""
        return ("jobs", "dask", "shard") if self.in_this_process else ()


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
