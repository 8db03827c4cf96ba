"""Anybody's volumes, in any of the layouts: grids, labels and sides, case by case."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.errors import FileError, Problem, UsageError, plural
from chaosprep.files import read_regular
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.layout import Where
from chaosprep.layouts.patterns import stem
from chaosprep.layouts.root import Root
from chaosprep.layouts.table import which
from chaosprep.quality.alike.cases import across_cases
from chaosprep.quality.alike.leaks import SPLIT_AGAIN, on_several_sides, patients_by_name
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.foreign.plain_volumes import find_plain
from chaosprep.quality.foreign.volume_case import look
from chaosprep.quality.foreign.volume_codes import volume_problem
from chaosprep.quality.foreign.volume_file import is_volume
from chaosprep.quality.foreign.volume_looked import Group, LookedVolumes
from chaosprep.quality.inspected import of_patients
from chaosprep.running.mapping import map_cases
from chaosprep.series.source import SourceCase

_NOT_ASKED = ("stage", "headers")  # of files that are no volumes
_CHANNEL = re.compile(r"_\d{4}\Z")
ASKS = "read as folders images and masks: split takes them where --images and --masks name them"
"""What is noted of a root that no layout takes by itself."""
UNKNOWN_PATIENTS = (
    "the patients of the cases are not known: each counts as a separate patient; say it with "
    "--patient-from-name or --patients"
)


def find_volumes(root: Path, params: LayoutParams) -> tuple[str, Root] | None:
    """The layout of a data set of volumes, and what is in it; None where it is none.

    Raises:
        ChaosprepError: what the layout raises.
    """
    layout = _layout_of(root, params)
    if layout in ("", *_NOT_ASKED) and params.layout == "auto":
        plain = find_plain(root, params)
        return None if plain is None else ("volumes", _settled(plain))
    found = _settled(_found(root, params))
    whole = [case for case in found.cases if all(map(is_volume, case.images))]
    if found.cases and not whole:
        if params.layout == "auto" and params.images is None:
            return None
        raise UsageError(
            f"{root}: its images are not volumes (NIfTI, NRRD, MetaImage)",
            "Split it first, and check what that makes; inspect shows what is there.",
            code="no-manifest",
        )
    return ("volumes" if layout == "folder" else layout), replace(found, cases=tuple(whole))


def plain_root(root: Path, params: LayoutParams) -> Root | None:
    """Folders images and masks of volumes, where no layout takes them; else None.

    Raises:
        ChaosprepError: what `find_plain` raises.
    """
    if params.layout != "auto" or _layout_of(root, params) not in ("", *_NOT_ASKED):
        return None
    found = find_plain(root, params)
    return None if found is None else replace(found, notes=(ASKS, *found.notes))


def _layout_of(root: Path, params: LayoutParams) -> str:
    """The name of the layout, empty where none takes the root."""
    try:
        where = Where(images=params.images, masks=params.masks)
        return which(root, params.layout, where).name
    except UsageError:
        if params.layout != "auto":
            raise
        return ""


def look_beside(
    found: Root, cases: Sequence[SourceCase], told: Collection[str], *, jobs: int = 1
) -> Findings:
    """What is wrong with volumes by themselves, of files of which nothing was told yet.

    Args:
        found: what a layout found.
        cases: those of them to look at.
        told: files that have a problem.
        jobs: worker processes.
    """
    groups = _groups(found, [case for case in cases if all(map(is_volume, case.images))])
    groups = [replace(group, compared=False, measured=False) for group in groups]
    looked, _ = map_cases(look, groups, lambda group: group.id, jobs)
    return Findings(
        [fault for one in looked for fault in one.faults if fault.file not in told],
        [warning for one in looked for warning in one.warnings if warning.file not in told],
    )


def _found(root: Path, params: LayoutParams) -> Root:
    """What a layout finds, also where nobody says whose the cases are, or its folds are broken."""
    anew = msgspec.structs.replace(params, redivide=True)
    try:
        found = find(root, params, strict=False)
    except UsageError as error:
        if error.code != "splits-broken" or params.redivide:
            raise
        found = find(root, anew, strict=False)
        fault = Problem(code=error.code, id=".", reason=error.reason, remedy=error.remedy)
        found = replace(found, problems=(*found.problems, fault))
    else:
        if any(one.code == "splits-broken" for one in found.problems):
            known = {case.id for case in found.cases}
            more = (case for case in find(root, anew, strict=False).cases if case.id not in known)
            found = replace(found, cases=(*found.cases, *more))
    return found


def _settled(found: Root) -> Root:
    """The same root; that nobody said whose its cases are is a note here."""
    problems = tuple(one for one in found.problems if one.code != "patient-unknown")
    notes = found.notes if problems == found.problems else (UNKNOWN_PATIENTS, *found.notes)
    return replace(found, problems=problems, notes=notes)


def check_volumes(
    found: Root,
    *,
    jobs: int = 1,
    patients: Collection[str] = (),
    on_case: Callable[[str], None] | None = None,
    named_patients: bool = True,
) -> Findings:
    """Check every case of a data set of volumes, and its sides against each other.

    Args:
        found: what a layout found.
        jobs: worker processes.
        patients: check only these; empty means all.
        on_case: called with the id of each case that was checked.
        named_patients: whether somebody said whose the cases are; else names hint at it.

    Raises:
        UsageError: an unknown patient.
    """
    groups = _groups(found, of_patients(found.cases, patients))
    tell = (lambda id, done, total: on_case(id)) if on_case else (lambda id, done, total: None)
    looked, failed = map_cases(look, groups, lambda group: group.id, jobs, tell)
    total = Findings.of(looked, failed)
    total.faults += found.problems
    total.notes += found.notes
    for code, kind in (("affine-missing", "missing"), ("affine-identity", "identity")):
        _tell_places(total, looked, code, kind)
    total.warnings += _unseen(groups, looked)
    if all(one.code != "mask-missing" for one in found.problems):
        total.warnings += _unmasked(groups)
    total.faults += _on_sides(groups)
    if not named_patients:
        total.warnings += _by_name(groups)
    faults, warnings = across_cases(total.seen, jobs=jobs)
    total.faults += faults
    total.warnings += warnings
    return total


def _groups(found: Root, cases: Sequence[SourceCase]) -> list[Group]:
    """The cases, those that share masks or are channels of one name together."""
    by_name: dict[tuple[str, ...], list[SourceCase]] = defaultdict(list)
    for case in cases:
        key = case.masks or tuple(_CHANNEL.sub("", stem(path)) for path in case.images)
        by_name[(_side(case), *key)].append(case)
    sides = {_side(case) for case in cases}
    said = _values_said(found.directory)
    return [
        Group(
            cases=tuple(some),
            side=_side(some[0]) if len(sides) > 1 else "",
            named=_named(some[0], said),
            compared=len(sides) > 1,
        )
        for some in by_name.values()
    ]


def _side(case: SourceCase) -> str:
    if case.fold is not None:
        return f"fold {case.fold}"
    return case.split or case.pool


def _named(case: SourceCase, said: Mapping[int, str]) -> Mapping[int, str] | None:
    """Value -> name, of what is said of a case; None where nothing is."""
    if case.table is not None:
        return {
            key: case.table.legend[value].name
            for key, value in case.table.keys
            if isinstance(key, int) and value in case.table.legend
        }
    if case.levels or not (case.legend or said):
        return None
    return {**said, **{value: label.name for value, label in case.legend.items()}}


def _values_said(folder: Path) -> dict[int, str]:
    """The values that a dataset.json speaks of, in regions and as ignored too."""
    try:
        labels = json.loads(read_regular(folder / "dataset.json"))["labels"]
    except (FileError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    found: dict[int, str] = {}
    for name, value in labels.items() if isinstance(labels, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int) and not isinstance(one, bool) and one:
                found.setdefault(one, f"label-{one}" if isinstance(value, list) else str(name))
    return found


def _tell_places(total: Findings, looked: Sequence[LookedVolumes], code: str, kind: str) -> None:
    """Files that know no place: a warning where others know theirs, else a note."""
    every = [(file, of, id) for one in looked for file, (of, id) in one.places.items()]
    odd = [(file, id) for file, of, id in every if of == kind]
    reason = {
        "missing": "its header does not say where its voxels lie (qform and sform codes 0)",
        "identity": "its affine is the identity: 1 mm voxels from (0, 0, 0), as is written where "
        "the place is not known",
    }[kind]
    if any(of in ("real", "told") for _, of, _ in every):
        total.warnings += (volume_problem(code, id, file, reason) for file, id in odd)
    elif odd:
        total.notes.append(f"{plural(len(odd), 'file')}: {reason.replace('its', 'the', 1)}")


def _unseen(groups: Sequence[Group], looked: Sequence[LookedVolumes]) -> Iterator[Problem]:
    """Values that have a name and are in no mask."""
    shown = {value for one in looked for value in one.shown}
    named = {
        v: n for group in groups if group.cases[0].masks for v, n in (group.named or {}).items()
    }
    lost = [f"{name} ({value})" for value, name in sorted(named.items()) if value not in shown]
    if lost and any(one.shown for one in looked):
        reason = f"no mask shows {', '.join(lost[:8])}{', ...' if len(lost) > 8 else ''}"
        yield volume_problem("label-unseen", ".", None, reason)


def _unmasked(groups: Sequence[Group]) -> Iterator[Problem]:
    """The cases without a mask, where others of their side and series have one: a line for all."""
    by_kind: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in groups:
        by_kind[_side(group.cases[0]), group.cases[0].sequence].append(group)
    for (side, _), some in sorted(by_kind.items()):
        bare = sorted(group.id for group in some if not group.cases[0].masks)
        if 0 < len(bare) < len(some):
            shown = ", ".join(bare[:8]) + (", ..." if len(bare) > 8 else "")
            verb = "has" if len(bare) == 1 else "have"
            reason = f"{len(bare)} of its {plural(len(some), 'case')} {verb} no mask: {shown}"
            yield volume_problem("mask-missing", side or ".", None, reason)


def _on_sides(groups: Sequence[Group]) -> Iterator[Problem]:
    placed = {(case.patient, _side(case)) for group in groups for case in group.cases}
    for patient, sides in on_several_sides(placed):
        reason = f"the patient is on {sides}"
        yield Problem(code="leakage", id=patient, reason=reason, remedy=SPLIT_AGAIN)


def _by_name(groups: Sequence[Group]) -> Iterator[Problem]:
    """What names that look like patients say of the sides."""
    names = (
        (stem(Path((group.cases[0].masks or group.cases[0].images)[0]).name), _side(group.cases[0]))
        for group in groups
    )
    return patients_by_name([Seen(f"{name}_", "", side, None, None) for name, side in names])
