"""Selected structures of a case, written in the place of its masks."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, Problem, about, plural
from chaosprep.formats.stage_masks import read_stage_mask
from chaosprep.imaging.levels import label_areas, level_histogram
from chaosprep.running.fitting import Expected, carried
from chaosprep.running.stage import CaseResult, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.selection import Selection

_MOST_ORDERED = 12  # structures in a proposed order
_FEW = 4  # structures that a message names


def write_selected(
    case: Case, selection: Selection, writer: Writer, *, drop_empty: bool
) -> CaseResult:
    """Write a case's structures; the images are carried over.

    A case of which nothing is left is a problem, `organ-absent`, and so are structures that overlap
    in no order, `structures-overlap`. Where its masks cannot show any of them, every row says so:
    what nobody drew may be there.
    """
    if problem := _unordered(case, selection):
        return CaseResult((), (problem,))
    made = each_slice(case.slices, partial(_written, case, selection, drop_empty, writer))
    if not made.slices and not made.problems:
        names = " or ".join(label.name for label in selection.labels.values())
        gone = Problem(
            code="organ-absent",
            id=case.id,
            reason=f"no mask of the case shows {names}",
            remedy="Check its masks, or leave the case out with --on-error skip.",
        )
        return CaseResult((), (gone,))
    masked = [row for row in made.slices if row.mask]
    if masked and not any(row.labels for row in masked):
        note = f"its masks have no {_listed(_names(selection), 'or')}"
        made = CaseResult(tuple(_noted(row, note) for row in made.slices), made.problems)
    return CaseResult(_with_notes(made.slices), made.problems)


def selected_rows(case: Case, selection: Selection, *, drop_empty: bool) -> Iterator[Expected]:
    """One for each slice with the parent's image, but for those that are to be dropped."""
    for row in case.slices:
        dropped = drop_empty and row.mask_file and not extract(case, row, selection)[0].any()
        if not dropped:
            yield carried(row, image=row.image, image_sha256=row.image_sha256)


def _unordered(case: Case, selection: Selection) -> Problem | None:
    """The problem of structures that overlap where no order says which lies on top."""
    met = {
        selection.shown(labels) for row in case.slices for labels in (row.overlaps or {}).values()
    }
    open_ones = [found for found in met if not selection.is_ranked(found)]
    if not open_ones:
        return None
    names = {value: label.name for value, label in selection.labels.items()}
    one, other = min(sorted(names[value] for value in found)[:2] for found in open_ones)
    return Problem(
        code="structures-overlap",
        id=case.id,
        reason="its structures overlap, and nothing says which lies on top, such as "
        f"'{one}' and '{other}'",
        remedy=f"Say it with --order, the top first: --order '{_order(case, selection)},*'.",
    )


def _order(case: Case, selection: Selection) -> str:
    """An order of a case's overlapping structures that hides none of them: small ones first.

    What was ranked already stays on top. In a text of ``--order``, and between quotes.
    """
    meeting = {
        value
        for row in case.slices
        for labels in (row.overlaps or {}).values()
        if len(found := selection.shown(labels)) > 1
        for value in found
    }
    areas = Counter[int]()
    for row in case.slices:
        for one in selection.structures:
            areas[one.value] += sum(
                row.pixels.get(row.labels[value], 0) for value in one.of & {*row.labels}
            )
    free = sorted(meeting - {*selection.ranks}, key=lambda value: (areas[value], value))
    names = (selection.labels[value].name for value in [*selection.ranks, *free][:_MOST_ORDERED])
    return ",".join(re.sub("[,']", "?", name) for name in names)


def _written(
    case: Case, selection: Selection, drop_empty: bool, writer: Writer, row: Slice
) -> Slice | None:
    if row.mask_file is None:
        writer.carry(case, row.image_file)
        return msgspec.structs.replace(row, parent=row.id)
    names = _can_show(case, row, selection)
    labels, lost = extract(case, row, selection)
    pixels = label_areas(labels, names)
    if drop_empty and not any(pixels.values()):
        return None
    row = row.with_mask(writer.mask(row.split, row.id, labels), labels=names, pixels=pixels)
    writer.carry(case, row.image_file)
    return msgspec.structs.replace(row, parent=row.id, overlaps=UNSET, overwritten=lost or UNSET)


