"""Parts of a stage become the stage directory that one run would have made."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import LabelMap, LeftOut, Shard, StageRecord
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.migrations import completed
from chaosprep.dataset.opening import is_finished, open_dataset, open_shard
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import ChaosprepError, Problem, ProblemsError, UsageError, plural
from chaosprep.files import check_apart, writing
from chaosprep.running.carrying import carry_case
from chaosprep.running.commit import commit, in_order
from chaosprep.running.executors import warm_up
from chaosprep.running.mapping import stream_cases
from chaosprep.running.options import Event, OnEvent, ignore
from chaosprep.running.place import check_output, if_finished
from chaosprep.running.planning import damaged, fingerprint
from chaosprep.running.runner import forget, nothing_left
from chaosprep.running.workspace import Workspace


def merge(
    shards: Sequence[str | Path],
    output: str | Path,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    on_event: OnEvent = ignore,
) -> Dataset:
    """Make one stage directory of all shards of a stage, as one run would have made it.

    Every file is read and checked, then linked (copied across file systems). Where libraries
    differ between shards, `versions` names each version.

    Args:
        shards: the directories that the stage made with `--shard`, in any order.
        output: the stage directory to make.
        jobs: worker processes that check and link.
        overwrite: make it again, whatever stands in the output.
        on_event: called in this process with every `Event`.

    Raises:
        UsageError: no shards are given.
        ChaosprepError: `merge-stage`, `merge-version`, `merge-parameters`, `merge-source`,
            `merge-learned`, `merge-count`, `merge-missing`, `merge-twice`: the shards are not those
            of one run.
        ProblemsError: files are missing or damaged; nothing was committed.
        NothingFoundError: there is no slice in any of them.
    """
    if not shards:
        raise UsageError("merge: no shards", "Give the directories of all of them.", code="merge")
    warm_up(jobs)
    parts = Parts([open_shard(shard) for shard in shards])
    parts.check()
    output = Path(output)
    for part in parts.parts:
        check_apart(part.directory, output)
    check = partial(check_output, output, overwrite)
    check()
    workspace = Workspace.inside(output)
    total = len(parts)
    look, done = partial(_compared, parts, output), Event("already-done", "merge", total, total)
    dataset = None if overwrite else if_finished(output, look)
    if dataset is None:
        with writing(output, ", and run the same command again."), workspace.held(check):
            if overwrite:
                forget(output)
            if is_finished(output):  # by another run just now, or by one killed right after
                dataset = look()
            else:
                done = _merge(parts, output, jobs, on_event)
                dataset = open_dataset(output)
            workspace.clear()
    on_event(msgspec.structs.replace(done, dataset=dataset))
    return dataset


def _merge(parts: "Parts", output: Path, jobs: int, on_event: OnEvent) -> Event:
    total, tool = len(parts), parts.parts[0].descriptor.tool
    _carry(parts, output, jobs, on_event)
    more = parts.label_map, parts.skipped, None, tool.division, tool.store, tool.learned
    commit(output, parts.made, parts, parts.rows, *more)
    return Event("committed", "merge", total, total, problems=parts.skipped)


def _compared(parts: "Parts", output: Path) -> Dataset:
    """What stands finished in the output.

    Raises:
        ChaosprepError: `output-differs`, it is not what would be made.
    """
    dataset = open_dataset(output)
    stores = {part.descriptor.tool.store for part in (dataset, *parts.parts)}
    history = dataset.descriptor.tool.history
    if dataset.made.alone() != parts.made or history != parts.history or len(stores) > 1:
        raise ChaosprepError(
            f"{output}: it holds something other than these shards",
            "Use --overwrite to make it again, or another output directory.",
            code="output-differs",
        )
    if lost := damaged(dataset):
        raise ChaosprepError(
            f"{output}: {lost} is missing or has a size that differs from the manifest's",
            "Use --overwrite to make it again.",
            code="output-differs",
        )
    return dataset


def _carry(parts: "Parts", output: Path, jobs: int, on_event: OnEvent) -> None:
    """Bring in the files of every case."""
    total, problems = len(parts), list[Problem]()
    on_event(Event("planned", "merge", 0, total))
    work = partial(carry_case, Store(output))
    with closing(stream_cases(work, parts.cases(), jobs, total)) as results:
        for finished, (_, case, result) in enumerate(results, 1):
            found = (Problem.of(result, case.id),) if isinstance(result, ChaosprepError) else result
            problems += found
            told = finished, total, case.id, len(case.slices), found
            on_event(Event("failed" if found else "done", "merge", *told))
    if problems:
        raise ProblemsError(
            f"merge: {plural(len(problems), 'problem')}, nothing was committed",
            "Run the damaged shards again with --overwrite, then the same command.",
            in_order(problems),
        )
    if not total:
        raise nothing_left(parts.made.stage)


class Parts:
    """The shards of one run, in their order; to `commit` they are what it is made from."""

    def __init__(self, shards: Sequence[Dataset]) -> None:
        self._found = sorted(((_shard(part), part) for part in shards), key=lambda p: p[0].index)
        self.parts = [part for _, part in self._found]
        first = self.parts[0].descriptor
        self.history = first.tool.history
        self.licenses, self.sources = first.licenses, first.sources
        self.label_map: LabelMap = {}
        for part in self.parts:  # where only rows can tell, each has those of its own
            self.label_map |= part.label_map

    def check(self) -> None:
        """Refuse shards of different runs, missing and surplus ones."""
        first = self.parts[0]
        for code, what, of in _SAME:
            for part in self.parts[1:]:
                if of(part) != of(first):
                    raise ChaosprepError(
                        f"{part.directory} and {first.directory}: they differ in their {what}",
                        "Give the shards of one run: one stage, parameters, store, source and N.",
                        code=code,
                    )
        self._check_indices()
        self._check_cases()

    def _check_indices(self) -> None:
        for (one, first), (two, second) in zip(self._found, self._found[1:], strict=False):
            if one.index == two.index:
                raise ChaosprepError(
                    f"{first.directory} and {second.directory}: both are shard {one.index} "
                    f"of {one.count}",
                    "Give each shard once.",
                    code="merge-twice",
                )
        count = self._found[0][0].count
        missing = sorted(set(range(1, count + 1)) - {shard.index for shard, _ in self._found})
        if missing:
            raise ChaosprepError(
                f"merge: of {count} shards these are missing: {', '.join(map(str, missing))}",
                "Run the stage for them (--shard I/N), and give all of them.",
                code="merge-missing",
            )

    def _check_cases(self) -> None:
        """The manifests are files that anybody may have touched."""
        owners: dict[str, Path] = {}
        for shard, part in self._found:
            for case in shard.cases:
                if case in owners:
                    raise ChaosprepError(
                        f"{case}: it is in {owners[case]} and in {part.directory}",
                        "Run these shards again with --overwrite.",
                        code="merge-twice",
                    )
                owners[case] = part.directory
        for case, index, _ in self.places():
            if owners.get(case) != self.parts[index].directory:
                raise ChaosprepError(
                    f"{case}: {self.parts[index].directory} has slices of it, but does not name it",
                    "Run this shard again with --overwrite.",
                    code="merge-source",
                )

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def places(self) -> Iterator[tuple[str, int, int]]:
        """Where each case of the table is: its id, its shard, its place there; as tables go."""
        found = (_places(number, part) for number, part in enumerate(self.parts))
        return heapq.merge(*found, key=lambda place: f"{place[0]}_")

    def cases(self) -> Iterator[Case]:
        """Every case, read when it is asked for."""
        return (self.parts[number].cases[place] for _, number, place in self.places())

    def rows(self) -> Iterator[Slice]:
        """The merged table."""
        for case in self.cases():
            yield from case.slices

    @cached_property
    def made(self) -> StageRecord:
        """The stage, as one run would have recorded it."""
        inputs = fingerprint(item for shard, _ in self._found for item in shard.cases.items())
        one = self.parts[0].made.alone()
        return msgspec.structs.replace(one, versions=self._versions(), inputs_sha256=inputs)

    def _versions(self) -> dict[str, str]:
        """Every version of every library, in order: `4.12.0, 4.13.0` where two were at work."""
        every = [part.made.versions for part in self.parts]
        names = dict.fromkeys(name for one in every for name in one)
        return {
            name: ", ".join(sorted({one[name] for one in every if name in one})) for name in names
        }

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What a person chose to leave out: each shard says all of it."""
        return self.parts[0].descriptor.tool.left_out

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """What all of them left out."""
        return in_order(problem for part in self.parts for problem in part.skipped)


def _places(number: int, part: Dataset) -> Iterator[tuple[str, int, int]]:
    return ((id, number, place) for place, id in enumerate(part.case_ids))


def _shard(part: Dataset) -> Shard:
    assert part.shard is not None, "open_shard opens nothing else"
    return part.shard


def _source(part: Dataset) -> object:
    tool = part.descriptor.tool
    planned = _shard(part).planned_sha256
    return planned, tool.history, tool.left_out, part.licenses, part.sources


_SAME: tuple[tuple[str, str, Callable[[Dataset], object]], ...] = (
    ("merge-stage", "stage", lambda part: part.made.stage),
    (
        "merge-version",
        "version of the stage or of chaosprep",
        lambda part: (part.made.version, part.made.versions.get("chaosprep")),
    ),
    ("merge-count", "number of shards", lambda part: _shard(part).count),
    (
        "merge-parameters",
        "parameters",
        lambda part: (
            completed(part.made.stage, part.made.parameters),
            part.made.seed,
        ),
    ),
    ("merge-parameters", "store", lambda part: part.descriptor.tool.store),
    ("merge-source", "source", _source),
    ("merge-learned", "learned values", lambda part: part.descriptor.tool.learned),
)
