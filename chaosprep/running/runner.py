"""The runner: plans a stage, maps it over its cases, records each, and commits the whole."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from chaosprep.dataset.descriptor import Shard, StageRecord
from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, SHARD, TABLE, WORKSPACE, Dataset
from chaosprep.dataset.opening import is_finished, open_output
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.params import P, check_params, plain
from chaosprep.running.claim import end_claims
from chaosprep.running.commit import commit, in_order, versions
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for
from chaosprep.running.journal import Entry, Journal
from chaosprep.running.lock import locked
from chaosprep.running.planning import Plan, check_request, compare, fingerprint, fresh_plan
from chaosprep.running.settings import SETTINGS, keep_settings
from chaosprep.running.shards import parse_part
from chaosprep.running.stage import C, Source, Stage
from chaosprep.running.tasks import Workers, work

OnError = Literal["stop", "skip"]


@dataclass(frozen=True)
class Event:
    """What happens during a run.

    First `planned`, then `done` or `failed` for each case, then `committed`; or only
    `already-done`. `finished` of `total` cases are behind it. The last event has the dataset.
    """

    kind: Literal["planned", "done", "failed", "committed", "already-done"]
    stage: str
    finished: int
    total: int
    case: str | None = None
    slices: int = 0
    problems: tuple[Problem, ...] = ()
    dataset: Dataset | None = None


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An `on_event` that does nothing."""


def run(
    stage: Stage[C, P],
    params: P,
    source: Source[C] | str | Path,
    output: str | Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    shard: str | None = None,
    on_error: OnError = "stop",
    overwrite: bool = False,
    on_event: OnEvent = ignore,
) -> Dataset:
    """Run a stage over every case of a source into a stage directory.

    What an interrupted run finished is not done again; what is already done is only opened.

    Args:
        stage: the step of the work.
        params: its parameters.
        source: the cases (a `Dataset`, a layout's view of a dataset root), or where they are.
        output: the stage directory to make.
        jobs: worker processes; 1 works in this process.
        dask: work on a Dask cluster instead: the address of its scheduler, `local` for one of
            `jobs` processes here, `config` for the one that Dask is configured to use.
        shard: `I/N`: work on the I-th of N parts of the cases only, into a directory that
            `chaosprep.merge` takes.
        on_error: `stop` commits nothing where there was a problem, `skip` leaves those slices out.
        overwrite: do everything again, whatever stands in the output.
        on_event: called in this process with every `Event`.

    Raises:
        ProblemsError: there were problems, and nothing was committed.
        UsageError: the parameters cannot be met.
        NothingFoundError: there is no case to work on, or no slice left.
        ChaosprepError: the output cannot be used.
    """
    if jobs < 1:
        raise UsageError(f"jobs: {jobs} workers cannot work", "Give 1 or more.", code="jobs")
    warm_up_for(dask, jobs, stage.libraries)
    params = check_params(params)
    if isinstance(source, str | Path):
        path = Path(source) if dask is None else Path(source).absolute()  # workers are elsewhere
        source = stage.open(path, params)
    output = Path(output)
    check_request(stage, source, output)
    plan = fresh_plan(stage, params, source, output, None if shard is None else parse_part(shard))
    workspace = output / WORKSPACE
    if is_finished(output) and not overwrite and not workspace.exists():
        compare(stage, params, plan)
        return _told(on_event, _already_done(stage.name, plan), output)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        with locked(workspace / "lock"):
            if overwrite:
                forget(output)
            plan = compare(stage, params, plan)
            if plan.is_committed:  # by another run just now, or by one killed right after
                last = _already_done(stage.name, plan)
            else:
                end_claims(workspace)
                with scheduler_address(dask, jobs) as address:
                    workers = Workers(jobs, address, source.directory)
                    last = _work(stage, params, source, plan, workers, on_error, on_event)
            shutil.rmtree(workspace)
    except BrokenPipeError:
        raise  # nobody listens to `on_event` any more
    except OSError as error:
        raise ChaosprepError(
            f"{output}: cannot be written ({error.strerror})",
            "Make room or choose another output; the same command goes on from here.",
            code="output",
        ) from error
    return _told(on_event, last, output)


