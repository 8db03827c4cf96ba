"""A stage directory as a side of a comparison."""

from functools import partial

import numpy as np

from chaosprep.dataset.case import Case
from chaosprep.dataset.left_out import how_many, why
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.overlapping import structure_areas
from chaosprep.dataset.records import Slice
from chaosprep.errors import about
from chaosprep.quality.diff.sides import GEOMETRY, Member, One, Plane, Read, Side, Structures

_COLUMNS = (*GEOMETRY, "dtype", "window", "padding", "augmentation")
"""What a row says besides its image and mask that a reader of the data would see."""


def stage_side(dataset: Dataset) -> Side:
    """The cases of a stage directory, with what its manifest says."""
    members = {}
    labels = {str(value): label.name for value, label in dataset.labels.items()}
    for index, id in enumerate(dataset.case_ids):
        case = dataset.cases[index]
        fold = case.slices[0].fold
        told = "" if fold is None else str(fold)
        members[id] = Member(id, case.patient, case.split, told, partial(_slices, case))
    stages = {
        past.stage: {
            name: f"{value}" for name, value in {**past.parameters, "version": past.version}.items()
        }
        for past in dataset.history
    }
    out = {
        f"{past.stage} {why(one)}": how_many(one)
        for past in dataset.history
        for one in past.left_out
    }
    return Side("stage directory", members, labels, stages, out, has_table=True)


def _slices(case: Case) -> Read:
    whole = set[str]()
    return Read(
        [
            One(
                row.id,
                (row.image_sha256, row.mask_sha256),
                partial(_image, case, row),
                partial(_mask, case, row),
                {name: getattr(row, name) for name in _COLUMNS},
                (row.frame, row.slope, row.intercept, row.labels, row.overlaps),
                partial(_check, case, row, whole),
            )
            for row in case.slices
        ]
    )


def _check(case: Case, row: Slice, whole: set[str]) -> None:
    """Read the files of a slice: their bytes must be those that the manifest says."""
    for file in row.files():
        if file.path not in whole:
            with about(file.path):
                case.read(file)
            whole.add(file.path)


def _image(case: Case, row: Slice) -> Plane:
    header, array = case.pixels(row)
    return in_units(array, header.rescale_slope, header.rescale_intercept)


def in_units(array: Plane, slope: float, intercept: float) -> Plane:
    """Stored values, any shape, in modality units."""
    return array if (slope, intercept) == (1.0, 0.0) else array * slope + intercept


def _mask(case: Case, row: Slice) -> Structures | None:
    mask = case.mask(row)
    if mask is None:
        return None
    known = {*row.labels, *(row.overlaps or {})}
    return {**dict(structure_areas(row, mask)), **_nameless(mask, known)}


def _nameless(mask: Plane, known: set[int]) -> Structures:
    left = {int(value) for value in np.unique(mask)} - known - {0}
    return {unnamed(value): mask == value for value in sorted(left)}
