"""Which cases get new slices, and where these lie: known before a pixel is read."""

from dataclasses import dataclass
from functools import cached_property

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.restacked import OldStack
from chaosprep.dataset.stacking import case_lattice
from chaosprep.imaging.space.nearest import SAME_PLACE
from chaosprep.imaging.space.passage import Passage
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.places import Place, restacked_places, wanted_places
from chaosprep.stages.converting.reference import Reference, reference_of


@dataclass(frozen=True, eq=False)
class Stack:
    """The new slices of a case: their rows, with the nearest old one's columns and as its children.

    `passage` goes from their lattice to that of the old slices; `nearest` has the place of the
    nearest old one for each; `reference` is the case whose lattice it is.
    """

    rows: tuple[Slice, ...]
    passage: Passage
    nearest: tuple[int, ...]
    reference: Reference | None

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each new slice among them, by its id."""
        return {row.id: number for number, row in enumerate(self.rows)}


def new_stack(case: Case, params: ConvertParams) -> Stack | None:
    """The new slices of a case; None where its slices stay, each on pixels of its own plane.

    Raises:
        FileError: what `case_lattice`, `plan_grid` and `reference_of` raise; `spacing-unfit`.
    """
    reference = reference_of(case)
    if params.between is None and reference is None:
        return None
    own = tuple(map(Place.of, case.slices))
    lattice = case_lattice(case.slices)
    if reference is not None and _is_same(own, reference.places):
        reference = None
    if reference is None:
        wanted = restacked_places(own, params)
    else:
        wanted = wanted_places(reference.places, params)
    if wanted is None:
        return None
    passage = Passage.between(lattice, case_lattice(wanted))
    nearest = tuple(map(passage.nearest, range(len(wanted))))
    record = msgspec.to_builtins(OldStack.of(case.slices))
    rows = tuple(
        _row(case.slices[at], place, record) for at, place in zip(nearest, wanted, strict=True)
    )
    return Stack(rows, passage, nearest, reference)


def _is_same(own: tuple[Place, ...], reference: tuple[Place, ...]) -> bool:
    """Whether slices lie just where those of the reference do, and are called the same."""
    if [one.id for one in own] != [one.id for one in reference]:
        return False
    here, there = case_lattice(own), case_lattice(reference)
    return here.shape == there.shape and here.differs_by(there) < SAME_PLACE


def _row(old: Slice, place: Place, record: dict[str, object]) -> Slice:
    return msgspec.structs.replace(
        old,
        id=f"{old.case}_{place.id}",
        slice=place.slice,
        rows=place.rows,
        cols=place.cols,
        position=place.position,
        orientation=place.orientation,
        spacing=place.spacing,
        parent=old.id,
        frame=None,
        grid=record,
    )
