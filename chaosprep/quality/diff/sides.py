"""One side of a comparison: its cases, each read when its turn comes, and what is said of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.left_out import how_many, why
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.overlapping import structure_areas
from chaosprep.dataset.records import Slice
from chaosprep.errors import NothingFoundError, ProblemsError, UsageError, plural
from chaosprep.files import sha256
from chaosprep.formats.images import open_image
from chaosprep.imaging.measured import looked_up, upright
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.mask_set import MaskCase, MaskSet
from chaosprep.layouts.table import find_masks
from chaosprep.quality.outliers.sources import structures_of
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.source import SourceCase

Plane = NDArray[Any]
Structures = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class One:
    """A slice of a side. ``image`` gives its values in modality units, ``mask`` its structures.

    ``bytes_`` are hashes of its files: where they are equal, nothing else is read. ``row`` is what
    a table says of it besides.
    """

    id: str
    bytes_: tuple[str | None, str | None] | None
    image: Callable[[], Plane | None]
    mask: Callable[[], Structures | None]
    row: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A case of a side; it pickles. ``read`` raises `FileError`."""

    id: str
    patient: str
    side: str
    read: Callable[[], Sequence[One]]


@dataclass(frozen=True)
class Side:
    """What is compared: A or B.

    ``has_table``: it is a stage directory, whose rows, sides and stages can be compared with
    another's. ``has_images``: it is more than masks. ``notes`` say what is not compared of it.
    """

    kind: str
    members: Mapping[str, Member]
    labels: Mapping[str, str]
    stages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    has_table: bool = False
    has_images: bool = True
    notes: tuple[str, ...] = ()


def open_side(path: Path, params: LayoutParams) -> Side:
    """Open what is to be compared: a stage directory, a dataset root, or masks alone.

    Raises:
        UsageError: there is nothing, or a parameter will not do.
        NothingFoundError: it is none of these.
        ProblemsError: it is a dataset root of which no case can be taken.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder", "Check the path.", "root")
    if path.is_dir() and is_stage_directory(path):
        return _of_stage(open_dataset(path))
    try:
        if path.is_dir():
            return _of_root(path, params)
    except NothingFoundError as error:
        try:
            return _of_masks(find_masks(path))
        except NothingFoundError:
            raise error from None
    return _of_masks(find_masks(path))


def _of_stage(dataset: Dataset) -> Side:
    members, labels = {}, {}
    for value, label in dataset.labels.items():
        labels[str(value)] = label.name
    for index, id in enumerate(dataset.case_ids):
        case = dataset.cases[index]
        side = _place(case.split, case.slices[0].fold)
        members[id] = Member(id, case.patient, side, partial(_stage_slices, case))
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


def _place(side: str | None, fold: int | None) -> str:
    return " ".join(filter(None, (side, None if fold is None else f"fold {fold}")))


_COLUMNS = ("spacing", "position", "orientation", "dtype", "window", "padding", "augmentation")
"""What a row says besides its image and mask that a reader of the data would see."""


def _stage_slices(case: Case) -> list[One]:
    return [
        One(
            row.id,
            (row.image_sha256, row.mask_sha256),
            partial(_stage_image, case, row),
            partial(_stage_mask, case, row),
            {name: f"{getattr(row, name)}" for name in _COLUMNS},
        )
        for row in case.slices
    ]


def _stage_image(case: Case, row: Slice) -> Plane:
    header, array = case.pixels(row)
    return _in_units(array, header.rescale_slope, header.rescale_intercept)


def _in_units(array: Plane, slope: float, intercept: float) -> Plane:
    return array if (slope, intercept) == (1.0, 0.0) else array * slope + intercept


def _stage_mask(case: Case, row: Slice) -> Structures | None:
    mask = case.mask(row)
    if mask is None:
        return None
    known = {*row.labels, *(row.overlaps or {})}
    return {**dict(structure_areas(row, mask)), **_nameless(mask, known)}


def _nameless(mask: Plane, known: set[int]) -> Structures:
    left = {int(value) for value in np.unique(mask)} - known - {0}
    return {unnamed(value): mask == value for value in sorted(left)}


def _of_root(path: Path, params: LayoutParams) -> Side:
    root = find(path, params, strict=False)
    if root.problems and not root.cases:
        raise ProblemsError(
            f"{path}: none of its cases can be compared",
            "Settle what inspect says of it, or name its layout: --layout.",
            root.problems,
        )
    members = {
        case.id: Member(
            case.id, case.patient, _place(case.split, case.fold), partial(_source_slices, case)
        )
        for case in root.cases
    }
    labels = {str(value): label.name for value, label in root.label_map.items()}
    count = plural(len(root.problems), "problem")
    notes = (f"{path}: {count}, which inspect tells: not all may be compared",)
    return Side("dataset root", members, labels, notes=notes if root.problems else ())


def _source_slices(case: SourceCase) -> list[One]:
    series = read_series(case)
    if series.problems and not series.slices:
        raise series.problems[0].error()
    return [
        One(
            found.id,
            (
                sha256(found.image_data),
                None if found.mask_data is None else sha256(found.mask_data),
            ),
            partial(_source_image, found),
            partial(_source_mask, found, case, series),
        )
        for found in series.slices
    ]


def _source_image(found: SourceSlice) -> Plane:
    header, array = upright(
        *looked_up(*open_image(found.image, found.image_data).read(found.frame))
    )
    return _in_units(array, header.rescale_slope, header.rescale_intercept)


def _source_mask(found: SourceSlice, case: SourceCase, series: Series) -> Structures | None:
    if found.mask_array is None and found.mask_data is None:
        return None
    return dict(structures_of(found, case, series))


def _of_masks(masks: MaskSet) -> Side:
    members = {
        id: Member(id, one.patient, one.split or "", partial(_mask_slices, one))
        for id, one in masks.members.items()
    }
    labels = {str(value): name for value, name in masks.labels.items()}
    return Side(masks.kind, members, labels, has_images=False)


def _mask_slices(member: MaskCase) -> list[One]:
    masks = member.read(member.organs)
    names = masks.names or tuple(f"{member.id}_s{at:03d}" for at in range(len(masks.voxels)))
    return [
        One(name, None, lambda: None, partial(_organs_of, plane, member.organs))
        for name, plane in zip(names, masks.voxels, strict=True)
    ]


def _organs_of(plane: NDArray[np.uint8], organs: Sequence[str]) -> Structures:
    return {organ: plane == at for at, organ in enumerate(organs, 1) if (plane == at).any()}
