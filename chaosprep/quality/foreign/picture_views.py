"""A folder of pictures as `inspect` shows it: its stacks, what their masks hold, what is wrong."""

from collections import Counter, defaultdict
from pathlib import Path

from chaosprep.layouts.sides import sort_sides
from chaosprep.quality.foreign.listed import find_listed
from chaosprep.quality.foreign.pairs import Looked
from chaosprep.quality.foreign.pictures import look_at_folder
from chaosprep.quality.inspected import CaseView, Inspection, Named

NOTE = "pictures, which no stage takes: verify compares their sides too"


def inspect_pictures(root: Path, *, jobs: int = 1) -> Inspection | None:
    """What is in a folder of pictures, by stacks; None where it is none.

    Slices of one name but for their number are a case, and so are the others of one patient, or of
    one folder. Patients are those of its tables, else each case is one. No stage can take them, so
    they have no sequence.
    """
    tree, listed = sort_sides(root), find_listed(root)
    if not (tree.images or listed.claimed):
        return None
    found, looked = look_at_folder(root, tree, listed, jobs=jobs)
    stacks: dict[str, list[Looked]] = defaultdict(list)
    for one in looked:
        if one.seen:
            stacks[_stack(one)].append(one)
    names = _names(looked)
    return Inspection(
        root=root,
        cases=tuple(_view(id, stack) for id, stack in sorted(stacks.items())),
        problems=tuple(sorted(found.faults, key=lambda one: (one.id, one.file or "", one.code))),
        notes=(NOTE, *found.notes),
        labels=tuple(Named(value, name, None, names[value, name]) for value, name in sorted(names)),
    )


def _stack(one: Looked) -> str:
    pair, case = one.pair, one.seen[0].case
    if case not in (pair.id, pair.side, ""):
        return case
    if pair.patient:
        return f"{pair.side}/{pair.patient}" if pair.side else pair.patient
    return pair.id.rpartition("/")[0] or "."


def _view(id: str, stack: list[Looked]) -> CaseView:
    patients = {one.pair.patient for one in stack if one.pair.patient}
    ends = [one.ends for one in stack if one.ends is not None]
    masks = sum(one.pair.mask is not None for one in stack)
    levels: Counter[int] = Counter()
    for one in stack:
        levels.update({int(value): level.pixels for value, level in (one.levels or {}).items()})
    return CaseView(
        id=id,
        patient=patients.pop() if len(patients) == 1 else id,
        sequence="",
        pool=stack[0].pair.side,
        images=len(stack),
        masks=masks or None,
        slices=len(stack),
        matrices=tuple(dict.fromkeys(f"{s[0]}x{s[1]}" for one in stack if (s := one.shape))),
        spacing=None,
        bits_stored=tuple(sorted({one.bits for one in stack if one.bits})),
        values=(min(low for low, _ in ends), max(high for _, high in ends)) if ends else None,
        echo_time=None,
        levels=dict(sorted(levels.items())),
        warnings=(),
        problems=(),
    )


def _names(looked: list[Looked]) -> Counter[tuple[int, str]]:
    """Value and name -> the cases whose masks are said to have it."""
    told = {
        (value, name, _stack(one))
        for one in looked
        if one.seen
        for value, name in (one.pair.said.labels or {}).items()
    }
    return Counter((value, name) for value, name, _ in told)
