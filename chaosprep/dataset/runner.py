"""The runner: plans a stage, maps it over its cases, records each, and commits the whole."""

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from chaosprep.dataset.commit import commit, versions
from chaosprep.dataset.descriptor import StageRecord
from chaosprep.dataset.executors import WorkerDied, map_unordered, open_executor, warm_up
from chaosprep.dataset.journal import Entry, Journal
from chaosprep.dataset.lock import locked
from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, TABLE, WORKSPACE, Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.planning import Plan, check_request, compare, fingerprint, fresh_plan
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stage import C, CaseResult, P, Source, Stage, check_params, plain
from chaosprep.dataset.writer import Writer
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, ProblemsError, UsageError

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
    warm_up(jobs)
    params = check_params(params)
    source = stage.open(Path(source), params) if isinstance(source, str | Path) else source
    output = Path(output)
    check_request(stage, source, output)
    plan = fresh_plan(stage, params, source, output)
    workspace = output / WORKSPACE
    if (output / DESCRIPTOR).exists() and not overwrite and not workspace.exists():
        compare(stage, params, plan)
        return _told(on_event, _already_done(stage.name, plan), output)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        with locked(workspace / "lock"):
            if overwrite:
                _forget(output)
            plan = compare(stage, params, plan)
            if plan.is_committed:  # by another run just now, or by one killed right after
                last = _already_done(stage.name, plan)
            else:
                last = _work(stage, params, source, plan, jobs, on_error, on_event)
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
    dataset = open_dataset(output)
    on_event(replace(event, dataset=dataset))
    return dataset


def _forget(output: Path) -> None:
    """Take back the commit: the descriptor goes first."""
    for name in (DESCRIPTOR, TABLE, f"{WORKSPACE}/{JOURNAL}"):
        (output / name).unlink(missing_ok=True)


def _work(
    stage: Stage[C, P],
    params: P,
    source: Source[C],
    plan: Plan[C],
    jobs: int,
    on_error: OnError,
    on_event: OnEvent,
) -> Event:
    total, finished = len(plan.cases), len(plan.done)
    failed, worked = _problems(source, params), list[str]()
    on_event(Event("planned", stage.name, finished, total, problems=tuple(failed)))
    with Journal(plan.output / WORKSPACE / JOURNAL) as journal:
        with closing(_entries(stage, params, plan, jobs)) as made_entries:
            for entry in made_entries:
                finished += 1
                worked.append(entry.case)
                journal.append(entry)
                failed.extend(entry.problems)
                on_event(_case_event(stage.name, entry, finished, total))
        problems = tuple(sorted(failed, key=lambda p: (p.id, p.file or "", p.code)))
        if problems and on_error == "stop":
            raise _unsettled(stage.name, problems)
        entries = _Entries(journal, {*plan.done, *worked})
        if not any(entry.slices for entry in entries):
            raise NothingFoundError(f"{stage.name}: no slice is left to write", code="empty")
        made = StageRecord(
            stage=stage.name,
            version=stage.version,
            versions=versions(),
            parameters=plain(params),
            seed=getattr(params, "seed", None),
            inputs_sha256=fingerprint((entry.case, entry.inputs) for entry in entries),
        )
        commit(plan.output, made, source, entries.rows(), problems)
    return Event("committed", stage.name, total, total, problems=problems)


def _problems(source: Source[C], params: P) -> list[Problem]:
    """What was wrong before any case was opened, as far as it is about the wanted patients."""
    others = set(source.patients) - set(params.patient) if params.patient else set()
    return [p for p in source.problems if p.id.partition("_")[0] not in others]


class _Entries:
    """The journal's entries of this run's cases, in the order of the table, read as needed."""

    def __init__(self, journal: Journal, cases: Iterable[str]) -> None:
        self._journal = journal
        self._cases = sorted(cases, key=lambda case: f"{case}_")

    def __iter__(self) -> Iterator[Entry]:
        return (entry for case in self._cases if (entry := self._journal.get(case)) is not None)

    def rows(self) -> Iterator[Slice]:
        for entry in self:
            yield from sorted(entry.slices, key=lambda row: row.id)


def _entries(
    stage: Stage[C, P], params: P, plan: Plan[C], jobs: int
) -> Generator[Entry, None, None]:
    tasks = (
        _Task(stage.run_case, planned, params, plan.output, plan.key(planned))
        for planned in plan.to_do()
    )
    count = len(plan.cases) - len(plan.done)
    with closing(map_unordered(lambda: open_executor(jobs, count), _run_case, tasks)) as results:
        for task, entry in results:
            yield _died(task) if isinstance(entry, WorkerDied) else entry


@dataclass(frozen=True)
class _Task:
    run_case: Callable[[Any, Any, Writer], CaseResult]
    case: Any
    params: Any
    output: Path
    key: str


def _run_case(task: _Task) -> Entry:
    """Run one case, in whichever process; an error becomes a problem of the case."""
    try:
        result = task.run_case(task.case, task.params, Writer(task.output, task.params.compression))
    except ChaosprepError as error:
        result = CaseResult((), (Problem.of(error, task.case.id),))
    except MemoryError:
        result = CaseResult((), (_too_large(task.case.id, "its worker ran out of memory"),))
    return Entry(
        case=task.case.id,
        key=task.key,
        inputs=result.inputs or task.case.inputs(),
        slices=result.slices,
        problems=result.problems,
    )


def _died(task: _Task) -> Entry:
    problem = _too_large(task.case.id, "its worker process died, twice")
    return Entry(
        case=task.case.id,
        key=task.key,
        inputs=task.case.inputs(),
        slices=(),
        problems=(problem,),
    )


_TOO_LARGE = (
    "Try --jobs 1, or more memory; a Python script that asks for more jobs has its calls under "
    "if __name__ == '__main__'."
)


def _too_large(case: str, reason: str) -> Problem:
    return Problem(code="worker-died", id=case, reason=reason, remedy=_TOO_LARGE)


def _case_event(stage: str, entry: Entry, finished: int, total: int) -> Event:
    kind: Literal["done", "failed"] = "failed" if entry.problems else "done"
    return Event(kind, stage, finished, total, entry.case, len(entry.slices), entry.problems)


def _unsettled(stage: str, problems: tuple[Problem, ...]) -> ProblemsError:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return ProblemsError(
        f"{stage}: {count}, nothing was committed",
        "Settle them and run the same command again, or leave these slices out with "
        "--on-error skip.",
        problems,
    )
