"""Evidence that the parts of a split share nothing: identifiers of the sources, and pictures."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_output
from chaosprep.dataset.records import Slice
from chaosprep.division.params import SplitParams
from chaosprep.errors import ChaosprepError, Problem, ProblemsError, plural
from chaosprep.layouts.persons import note_of
from chaosprep.params import Params
from chaosprep.privacy.identity import Identity, identity_at
from chaosprep.privacy.persons import untold
from chaosprep.privacy.shared import compared, sharing
from chaosprep.quality.alike.leaks import across, patients_by_name
from chaosprep.quality.findings import Seen
from chaosprep.quality.persons import judged
from chaosprep.running.mapping import map_cases, on_workers
from chaosprep.running.options import RunOptions
from chaosprep.running.place import if_finished
from chaosprep.running.runner import opened
from chaosprep.series.source import SourceCase
from chaosprep.workbench import Workbench

_FOLD = "fold "  # begins the name of a part that is a fold, or one of each time


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the sides of a split share, or its folds where it has some.

    ``parts`` are their names. ``identified`` counts the patients whose sources have anything that
    identifies. An identifier that is shared counts once for all patients that have it; those of
    people that were accepted as they are count too, but are no ``problems``. ``equal_slices`` have
    the pixels of one in another part. ``near_duplicates`` look like one there, which may be chance:
    they are ``warnings``. ``unread`` slices could not be compared.
    """

    patients: int
    parts: tuple[str, ...]
    identified: int
    shared_identifiers: int
    equal_slices: int
    near_duplicates: int
    unread: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in a line; equal slices count among the near-duplicates."""
        who = plural(self.patients, "patient")
        if len(self.parts) < 2:
            return f"{who}, all in {''.join(self.parts)}: nothing to compare them with"
        told = plural(self.shared_identifiers, "shared identifier")
        alike = plural(self.equal_slices + self.near_duplicates, "near-duplicate")
        unread = f", {plural(self.unread, 'slice')} not compared" if self.unread else ""
        kind = "folds" if any(part.startswith(_FOLD) for part in self.parts) else "sides"
        told = told if self.identified else "no identifiers to compare"
        return f"{who}, {told}, {alike}{unread} across {kind}"

    def error(self, directory: Path) -> ProblemsError | None:
        """What is wrong with the split that was committed there, None where nothing is."""
        stays = f"{directory} stays as it was committed"
        if self.unread and self.unread == len(self.problems):
            return ProblemsError(
                f"split: not all could be compared ({self.text}); {stays}",
                "Resolve the problems and split again with --overwrite.",
                self.problems,
                code="split-unchecked",
            )
        if self.problems:
            return ProblemsError(
                f"split: its parts share what they should not ({self.text}); {stays}",
                "Leave out what is there twice, or put both on one side (--val-patient), and split "
                "again with --overwrite.",
                self.problems,
                code="split-leaks",
            )
        return None


@dataclass
class _Looked:
    """What a case showed: its slices, and what identifies in its sources."""

    patient: str
    seen: list[Seen] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    unread: list[Problem] = field(default_factory=list)


def evidence(
    made: Dataset, sources: Iterable[SourceCase], params: SplitParams, *, jobs: int = 1
) -> Evidence:
    """Compare all that was committed across sides, or across folds where there are some.

    Args:
        made: what split made.
        sources: what it was made of: these files are asked whose they are, as copies may not say.
        params: how it was split.
        jobs: worker processes.

    Raises:
        ChaosprepError: `worker-died`.
    """
    known = {case.id: case for case in sources}
    tasks = [(case, known.get(case.id)) for case in made.cases]
    looked, failed = map_cases(_look, tasks, lambda task: task[0].id, jobs)
    seen = sorted((one for case in looked for one in case.seen), key=lambda one: one.id)
    people: dict[str, list[Identity]] = defaultdict(list)
    for case in looked:
        people[case.patient] += case.identities
    unread = [*failed, *(problem for case in looked for problem in case.unread)]
    return _judge(seen, people, unread, params, jobs)


def check_split(
    directory: Path, source: str | Path, params: Params, options: RunOptions, beside: Path
) -> Evidence | None:
    """Look at what split made of a dataset root, where it was told to: `--check`.

    Args:
        directory: what it made.
        source: the dataset root.
        params: what any stage was told; only split's may ask for it.
        options: how it was run.
        beside: the output of the run, beside which it keeps what it keeps.

    Raises:
        ChaosprepError: what `find` raises, `worker-died`, or `locked`: it is being replaced.
    """
    from chaosprep.stages.split import SPLIT

    if not isinstance(params, SplitParams) or not params.check:
        return None
    bench = Workbench.beside(beside, options.processes, on_workers)
    root, _ = opened(SPLIT, params, source, bench, options)

    def look() -> tuple[Dataset, Evidence]:
        made = open_output(directory)
        return made, evidence(made, root.cases, params, jobs=options.processes)

    looked = if_finished(directory, look)
    if looked is None:
        raise ChaosprepError(
            f"{directory}: another run replaces what was to be checked",
            "Wait for it to finish, and run the same command again.",
            code="locked",
        )
    made, found = looked
    if made.shard is None:
        return found
    part = f"shard {made.shard.index} of {made.shard.count} alone was checked"
    note = f"{part}; once merged, the same command without --shard looks at all"
    return msgspec.structs.replace(found, notes=(note, *found.notes))


def _judge(
    seen: Sequence[Seen],
    people: dict[str, list[Identity]],
    unread: Sequence[Problem],
    params: SplitParams,
    jobs: int,
) -> Evidence:
    part = {one.patient: one.side for one in seen}
    told = {patient: some for patient, some in people.items() if some}
    persons = [one for one in sharing(told) if len({part[each] for each in one.patients}) > 1]
    faults, warnings = judged(persons, part, trusted=params.trust_folders)
    shared = across(seen, jobs=jobs)
    silent = len(people) - len(told)
    notes = list(note_of(untold(told), len(people)))
    if told and silent:
        notes.append(f"the sources of {plural(silent, 'patient')} have nothing that identifies")
    notes += [problem.text for problem in patients_by_name(seen)]
    return Evidence(
        patients=len(people),
        parts=tuple(sorted(set(part.values()))),
        identified=len(told),
        shared_identifiers=sum(len(person.by) for person in persons),
        equal_slices=shared.equal_slices,
        near_duplicates=shared.near_duplicates,
        unread=len(unread),
        problems=(*faults, *shared.faults, *unread),
        warnings=(*warnings, *shared.warnings),
        notes=tuple(notes),
    )


def _look(task: tuple[Case, SourceCase | None]) -> _Looked:
    """Look at a case."""
    case, source = task
    looked = _Looked(case.patient, identities=compared(_identities(source)))
    for row in case.slices:
        try:
            image = case.image(row)
        except ChaosprepError as error:
            looked.unread.append(Problem.of(error, row.id, row.image))
            image = None
        place = row.id, row.patient, _part(row), row.image
        looked.seen.append(Seen.of(image, place, with_picture=True))
    return looked


def _part(row: Slice) -> str:
    """The part that a slice is in: every fold validates some time.

    Of repeated folds it is those of all times: who is together once may be apart another time.
    """
    if row.folds:
        return f"{_FOLD}{'+'.join(map(str, row.folds))}"
    return row.split if row.fold is None else f"{_FOLD}{row.fold}"


def _identities(source: SourceCase | None) -> Iterator[Identity]:
    """What identifies in each file of a source's images."""
    paths: Iterable[str] = () if source is None else dict.fromkeys(source.images)
    return (identity_at(Path(source.root), path) for path in paths if source is not None)
