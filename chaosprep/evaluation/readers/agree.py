"""`agree`: how far several readers' masks agree, and their consensus."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from chaosprep.errors import Problem, ProblemsError, UsageError, called, plural
from chaosprep.evaluation.asked import Nsd, Tolerance, asked_for
from chaosprep.evaluation.calling import check_call
from chaosprep.evaluation.laying import HOW
from chaosprep.evaluation.matching import some
from chaosprep.evaluation.names import spellings
from chaosprep.evaluation.readers.agreement import Agreed, PairResult, Reader, by_reader, summarize
from chaosprep.evaluation.readers.consensus import METHODS, Method
from chaosprep.evaluation.readers.consensus_folder import consensus_folder
from chaosprep.evaluation.readers.matched import chosen_cases, chosen_organs, find_readers
from chaosprep.evaluation.readers.together import Agreeing, Together
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import MaskSet, Organs
from chaosprep.running.mapping import OnCase, ignore, map_cases
from chaosprep.running.options import OnError


@called(patient="patients", organ="organs")
def agree(
    readers: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    method: Method = "majority",
    patients: Sequence[str] = (),
    organs: Sequence[str] = (),
    spacing: Spacing | None = None,
    tolerance: Tolerance | None = None,
    nsd: Nsd = "voxels",
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    on_case: OnCase = ignore,
) -> Agreed:
    """Compare the masks of several readers, every two of them, and write their consensus.

    The consensus lies on the grid of the first reader who knows where voxels lie, as
    `masks/<case>.nii.gz`. Where nobody does, it is pictures, called as the first reader's.

    Args:
        readers: 2 to 16 masks of the same cases, each whatever `evaluate` takes.
        output: the folder of the consensus to make; without it nothing is written.
        method: `majority`, the label of strictly more than half of the readers (a tie is
            background), or `staple`, by structure, with what it thinks of each reader.
        patients: only these; by default all.
        organs: only these; by default all, which must be those of every reader.
        spacing: mm between slices, rows, cols of pictures, which do not know it.
        tolerance: of the surface Dice, mm for all organs or by organ; it is measured only then.
        nsd: the surface Dice counts border `voxels`, or the area of surface `elements`.
        jobs: worker processes.
        on_error: `stop`, or `skip` the cases with problems, which `skipped` lists.
        overwrite: replace an earlier consensus.
        on_case: called for each case that is done.

    Raises:
        UsageError: too few readers, or one twice, an unknown patient or organ, organs that differ,
            a needless spacing, or an output that is one of the readers.
        NothingFoundError: a reader is not understood, or they have no case in common.
        ProblemsError: cases have problems, and they are not to be skipped.
        ChaosprepError: the output cannot be made.
    """
    check_call(patients, organs, None, "case", spacing, on_error)
    if method not in METHODS:
        raise UsageError(
            f"--method: {method!r} is not known", f"There are: {', '.join(METHODS)}.", "method"
        )
    paths = [Path(reader) for reader in readers]
    names = tuple(f"R{number}" for number in range(1, len(paths) + 1))
    sides = find_readers(paths, tuple(organs))
    base = next((place for place, side in enumerate(sides) if side.in_mm), 0)
    if spacing is not None and sides[base].in_mm:
        raise UsageError(
            f"{names[base]} gives the size of its voxels",
            "Leave out --spacing: it is for folders of pictures.",
            code="spacing",
        )
    chosen = chosen_cases(sides, names, tuple(patients))
    compared, notes = chosen_organs(sides, names, chosen, _asked(sides, organs))
    asked = asked_for(tolerance, compared, nsd=nsd)
    with ExitStack() as held:
        place = None
        if output is not None:
            making = consensus_folder(paths, sides, base, compared, Path(output), method, overwrite)
            place = held.enter_context(making)
        work = Agreeing(names, base, compared, spacing, asked, method, place)
        tasks = list(chosen.cases.values())
        made, more = map_cases(work, tasks, lambda cases: cases[0].id, jobs, on_case)
        problems = _settled((*chosen.problems, *more), on_error, bool(made))
    results = tuple(row for one in made for row in one.rows)
    estimates = tuple(estimate for one in made for estimate in one.estimates)
    return Agreed(
        readers=tuple(
            Reader(name=name, kind=side.kind, given=str(path))
            for name, side, path in zip(names, sides, paths, strict=True)
        ),
        method=method,
        path=None if output is None else Path(output),
        cases=len(made),
        results=results,
        summaries=summarize(results, names),
        by_reader=by_reader(results, estimates, names),
        estimates=estimates,
        skipped=problems,
        notes=(
            *(*chosen.notes, *notes),
            *(*_notes(results), *_grid_notes(made), *_consensus_notes(made, work)),
        ),
    )


def _asked(sides: Sequence[MaskSet], organs: Sequence[str]) -> Organs:
    """The organs that were asked for, as the readers spell them."""
    spelling = spellings((*(organ for side in sides for organ in side.organs), *organs))
    return tuple(dict.fromkeys(spelling[organ] for organ in organs))


def _settled(
    problems: Sequence[Problem], on_error: OnError, is_any_made: bool
) -> tuple[Problem, ...]:
    """The problems in order, where they may be left out."""
    if problems and (on_error == "stop" or not is_any_made):
        left = "" if is_any_made else ", and no case is left"
        raise ProblemsError(
            f"agree: {plural(len(problems), 'problem')}{left}",
            "Resolve them, or leave these cases out with --on-error skip.",
            tuple(sorted(problems, key=lambda one: (one.id, one.file or ""))),
        )
    return tuple(sorted(problems, key=lambda one: (one.id, one.file or "")))


def _notes(results: Sequence[PairResult]) -> Iterator[str]:
    if any(row.ml is None for row in results):
        yield "distances need the size of the voxels: --spacing SLICE,ROW,COL in mm"
    lost = [row for row in results if row.ml is not None and row.assd is None]
    if lost:
        named = some(f"{row.case} {row.organ} {'-'.join(row.readers)}" for row in lost)
        yield f"one mask has no border, so no distances: {named}"


def _grid_notes(made: Sequence[Together]) -> Iterator[str]:
    """Who was brought to whose grid, in how many cases, and what lies beyond it."""
    moved = [one for case in made for one in case.moved]
    for name, to in sorted({(one.reader, one.to) for one in moved}):
        own = [one for one in moved if (one.reader, one.to) == (name, to)]
        for how, way in HOW.items():
            if count := sum(one.how == how for one in own):
                yield f"{name} brought to the grid of {to} in {plural(count, 'case')}, {way}"
        if beyond := sum(one.beyond for one in own):
            yield f"beyond the grid of {to}, and not counted: {plural(beyond, 'voxel')} of {name}"


def _consensus_notes(made: Sequence[Together], work: Agreeing) -> Iterator[str]:
    if work.method == "majority" and work.place and len(work.names) % 2 == 0:
        yield (
            "half of the readers are not a majority: where only half mark a voxel, it is background"
        )
    if lost := [one for case in made for one in case.lost]:
        yield f"drawn by some reader, but not in the consensus: {some(lost)}"
    if moving := [one for case in made for one in case.moving]:
        yield f"the estimates of STAPLE did not converge: {some(moving)}"
