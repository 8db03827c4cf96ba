"""A stage directory, for its masks."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.organs import can_show, meanings, names_in, organ_labels
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import label_plane, originals
from chaosprep.errors import FileError, about
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, MaskSet, Organs, known_lattice, stack


def _read(case: Case, organs: Organs) -> CaseMasks:
    """The masks of a case's originals, each file checked against the manifest."""
    rows = originals(case)
    named = {organ for row in rows for organ in row.labels.values()}
    labels = {o: organs.index(o) + 1 if o in organs else 0 for o in named}
    planes = (label_plane(row, _mask(case, row), labels) for row in rows)
    voxels = stack(planes, len(rows))
    return CaseMasks(voxels, tuple(row.id for row in rows), lattice=known_lattice(rows))


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


def _member(case: Case, labels: Iterable[str]) -> MaskCase:
    organs, sequence = can_show(names_in(case.slices), labels), case.slices[0].sequence
    return MaskCase(case.id, case.patient, organs, partial(_read, case), case.split, sequence)


LAYOUT = Layout("stage", "a stage directory", masks=open_stage)
