"""A stage directory, for its masks."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.organs import can_show, meanings, names_in, organ_labels
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.dataset.resized import way_back
from chaosprep.dataset.restacked import is_restacked
from chaosprep.dataset.stacking import label_plane, originals
from chaosprep.errors import FileError, about
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, MaskSet, Organs, known_lattice, stack


def _read(case: Case, labels: Mapping[str, int], organs: Organs) -> CaseMasks:
    """The masks of a case's originals, each file checked against the manifest."""
    rows = originals(case)
    named = {organ for row in rows for organ in row.labels.values()}
    places = {o: organs.index(o) + 1 if o in organs else 0 for o in named}
    planes = (label_plane(row, _mask(case, row), places) for row in rows)
    voxels = stack(planes, len(rows))
    before = partial(_before, case, labels, organs) if any(row.grid for row in rows) else None
    names = tuple(row.id for row in rows)
    anew = any(map(is_restacked, rows))
    lattice = known_lattice(rows)
    return CaseMasks(voxels, names, lattice=lattice, before=before, is_restacked=anew)


def _before(case: Case, labels: Mapping[str, int], organs: Organs) -> CaseMasks | None:
    """The masks on the pixels of the series, as assemble has them; None where some are cropped.

    All labels take part, asked for or not: which is the largest share depends on the others.
    """
    rows = originals(case)
    back = way_back(rows)
    if back.has_lost:
        return None
    places = np.zeros(256, np.uint8)
    for place, organ in enumerate(organs, start=1):
        if organ in labels:
            places[labels[organ]] = place
    own = [label_plane(row, _mask(case, row), dict(labels)) for row in rows]
    planes = (places[plane] for plane in back.masks(own, "label"))
    voxels = stack(planes, len(back.rows))
    names = tuple(row.id for row in back.rows)
    return CaseMasks(voxels, names, lattice=known_lattice(back.rows))


def _mask(case: Case, row: Slice) -> object:
    mask = case.mask(row)
    if mask is None:
        raise FileError(
            f"{row.id} has no mask",
            "Leave the case out with --on-error skip, or choose with --split or --patient.",
            code="mask-missing",
        )
    return mask


def open_stage(
    directory: Path, reference: MaskSet | None = None, asked: Organs = ()
) -> MaskSet | None:
    """A stage directory, if it is one: masks by its manifest, on the lattice of its slices.

    Raises:
        ManifestError: it is unfinished or damaged.
        FileError: `structures-overlap`.
    """
    if not (is_stage_directory(directory) or (directory / WORKSPACE).exists()):
        return None
    dataset = open_dataset(directory)
    with about(str(directory)):
        refuse_overlaps(dataset.slices)
    labels = organ_labels(dataset)
    told = meanings(dataset.label_map, (row.labels for row in dataset.slices))
    return MaskSet(
        kind="stage directory",
        path=directory,
        members={case.id: _member(case, labels) for case in dataset.cases},
        organs=tuple(labels),
        values={value: label.name for value, label in told.items()},
        labels={label: organ for organ, label in labels.items()},
        in_mm=any(r.spacing and r.position and r.orientation for r in dataset.slices),
    )


def _member(case: Case, labels: Mapping[str, int]) -> MaskCase:
    organs, sequence = can_show(names_in(case.slices), labels), case.slices[0].sequence
    read = partial(_read, case, labels)
    return MaskCase(case.id, case.patient, organs, read, case.split, sequence)


LAYOUT = Layout("stage", "a stage directory", masks=open_stage)
