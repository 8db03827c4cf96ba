"""Selected structures of a case, written in the place of its masks."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, Problem, about, plural
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.levels import label_areas, level_histogram
from chaosprep.running.fitting import Expected, carried
from chaosprep.running.stage import CaseResult, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.selection import Selection


def write_selected(
    case: Case, selection: Selection, writer: Writer, *, drop_empty: bool
) -> CaseResult:
    """Write a case's structures; the images are carried over.

    A case of which nothing is left is a problem, `organ-absent`, and so are structures that overlap
    in no order, `structures-overlap`.
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
    return CaseResult(_with_notes(made.slices), made.problems)


def selected_rows(case: Case, selection: Selection, *, drop_empty: bool) -> Iterator[Expected]:
    """One for each slice with the parent's image, but for those that are to be dropped."""
    for row in case.slices:
        dropped = drop_empty and row.mask_file and not extract(case, row, selection)[0].any()
        if not dropped:
            yield carried(row, image=row.image, image_sha256=row.image_sha256)


def _unordered(case: Case, selection: Selection) -> Problem | None:
    """The problem of structures that overlap where no order says which lies on top."""
    slices = Counter[tuple[int, ...]]()
    for row in case.slices:
        met = {selection.shown(labels) for labels in (row.overlaps or {}).values()}
        slices.update(found[:2] for found in met if not selection.is_ranked(found))
    if not slices:
        return None
    pixels = Counter[str]()
    for row in case.slices:
        pixels.update(row.pixels)
    names = selection.labels
    pairs = [sorted(names[value].name for value in pair) for pair in slices]
    told = " and ".join(min(pairs))
    small, large = sorted(min(pairs), key=lambda name: (pixels[name], name))
    more = f", and {plural(len(pairs) - 1, 'more pair')}" if len(pairs) > 1 else ""
    return Problem(
        code="structures-overlap",
        id=case.id,
        reason=f"its structures overlap, and nothing says which lies on top: {told}{more}",
        remedy=f"Say it with --order, the top first, such as --order '{small},{large},*'.",
    )


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
        FileError: what `read_mask` raises, or `mask-values`: a value stands for nothing.
    """
    assert row.mask_file is not None
    data = case.read(row.mask_file)
    with about(row.mask_file.path):
        pixels = read_mask(data).pixels
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
    lost = Counter[str]()
    for row in rows:
        lost.update(row.overwritten or {})
    notes = {name: f"{name}: others lie on {plural(n, 'voxel')} of it" for name, n in lost.items()}
    return tuple(
        msgspec.structs.replace(
            row, warnings=(*row.warnings, *(notes[name] for name in row.overwritten))
        )
        if row.overwritten
        else row
        for row in rows
    )
