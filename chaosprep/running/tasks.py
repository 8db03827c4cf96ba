"""Cases as tasks: sent to the workers, and what a worker does with one."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.errors import ChaosprepError, Problem
from chaosprep.formats.codecs import compression_of
from chaosprep.params import P
from chaosprep.running.boundary import too_large, tried
from chaosprep.running.claim import Claim, make_claim
from chaosprep.running.executors import Executor, WorkerDied, map_unordered, open_executor
from chaosprep.running.journal import Entry
from chaosprep.running.planning import Plan
from chaosprep.running.stage import C, CaseResult, Stage
from chaosprep.running.writer import Writer


def work(
    stage: Stage[C, P],
    params: P,
    plan: Plan[C],
    source: Path,
    jobs: int,
    scheduler: str | None = None,
    *,
    dry: bool = False,
) -> Generator[Entry, None, None]:
    """Run every case that the plan has to do, in whatever order they finish.

    So many processes work here, or the Dask cluster of a scheduler. A dry run keeps no file.
    """
    count = len(plan.cases) - len(plan.done)
    if not count:
        return
    output, claim = plan.output, None
    if scheduler is not None:  # processes of this one end with it and need no claim
        output = output.absolute()
        claim = make_claim(output / WORKSPACE)
    tasks = (
        _Task(stage.run_case, case, params, None if dry else output, plan.key(case), claim)
        for case in plan.to_do()
    )

    def start() -> Executor:
        if scheduler is None or claim is None:
            return open_executor(jobs, count)
        from chaosprep.running.dask.executor import DaskExecutor

        return DaskExecutor(scheduler, claim, source, count)

    with closing(map_unordered(start, _run_case, tasks)) as results:
        for task, entry in results:
            if isinstance(entry, WorkerDied):
                yield _failed(task, too_large())
            else:
                yield entry


@dataclass(frozen=True)
class _Task:
    run_case: Callable[[Any, Any, Writer], CaseResult]
    case: Any
    params: Any
    output: Path | None
    key: str
    claim: Claim | None


def _run_case(task: _Task) -> Entry:
    """Run one case, in whichever process; an error becomes a problem of the case."""
    done = tried(_done, task)
    return _failed(task, done) if isinstance(done, ChaosprepError) else done


def _done(task: _Task) -> Entry:
    writer = Writer(task.output, compression_of(task.params), task.claim)
    result = task.run_case(task.case, task.params, writer)
    return Entry(
        case=task.case.id,
        key=task.key,
        inputs=result.inputs or task.case.inputs(),
        slices=result.slices,
        problems=result.problems,
    )


def _failed(task: _Task, error: ChaosprepError) -> Entry:
    """The entry of a case that came to nothing."""
    problem = Problem.of(error, task.case.id)
    inputs = task.case.inputs()
    return Entry(case=task.case.id, key=task.key, inputs=inputs, slices=(), problems=(problem,))
