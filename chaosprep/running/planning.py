"""The plan of a run: which cases are done, to do, or stale, without writing anything."""

import hashlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from chaosprep.dataset.containers.table import CONTAINERS, StoreName
from chaosprep.dataset.decoding import release_of
from chaosprep.dataset.descriptor import (
    LabelMap,
    Learned,
    LeftOut,
    PastStage,
    Provenance,
    Share,
)
from chaosprep.dataset.manifest import JOURNAL, WORKSPACE, Dataset, OnDemand
from chaosprep.dataset.migrations import newer, unknown_parameters
from chaosprep.dataset.opening import is_finished, open_output
from chaosprep.dataset.store import Store
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, UsageError
from chaosprep.files import sha256
from chaosprep.params import P, plain
from chaosprep.running.boundary import tried
from chaosprep.running.first_release import key_of_0_1_0
from chaosprep.running.fitting import fits
from chaosprep.running.journal import Entry, Journal
from chaosprep.running.settings import begun_with, settings_of
from chaosprep.running.shards import Part
from chaosprep.running.stage import C, Source, Stage
from chaosprep.words import there_are

_WITH_LABELS = 2  # the manifest's minor version


class Plan(Struct, Generic[C], frozen=True):
    """What a run will do.

    `done` are the ids of cases that need no work, `lines` has the SHA-256 of the journal's line for
    each that an unfinished run did, `stale` counts journal entries that no longer
    hold, `is_committed` says that the output is finished and made of the same input. With a `part`,
    `cases` are only its own, `every` are those of all parts, and `planned_sha256` tells the plan of
    all of them. `learned` is what the stage learned, once it has. `problems` were
    there before any case was opened. `labels` is what the stage says that the values of its masks
    will stand for, None where only its rows can tell. `notes` and `division` are as the stage
    planned them, `left_out` is what a person chose to leave out of the source, `store` how the
    images and masks will lie in the output.
    """

    output: Path
    cases: Sequence[C]
    complete: Callable[[C], C]
    settings: bytes
    history: tuple[PastStage, ...]
    problems: tuple[Problem, ...] = ()
    labels: LabelMap | None = None
    notes: tuple[str, ...] = ()
    division: tuple[Share, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    store: StoreName = "files"
    part: Part | None = None
    every: Sequence[C] = ()
    planned_sha256: str = ""
    learned: Learned | UnsetType = UNSET
    done: Collection[str] = frozenset()
    lines: Mapping[str, str] = field(default_factory=dict)
    stale: int = 0
    is_committed: bool = False

    def to_do(self) -> Iterator[C]:
        """The cases that need work, each completed with what was planned for it."""
        return (self.complete(case) for case in self.cases if case.id not in self.done)

    def key(self, case: C) -> str:
        """What stands for a completed case, the stage and its parameters."""
        return hashlib.sha256(self.settings + b"\n" + case.content()).hexdigest()


def fresh_plan(
    stage: Stage[C, P],
    params: P,
    source: Source[C],
    output: Path,
    part: Part | None = None,
    store: StoreName = "files",
) -> Plan[C]:
    """The plan for an empty output, whatever stands there.

    A part is taken from the plan of all cases, so that nothing is decided otherwise in it.

    Raises:
        UsageError: an unknown patient, or parameters that the cases cannot meet.
        NothingFoundError: there is no case.
    """
    cases = _select(source, params)
    planned = stage.plan(source, cases, params)
    problems = _about_the_wanted(source, params)
    settings, labels = settings_of(stage, params, store), stage.labels(source, params)
    plan = Plan(
        output,
        cases,
        planned.complete,
        settings,
        source.history,
        problems,
        labels,
        notes=(*source.told, *planned.notes),
        division=planned.division,
        left_out=source.left_out,
        store=store,
        every=cases,
    )
    if part is None:
        return plan
    return replace(plan, cases=part.of(cases), part=part, planned_sha256=_whole(plan))


def _about_the_wanted(source: Source[C], params: P) -> tuple[Problem, ...]:
    others = set(source.patients) - set(params.patient) if params.patient else set()
    return tuple(p for p in source.problems if p.id.partition("_")[0] not in others)


def _whole(plan: Plan[C]) -> str:
    """A hash of all that is planned; where there are earlier stages, the last one's tells it."""
    if plan.history:
        return plan.history[-1].descriptor_sha256
    cases = map(plan.complete, plan.cases)
    return fingerprint((case.id, sha256(case.content())) for case in cases)


def compare(stage: Stage[C, P], params: P, plan: Plan[C]) -> Plan[C]:
    """Take off a fresh plan what stands finished in its output.

    Raises:
        ChaosprepError: the output holds something else.
    """
    if is_finished(plan.output):
        _check_same(stage, params, plan)
        done = frozenset(case.id for case in plan.cases)
        return replace(plan, done=done, is_committed=True)
    return _resume(stage, params, plan)


def _resume(stage: Stage[C, P], params: P, plan: Plan[C]) -> Plan[C]:
    workspace = plan.output / WORKSPACE
    if not (workspace / JOURNAL).exists():
        return plan
    plan = replace(plan, settings=begun_with(workspace, stage, plan.settings))
    first_key = key_of_0_1_0(stage, params)
    journal = Journal(workspace / JOURNAL)
    store = Store(plan.output, links=getattr(params, "link", None) == "sym")
    lines, stale = dict[str, str](), 0
    for case in map(plan.complete, plan.cases):
        if case.id not in journal:
            continue
        found = journal.find(case.id)
        key = plan.key if found is not None and found.has_digest else first_key
        if (
            found is not None
            and not found.entry.problems
            and found.entry.key == key(case)
            and found.entry.is_whole(store)
            and found.entry.inputs == case.inputs()
            and _fits(stage, params, case, found.entry, plan.store)
        ):
            lines[case.id] = found.line_sha256
        else:
            stale += 1
    return replace(plan, done=lines.keys(), lines=lines, stale=stale)


def _fits(stage: Stage[C, P], params: P, case: C, entry: Entry, store: StoreName) -> bool:
    """Whether an entry says what the plan makes of its case."""
    container = CONTAINERS.get(store)
    fit = tried(lambda case: fits(entry.slices, stage.rows(case, params), container), case)
    return fit is True


def fingerprint(inputs: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 over every case's id and the hash of what it was made of."""
    whole = hashlib.sha256()
    for line in sorted(f"{case} {digest}\n".encode() for case, digest in inputs):
        whole.update(line)
    return whole.hexdigest()


def _check_same(stage: Stage[C, P], params: P, plan: Plan[C]) -> None:
    output, found = plan.output, open_output(plan.output)
    made, held = found.descriptor.tool, found.shard and Part(found.shard.index, found.shard.count)
    reason = None
    if (made.stage, made.version) != (stage.name, stage.version):
        reason = f"it already holds the output of {made.stage} (version {made.version})"
    elif held != plan.part:
        reason = f"it holds {f'shard {held}' if held else 'every case, not a shard'}"
    elif unknown := unknown_parameters(stage.params, stage.name, made.parameters):
        raise newer(output, release_of(found.descriptor), unknown)
    elif made.store != plan.store:
        reason = f"it was made with another --store ({made.store}, now {plan.store})"
    elif differences := _differences(stage.params.completed(made.parameters), plain(params)):
        reason = f"it was made with other parameters ({differences})"
    elif made.history != plan.history:
        reason = "an earlier stage was run again since it was made"
    elif made.inputs_sha256 != fingerprint(
        (case.id, case.inputs()) for case in map(plan.complete, plan.cases)
    ):
        reason = "its input has changed since it was made"
    elif _told_otherwise(plan.labels, made):
        reason = "what its mask values stand for has changed since it was made"
    elif lost := damaged(found):
        reason = f"{lost} is missing or has a size that differs from the manifest's"
    elif untold := _untold(plan, found):
        reason = f"it does not say what is wrong with its input ({untold.id}: {untold.reason})"
    if reason:
        raise ChaosprepError(
            f"{output}: {reason}",
            "Use --overwrite to make it again, or another output directory.",
            code="output-differs",
        )


def _told_otherwise(labels: LabelMap | None, made: Provenance) -> bool:
    """Whether a finished directory has another label map; older releases wrote none."""
    return labels not in (None, made.labels) and made.manifest_minor >= _WITH_LABELS


def _untold(plan: Plan[C], found: Dataset) -> Problem | None:
    """A problem of the input that a finished directory does not know: an older release made it."""
    if plan.part is not None and plan.part.index > 1:  # the first shard tells of all
        return None
    told = {(problem.code, problem.id) for problem in found.skipped}
    return next((p for p in plan.problems if (p.code, p.id) not in told), None)


def damaged(found: Dataset) -> str | None:
    """A file, or its container, that is not there in its size (`verify` reads them all)."""
    for case in found.cases:
        for file in (file for row in case.slices for file in row.files()):
            if not case.store.has(file):
                return file.place
    return None


def _differences(made: dict[str, object], asked: dict[str, object]) -> str:
    names = sorted(name for name in {*made, *asked} if made.get(name) != asked.get(name))
    return ", ".join(f"{name} {made.get(name)!r}, now {asked.get(name)!r}" for name in names)


def _select(source: Source[C], params: P) -> Sequence[C]:
    gone = [f"{case}_" for one in source.left_out for case in one.cases]
    unknown = sorted(
        name
        for name in {*params.patient} - {*source.patients}
        if not any(case.startswith(f"{name}_") for case in gone)
    )
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: no such patient in {source.directory}",
            there_are(source.patients, unknown),
            code="patient",
        )
    cases = source.cases
    if params.patient:
        wanted = array("q", _places_of({*params.patient}, cases))
        cases = OnDemand(wanted, cases.__getitem__)
    if not cases and not source.problems:
        raise NothingFoundError(
            f"{source.directory}: nothing to work on",
            "See what is there: chaosprep inspect.",
            code="nothing",
        )
    return cases


def _places_of(patients: Collection[str], cases: Sequence[C]) -> Iterator[int]:
    return (place for place, case in enumerate(cases) if case.patient in patients)
