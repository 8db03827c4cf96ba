"""The runner: plans a stage, maps it over its cases, records each, and commits the whole."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from chaosprep.dataset.descriptor import Shard, StageRecord
from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, SHARD, TABLE, WORKSPACE, Dataset
from chaosprep.dataset.opening import is_finished, open_output
from chaosprep.dataset.records import Slice
from chaosprep.errors import NothingFoundError, Problem, ProblemsError, plural
from chaosprep.files import GOES_ON, writing
from chaosprep.params import P, check_params, plain
from chaosprep.running.claim import end_claims
from chaosprep.running.commit import commit, in_order, versions
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for
from chaosprep.running.journal import Entry, Journal
from chaosprep.running.lock import locked
from chaosprep.running.options import DEFAULTS, Event, RunOptions
from chaosprep.running.planning import Plan, check_request, compare, fingerprint, fresh_plan
from chaosprep.running.settings import SETTINGS, keep_settings
from chaosprep.running.stage import C, Source, Stage
from chaosprep.running.tasks import Workers, work
from chaosprep.signatures import shows


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
    options = options.but(keywords) if keywords else options
    warm_up_for(options.dask, options.jobs, stage.libraries)
    params = check_params(params)
    if isinstance(source, str | Path):
        here = options.dask is None
        path = Path(source) if here else Path(source).absolute()  # workers are elsewhere
        source = stage.open(path, params)
    output = Path(output)
    check_request(stage, source, output)
    plan = fresh_plan(stage, params, source, output, options.part)
    workspace = output / WORKSPACE
    if is_finished(output) and not options.overwrite and not workspace.exists():
        compare(stage, params, plan)
        return _told(options, _already_done(stage.name, plan), output)
    with writing(output, GOES_ON):
        workspace.mkdir(parents=True, exist_ok=True)
        with locked(workspace / "lock"):
            if options.overwrite:
                forget(output)
            plan = compare(stage, params, plan)
            if plan.is_committed:  # by another run just now, or by one killed right after
                last = _already_done(stage.name, plan)
            else:
                end_claims(workspace)
                with scheduler_address(options.dask, options.jobs) as address:
                    workers = Workers(options.jobs, address, source.directory)
                    last = _work(stage, params, source, plan, workers, options)
            shutil.rmtree(workspace)
    return _told(options, last, output)


def _already_done(stage: str, plan: Plan[C]) -> Event:
    return Event("already-done", stage, len(plan.cases), len(plan.cases))


def _told(options: RunOptions, event: Event, output: Path) -> Dataset:
    """Open what was committed, and pass it on with the last event."""
    dataset = open_output(output)
    options.tell(replace(event, dataset=dataset))
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
    options: RunOptions,
) -> Event:
    total, finished = len(plan.cases), len(plan.done)
    before, failed, worked = _problems(source, params), list[Problem](), list[str]()
    options.tell(Event("planned", stage.name, finished, total, problems=tuple(before)))
    with Journal(plan.output / WORKSPACE / JOURNAL) as journal:
        keep_settings(plan.output / WORKSPACE, plan.settings)
        with closing(work(stage, params, plan, workers)) as made_entries:
            for entry in made_entries:
                finished += 1
                worked.append(entry.case)
                journal.append(entry)
                failed.extend(entry.problems)
                options.tell(_case_event(stage.name, entry, finished, total))
        if (before or failed) and options.on_error == "stop":
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
    remedy = "Settle the problems that left them out, and run the same command again."
    return NothingFoundError(f"{stage}: no slice is left to write", remedy, "empty")


def _unsettled(stage: str, problems: tuple[Problem, ...]) -> ProblemsError:
    return ProblemsError(
        f"{stage}: {plural(len(problems), 'problem')}, nothing was committed",
        "Settle them and run the same command again, or leave these slices out with "
        "--on-error skip.",
        problems,
    )