def _can_show(case: Case, row: Slice, selection: Selection) -> dict[int, str]:
    """What is written of the structures that a mask can show, by value.

    Any mask may have shown a value that nobody named, so that all can show what it is called now.
    """
    anywhere = {value for value, label in case.labels.items() if label.name == unnamed(value)}
    return {
        one.value: one.label.name
        for one in selection.structures
        if not one.of.isdisjoint(row.labels)
        or (one.label.name != unnamed(one.value) and not one.of.isdisjoint(anywhere))
    }


def extract(
    case: Case, row: Slice, selection: Selection
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], dict[str, int]]:
    """The mask of a slice as what is selected, (rows, cols), and name -> pixels overwritten.

    Raises:
        FileError: what `read_stage_mask` raises, or `mask-values`: a value stands for nothing.
    """
    assert row.mask_file is not None
    data = case.read(row.mask_file)
    with about(row.mask_file.path):
        pixels = read_stage_mask(row.mask_file.path, data).pixels
    values = {value: (value,) for value in row.labels} | (row.overlaps or {})
    found = level_histogram(pixels)
    if strange := sorted(found.keys() - values.keys() - {0}):
        raise FileError(
            f"the mask of {row.id} holds {strange[0]}, which stands for nothing in the table",
            "Run split again with --overwrite.",
            code="mask-values",
        )
    lost = Counter[str]()
    for value in found.keys() - {0}:
        for under in selection.shown(values[value])[1:]:
            lost[selection.labels[under].name] += found[value]
    written = selection.table(values)[pixels]
    narrow = max(selection.labels, default=0) < 256
    return written.astype(np.uint8) if narrow else written, dict(sorted(lost.items()))


def _with_notes(rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """The rows, each that lost pixels of a structure with a warning that says so of its case."""
    lost, left = Counter[str](), Counter[str]()
    for row in rows:
        lost.update(row.overwritten or {})
        left.update(row.pixels)
    notes = {
        name: f"{name}: others cover {plural(n, 'voxel')} of it"
        + ("" if left[name] else ", and nothing of it is left")
        for name, n in lost.items()
    }
    return tuple(
        msgspec.structs.replace(
            row, warnings=(*row.warnings, *(notes[name] for name in row.overwritten))
        )
        if row.overwritten
        else row
        for row in rows
    )


def noting_absence(cases: Iterable[Case], selection: Selection) -> Callable[[Case], Case]:
    """How to note, where no mask of any case shows a structure that is taken, that none does.

    A structure that one case does not show is nothing odd; one that nobody shows has a wrong name
    or number.
    """
    of = frozenset().union(*(one.of for one in selection.structures))
    shown = {
        name
        for case in cases
        for row in case.slices
        for name, pixels in row.pixels.items()
        if pixels
    }
    rows = (row for case in cases for row in case.slices)
    if any(row.labels[value] in shown for row in rows for value in of & {*row.labels}):
        return lambda case: case
    wanted = _listed(_names(selection), "or")
    there = _listed(sorted(shown), "and") or "nothing"
    note = f"no mask of the dataset shows {wanted}; they show {there}"
    return lambda case: replace(case, slices=tuple(_noted(row, note) for row in case.slices))


def _names(selection: Selection) -> list[str]:
    return sorted(label.name for label in selection.labels.values())


def _listed(names: Sequence[str], last: str) -> str:
    if len(names) > _FEW:
        return f"{', '.join(names[:_FEW])} {last} {len(names) - _FEW} more"
    return f" {last} ".join(names)


def _noted(row: Slice, note: str) -> Slice:
    if row.mask is None:
        return row
    return msgspec.structs.replace(row, warnings=(*row.warnings, note))