def _already_done(stage: str, plan: Plan[C]) -> Event:
    return Event("already-done", stage, len(plan.cases), len(plan.cases))


def _told(on_event: OnEvent, event: Event, output: Path) -> Dataset:
    """Open what was committed, and pass it on with the last event."""
    dataset = open_output(output)
    on_event(replace(event, dataset=dataset))
    return dataset


def forget(output: Path) -> None:
    """Take back the commit: the descriptor goes first."""
    for name in (DESCRIPTOR, SHARD, TABLE, f"{WORKSPACE}/{JOURNAL}", f"{WORKSPACE}/{SETTINGS}"):
        (output / name).unlink(missing_ok=True)


def _work(
    stage: Stage[C, P],
    params: P,
    source: Source[C],
    plan: Plan[C],
    workers: Workers,
    on_error: OnError,
    on_event: OnEvent,
) -> Event:
    total, finished = len(plan.cases), len(plan.done)
    before, failed, worked = _problems(source, params), list[Problem](), list[str]()
    on_event(Event("planned", stage.name, finished, total, problems=tuple(before)))
    with Journal(plan.output / WORKSPACE / JOURNAL) as journal:
        keep_settings(plan.output / WORKSPACE, plan.settings)
        with closing(work(stage, params, plan, workers)) as made_entries:
            for entry in made_entries:
                finished += 1
                worked.append(entry.case)
                journal.append(entry)
                failed.extend(entry.problems)
                on_event(_case_event(stage.name, entry, finished, total))
        if (before or failed) and on_error == "stop":
            raise _unsettled(stage.name, in_order([*before, *failed]))
        is_first = plan.part is None or plan.part.index == 1
        problems = in_order([*before, *failed] if is_first else failed)  # merged, each stands once
        entries = _Entries(journal, {*plan.done, *worked})
        if plan.part is None and not any(True for _ in entries.rows()):
            raise nothing_left(stage.name)
        inputs = entries.inputs()
        made = StageRecord(
            stage=stage.name,
            version=stage.version,
            versions=versions(),
            parameters=plain(params),
            seed=getattr(params, "seed", None),
            inputs_sha256=fingerprint(inputs.items()),
        )
        commit(plan.output, made, source, entries.rows(), problems, _shard(plan, inputs))
    return Event("committed", stage.name, total, total, problems=problems)


def _shard(plan: Plan[C], inputs: dict[str, str]) -> Shard | None:
    if plan.part is None:
        return None
    return Shard(
        index=plan.part.index,
        count=plan.part.count,
        planned_sha256=plan.planned_sha256,
        cases=inputs,
    )


def _problems(source: Source[C], params: P) -> list[Problem]:
    """What was wrong before any case was opened, as far as it is about the wanted patients."""
    others = set(source.patients) - set(params.patient) if params.patient else set()
    return [p for p in source.problems if p.id.partition("_")[0] not in others]


class _Entries:
    """The journal's entries of this run's cases, in the order of the table, read as needed."""

    def __init__(self, journal: Journal, cases: Iterable[str]) -> None:
        self._journal = journal
        self._cases = sorted(cases, key=lambda case: f"{case}_")

    def inputs(self) -> dict[str, str]:
        """What each case was made of."""
        heads = (self._journal.head(case) for case in self._cases)
        return {head.case: head.inputs for head in heads if head is not None}

    def rows(self) -> Iterator[Slice]:
        for case in self._cases:
            entry = self._journal.get(case)
            yield from sorted(entry.slices if entry else (), key=lambda row: row.id)


def _case_event(stage: str, entry: Entry, finished: int, total: int) -> Event:
    kind: Literal["done", "failed"] = "failed" if entry.problems else "done"
    return Event(kind, stage, finished, total, entry.case, len(entry.slices), entry.problems)


def nothing_left(stage: str) -> NothingFoundError:
    """Every slice had a problem, and a stage directory without one is of no use."""
    return NothingFoundError(f"{stage}: no slice is left to write", code="empty")


def _unsettled(stage: str, problems: tuple[Problem, ...]) -> ProblemsError:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return ProblemsError(
        f"{stage}: {count}, nothing was committed",
        "Settle them and run the same command again, or leave these slices out with "
        "--on-error skip.",
        problems,
    )
