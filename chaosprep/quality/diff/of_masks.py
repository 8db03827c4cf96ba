"""Masks alone as a side: what they do not say themselves, the other side may tell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.organs import unnamed
from chaosprep.errors import plural
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts.mask_set import MaskCase, MaskSet
from chaosprep.quality.diff.sides import (
    BORROWED,
    GEOMETRY,
    Member,
    One,
    Read,
    Side,
    Structures,
    is_told,
    names_for,
)


def masks_side(
    masks: MaskSet, other: Side | None = None, *, sole_id: str | None = None, by_value: bool = False
) -> Side:
    """Cases with their masks. Of ``other`` come names of mask values, and ids of cases.

    A mask that has the name of a patient is that patient's only case.

    Args:
        masks: what was found.
        other: the other side, where it is known by now.
        sole_id: what the only case is called.
        by_value: call an only value that nobody names by its number, as several are.
    """
    told = {str(v): name for v, name in masks.labels.items() if is_told(v, name)}
    known = {} if other is None else other.labels
    renamed = names_for([*masks.labels], masks.labels, known)
    if by_value:
        renamed = {v: name if is_told(v, name) else unnamed(v) for v, name in renamed.items()}
    names = {name: renamed[value] for value, name in masks.labels.items()}
    ids = _ids(masks, other) if sole_id is None else dict.fromkeys(masks.members, sole_id)
    members = {}
    for id, one in masks.members.items():
        own = ids.get(id, id)
        patient = "" if one.patient == one.id else one.patient
        read = partial(_slices, replace(one, id=own), names)
        members[own] = Member(own, patient, one.split or "", "", read)
    notes = []
    if {*renamed.values()} & {*known.values()} - {*told.values()}:
        notes.append(f"{masks.path}: {BORROWED}")
    if masks.problems:
        count = plural(len(masks.problems), "file")
        notes.append(f"{masks.path}: {count} of a name that another has: one of them is compared")
    return Side(masks.kind, members, told, has_images=False, notes=tuple(notes))


def _ids(masks: MaskSet, other: Side | None) -> dict[str, str]:
    """The other side's case that a mask is of, where it has another id."""
    cases: dict[str, list[str]] = {}
    for member in other.members.values() if other is not None else ():
        cases.setdefault(member.patient, []).append(member.id)
    return {
        id: of[0]
        for id in masks.members
        if len(of := cases.get(id, [])) == 1 and not masks.members.keys() & {*of}
    }


def _slices(member: MaskCase, names: Mapping[str, str]) -> Read:
    masks = member.read(member.organs)
    shown = [names.get(organ, organ) for organ in member.organs]
    ids = masks.names or tuple(f"{member.id}_s{at:03d}" for at in range(len(masks.voxels)))
    return Read(
        [
            One(id, None, _none, partial(_organs_of, plane, shown), _geometry(masks.lattice, at))
            for at, (id, plane) in enumerate(zip(ids, masks.voxels, strict=True))
        ]
    )


def _none() -> None:
    """No image."""


def _geometry(lattice: Lattice | None, at: int) -> dict[str, Any]:
    """Where slice ``at`` of (slices, rows, cols) lies, as rows say it."""
    if lattice is None:
        return {}
    position = lattice.origin + at * lattice.steps[:, 0]
    down, across = (lattice.steps[:, axis] / lattice.spacing[axis] for axis in (1, 2))
    told = (lattice.spacing, tuple(position.tolist()), (*across.tolist(), *down.tolist()))
    return dict(zip(GEOMETRY, told, strict=True))


def _organs_of(plane: NDArray[np.uint8], organs: Sequence[str]) -> Structures:
    found: dict[str, NDArray[np.bool_]] = {}
    for at in np.unique(plane).tolist():
        if at:
            organ, here = organs[at - 1], plane == at
            found[organ] = found[organ] | here if organ in found else here
    return found
