"""Cases as tasks: sent to the workers, and what a worker does with one."""

from collections.abc import Callable, Generator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.containers.table import CONTAINERS, StoreName
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.records import Slice, encode_row
from chaosprep.errors import ChaosprepError, FileError, ManifestError, Problem
from chaosprep.formats.codecs import compression_of
from chaosprep.params import P
from chaosprep.running.boundary import too_large, tried
from chaosprep.running.claim import Claim, make_claim
from chaosprep.running.executor import Executor
from chaosprep.running.executors import WorkerDied, map_unordered
from chaosprep.running.journal import Entry, Told
from chaosprep.running.planning import Plan
from chaosprep.running.small import is_small
from chaosprep.running.stage import C, CaseResult, Stage, each_slice
from chaosprep.running.writer import Writer


def work(
    stage: Stage[C, P],
    params: P,
    plan: Plan[C],
    source: Path,
    opens: Callable[[int], Executor],
    scheduler: str | None = None,
    *,
    dry: bool = False,
) -> Generator[Told, None, None]:
    """Run every case that the plan has to do, in whatever order they finish.

    Who works is what `opens` gives for so many tasks, or the Dask cluster of a scheduler. A dry run
    keeps no file.
    """
    count = len(plan.cases) - len(plan.done)
    if not count:
        return
    output, claim = plan.output, None
    libraries = () if is_small(plan) else stage.libraries
    if scheduler is not None:  # processes of this one end with it and need no claim
        output = output.absolute()
        claim = make_claim(output / WORKSPACE)
    tasks = (
        _Task(
            stage.run_case,
            case,
            params,
            None if dry else output,
            plan.key(case),
            claim,
            plan.store,
            libraries,
        )
        for case in plan.to_do()
    )

    start = starter(opens, scheduler, claim, source, count)
    with closing(map_unordered(start, _run_case, tasks)) as results:
        for task, told in results:
            if isinstance(told, WorkerDied):
                yield _failed(task, too_large()).told()
            else:
                yield told


def starter(
    opens: Callable[[int], Executor],
    scheduler: str | None,
    claim: Claim | None,
    source: Path,
    count: int,
) -> Callable[[], Executor]:
    """What starts the executor for so many tasks; on a scheduler's cluster where it has a claim."""

    def start() -> Executor:
        if scheduler is None or claim is None:
            return opens(count)
        from chaosprep.running.dask.executor import DaskExecutor

        return DaskExecutor(scheduler, claim, source, count)

    return start


_LONGEST = 170  # of an id's 200 letters: the slice, the copy and the file's ending come behind


class _Task(msgspec.Struct, frozen=True):
    run_case: Callable[[Any, Any, Writer], CaseResult]
    case: Any
    params: Any
    output: Path | None
    key: str
    claim: Claim | None
    store: StoreName
    libraries: tuple[str, ...]


def _run_case(task: _Task) -> Told:
    """Run one case, in whichever process; an error becomes a problem of the case."""
    done = tried(_done, task)
    return (_failed(task, done) if isinstance(done, ChaosprepError) else done).told()


def _done(task: _Task) -> Entry:
    for name in task.libraries:
        import_module(name)
    if len(task.case.id) > _LONGEST:
        raise ChaosprepError(
            f"its name has {len(task.case.id)} letters; {_LONGEST} are the most",
            "Rename the folder of the patient or the series, or leave the case out with --on-error "
            "skip.",
            code="name-long",
        )
    container = CONTAINERS.get(task.store)
    compression = compression_of(task.params)
    with Writer(task.output, compression, task.claim, container, task.case.id) as writer:
        result = task.run_case(task.case, task.params, writer)
        sound = each_slice(result.slices, _read_again)  # what falls out here is not packed
        rows = writer.finished(sound.slices)
    return Entry(
        case=task.case.id,
        key=task.key,
        inputs=result.inputs or task.case.inputs(),
        slices=rows,
        problems=(*result.problems, *sound.problems),
    )


def _read_again(row: Slice) -> Slice:
    """A row as the next stage will read it: what it would refuse is not written."""
    try:
        return decode_row(encode_row(row))
    except (ManifestError, UnicodeEncodeError) as error:
        why = error.reason if isinstance(error, ManifestError) else "a name is not UTF-8"
        raise FileError(
            f"what is known of the slice cannot be written to a table ({why})",
            "Correct the header or the name that says it, or leave the slice out with --on-error "
            "skip.",
            code="row",
        ) from error


def _failed(task: _Task, error: ChaosprepError) -> Entry:
    """The entry of a case that came to nothing."""
    problem = Problem.of(error, task.case.id)
    inputs = task.case.inputs()
    return Entry(case=task.case.id, key=task.key, inputs=inputs, slices=(), problems=(problem,))
