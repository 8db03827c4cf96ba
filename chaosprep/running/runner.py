"""The runner: plans a stage, maps it over its cases, records each, and commits the whole."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.descriptor import Shard, StageRecord
from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, SHARD, WORKSPACE, Dataset
from chaosprep.dataset.opening import is_finished, open_output
from chaosprep.dataset.table import tables_in
from chaosprep.errors import NothingFoundError, Problem, ProblemsError, plural
from chaosprep.files import GOES_ON, writing
from chaosprep.params import P, check_params, make_params, plain
from chaosprep.running.claim import end_claims
from chaosprep.running.commit import commit, in_order, versions
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for
from chaosprep.running.executor import Executor
from chaosprep.running.executors import check_guard
from chaosprep.running.journal import Journal
from chaosprep.running.learning import LEARNED
from chaosprep.running.lessons import with_learned
from chaosprep.running.mapping import on_workers
from chaosprep.running.options import DEFAULTS, Event, RunOptions
from chaosprep.running.place import check_output, if_finished
from chaosprep.running.planning import Plan, compare, fingerprint, fresh_plan
from chaosprep.running.request import check_request
from chaosprep.running.settings import SETTINGS, keep_settings
from chaosprep.running.small import is_small, opener
from chaosprep.running.stage import C, Source, Stage
from chaosprep.running.standing import StandingWorkers
from chaosprep.running.tasks import work
from chaosprep.running.workspace import Workspace
from chaosprep.signatures import shows
from chaosprep.systems.replacing import unlink
from chaosprep.workbench import Workbench


@shows(RunOptions)
def run(
    stage: Stage[C, P],
    params: P,
    source: Source[C] | str | Path,
    output: str | Path,
    options: RunOptions = DEFAULTS,
    **keywords: Any,
) -> Dataset:
    """Run a stage over every case of a source into a stage directory.

    What an interrupted run finished is not done again; what is already done is only opened.

    Args:
        stage: the step of the work.
        params: its parameters.
        source: the cases (a `Dataset`, a layout's view of a dataset root), or where they are.
        output: the stage directory to make.
        options: how to run it.
        keywords: single options, which go before `options`.

    Raises:
        ProblemsError: there were problems, and nothing was committed.
        UsageError: the parameters cannot be met.
        NothingFoundError: there is no case to work on, or no slice left.
        ChaosprepError: the output cannot be used.
    """
    if keywords:
        options = make_params(RunOptions, msgspec.structs.asdict(options) | keywords)
    return run_on(stage, params, source, output, options)


def run_on(
    stage: Stage[C, P],
    params: P,
    source: Source[C] | str | Path,
    output: str | Path,
    options: RunOptions,
    workers: StandingWorkers | None = None,
) -> Dataset:
    """Run a stage as `run` does, and raise what it raises; on workers that stand by, if given."""
    # until it is seen how much there is to do, which says who works where no cluster does
    waits = options.jobs is None and options.dask is None
    check_guard()
    if not waits:
        warm_up_for(options.dask, options.processes, modules_of(stage))
    params = check_params(params)
    if isinstance(source, str | Path):
        bench = Workbench.beside(output, options.processes, on_workers)
        source, params = opened(stage, params, source, bench, options)
    chosen: Source[C] = stage.choose(source, params)
    output = Path(output)
    check_request(stage, chosen, output, params, overwrite=options.overwrite, store=options.store)
    plan = fresh_plan(stage, params, chosen, output, options.part, options.store)
    opens = opener(options, plan, None if workers is None else workers.executor)
    if waits and workers is None and not is_small(plan):
        warm_up_for(options.dask, options.processes, modules_of(stage))
    cases = map(plan.complete, plan.cases)
    stage.ready(params, source.directory, output, cases, options)
    workspace, total = Workspace.inside(output), len(plan.cases)
    last = Event("already-done", stage.name, total, total)

    def look() -> Dataset:
        compare(stage, params, plan)
        dataset = open_output(output)
        stage.after(dataset, params, options)
        return dataset

    dataset = None if options.overwrite else if_finished(output, look)
    if dataset is None:
        again = partial(check_output, output, options.overwrite)  # others may have come meanwhile
        with ExitStack() as stack:
            with writing(output, GOES_ON):
                stack.enter_context(workspace.held(again))
                if options.overwrite:
                    forget(output)
                if is_finished(output):  # by another run just now, or one killed right after
                    compare(stage, params, plan)
                else:
                    end_claims(workspace.path)
                    with scheduler_address(options.dask, options.processes) as address:
                        root, tell = chosen.directory, options.tell
                        plan = with_learned(stage, params, plan, root, opens, address, tell=tell)
                        plan = compare(stage, params, plan)
                        last = _work(stage, params, chosen, plan, opens, address, options)
                dataset = open_output(output)
            stage.after(dataset, params, options)  # reads it, while nobody can replace it
            with writing(output, GOES_ON):
                workspace.clear()
    options.tell(msgspec.structs.replace(last, dataset=dataset))
    return dataset


def opened(
    stage: Stage[C, P], params: P, source: str | Path, bench: Workbench, options: RunOptions
) -> tuple[Source[C], P]:
    """The cases below a path, and the parameters with what was settled as they were found.

    Raises what the stage's `open` raises.
    """
    here = options.dask is None
    path = Path(source) if here else Path(source).absolute()  # workers are elsewhere
    found = stage.open(path, params, bench)
    return found, stage.settle(params, found)


def modules_of(stage: Stage[C, P]) -> tuple[str, ...]:
    """What a worker imports for a stage's first case."""
    return (*stage.libraries, "chaosprep.running.tasks", stage.run_case.__module__)


def forget(output: Path) -> None:
    """Take back the commit: the descriptor goes first."""
    kept = (f"{WORKSPACE}/{JOURNAL}", f"{WORKSPACE}/{SETTINGS}", f"{WORKSPACE}/{LEARNED}")
    for name in (DESCRIPTOR, SHARD, *tables_in(output), *kept):
        unlink(output / name, missing_ok=True)


def _work(
    stage: Stage[C, P],
    params: P,
    source: Source[C],
    plan: Plan[C],
    opens: Callable[[int], Executor],
    scheduler: str | None,
    options: RunOptions,
) -> Event:
    total, finished = len(plan.cases), len(plan.done)
    failed, worked = list[Problem](), list[str]()
    begun = Event("planned", stage.name, finished, total, problems=plan.problems, notes=plan.notes)
    options.tell(begun)
    with Journal(plan.output / WORKSPACE / JOURNAL, plan.lines) as journal:
        keep_settings(plan.output / WORKSPACE, plan.settings)
        results = work(stage, params, plan, source.directory, opens, scheduler)
        with closing(results):
            for told in results:
                finished += 1
                worked.append(told.case)
                journal.append(told)
                failed.extend(told.problems)
                said = finished, total, told.case, told.slices, told.problems
                options.tell(Event("failed" if told.problems else "done", stage.name, *said))
        problems = left_out(plan, failed, stage.name, options)
        cases = sorted({*plan.done, *worked}, key=lambda case: f"{case}_")  # as tables go
        if plan.part is None and not any(True for _ in journal.rows(cases)):
            raise nothing_left(stage.name)
        made = StageRecord(
            stage=stage.name,
            version=stage.version,
            versions=versions(stage.uses(params)),
            parameters=plain(params),
            seed=getattr(params, "seed", None),
            inputs_sha256=fingerprint(journal.inputs(cases)),
        )
        rows, shard = partial(journal.rows, cases), _shard(plan, journal, cases)
        more = plan.division, plan.store, plan.learned
        commit(plan.output, made, source, rows, plan.labels, problems, shard, *more)
    return Event("committed", stage.name, total, total, problems=problems)


def _shard(plan: Plan[C], journal: Journal, cases: list[str]) -> Shard | None:
    if plan.part is None:
        return None
    return Shard(
        index=plan.part.index,
        count=plan.part.count,
        planned_sha256=plan.planned_sha256,
        cases=dict(journal.inputs(cases)),
    )


def left_out(
    plan: Plan[C], failed: list[Problem], stage: str, options: RunOptions
) -> tuple[Problem, ...]:
    """The problems of what the run leaves out: those of its plan, and those of its cases.

    Raises:
        ProblemsError: there are some, and nothing is to be left out.
    """
    problems = in_order([*plan.problems, *failed])
    if problems and options.on_error == "stop":
        raise ProblemsError(
            f"{stage}: {plural(len(problems), 'problem')}, nothing was committed",
            "Resolve them and run the same command again, or leave these slices out with "
            "--on-error skip.",
            problems,
        )
    is_first = plan.part is None or plan.part.index == 1
    return problems if is_first else in_order(failed)  # merged, each stands once


def nothing_left(stage: str) -> NothingFoundError:
    """Every slice had a problem, and a stage directory without one is of no use."""
    remedy = "Resolve the problems that left them out, and run the same command again."
    return NothingFoundError(f"{stage}: no slice is left to write", remedy, "empty")
