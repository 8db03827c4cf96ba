"""The prediction's voxels laid on the grid of the reference: as they are, or brought back to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, plural
from chaosprep.evaluation.results import OrganResult
from chaosprep.imaging.space.bringing import brought, reach, shown_beyond
from chaosprep.imaging.space.lattice import Lattice, Volume, laid_on
from chaosprep.layouts.mask_set import CaseMasks

Labels = NDArray[np.uint8]
_SHOWN = 3  # names in a message
_SMALLEST, _LARGEST = 1e-9, 1e6  # mm: of others float32 cannot hold the squares of distances
_BACK = "Bring them back: chaosprep assemble PRED -o BACK, and compare BACK."
HOW = {
    "undone": "by undoing --size and --spacing, as chaosprep assemble does",
    "nearest": "by the nearest voxel",
}
"""What `Laid.how` says, in words."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A prediction on the reference's grid, uint8 (slices, rows, cols).

    ``how`` it was brought there, if it had to be; ``beyond``: how many predicted voxels lie beyond
    the reference, where they cannot be compared.
    """

    voxels: Labels
    how: Literal["undone", "nearest"] | None = None
    beyond: int = 0


def laid(ref: CaseMasks, pred: CaseMasks) -> Laid:
    """The prediction's voxels in the order of the reference's.

    Raises:
        FileError: `slices-differ`, `size-mismatch`, `grid-mismatch`, `geometry-unknown`, `sheared`
            or `spacing-unfit`.
    """
    if not (ref.names and pred.names):
        if ref.lattice is None or pred.lattice is None:
            raise FileError(
                "a volume can only be compared where both sides say where their voxels lie",
                "Give both as slices of one name, or both as volumes.",
                code="geometry-unknown",
            )
        return _by_lattice(ref, ref.lattice, pred, pred.lattice)
    if (ref.is_restacked or pred.is_restacked) and ref.lattice and pred.lattice:
        return _by_lattice(ref, ref.lattice, pred, pred.lattice)
    order = _order(ref, pred)
    if ref.lattice is not None and pred.lattice is not None:
        return _by_lattice(ref, ref.lattice, pred, pred.lattice)
    voxels = pred.voxels if order == list(range(len(order))) else pred.voxels[order]
    if voxels.shape != ref.voxels.shape:
        sizes = [f"{rows}x{cols}" for _, rows, cols in (voxels.shape, ref.voxels.shape)]
        raise FileError(
            f"its masks are {sizes[0]}, the reference's {sizes[1]}",
            "Give REF as a stage directory or as volumes, which say where their voxels lie."
            if ref.lattice is None
            else "Bring them back: chaosprep assemble PRED --reference DIR -o BACK, where DIR is "
            "the stage directory that was predicted from, and compare BACK.",
            code="size-mismatch",
        )
    return Laid(voxels)


def check_sizes(lattice: Lattice) -> None:
    """Refuse voxels of a size that no image has.

    Raises:
        FileError: `spacing-unfit`.
    """
    if not all(_SMALLEST <= mm <= _LARGEST for mm in lattice.spacing):
        sizes = " x ".join(f"{mm:.3g}" for mm in lattice.spacing)
        raise FileError(
            f"its header says that its voxels are {sizes} mm large",
            "Correct the spacing in its header.",
            code="spacing-unfit",
        )


def notes_on_grids(cases: Iterable[tuple[OrganResult, ...]]) -> Iterator[str]:
    """A note for each way in which predictions were brought to the reference's grid, by case."""
    rows = [found[0] for found in cases if found]
    for how, way in HOW.items():
        if count := sum(row.brought == how for row in rows):
            yield f"PRED brought to REF's grid in {plural(count, 'case')}, {way}"
    beyond = [row.beyond for row in rows if row.beyond]
    if beyond:
        lost = f"{plural(sum(beyond), 'predicted voxel')} in {plural(len(beyond), 'case')}"
        yield f"beyond REF's grid, and not counted: {lost}"


def _by_lattice(ref: CaseMasks, there: Lattice, pred: CaseMasks, here: Lattice) -> Laid:
    if here.is_flat or there.is_flat:
        whose = "its" if here.is_flat else "the reference's"
        raise FileError(
            f"{whose} axes lie in one plane, so its voxels have no known position",
            "Write it again with the geometry of its image.",
            code="geometry-unknown",
        )
    found = Volume(pred.voxels, here)
    try:
        return Laid(laid_on(found, there))
    except FileError as error:
        unlike = error
    _check_known(ref, there, pred, here, unlike)
    check_sizes(here)
    before = pred.before() if pred.before else None
    if before is not None and before.lattice is not None:
        try:
            return Laid(laid_on(Volume(before.voxels, before.lattice), there), "undone")
        except FileError:
            pass  # the reference lies on a third grid
    beyond = shown_beyond(found, there)
    if beyond and ref.is_cropped:
        raise _unlike(
            f"{plural(beyond, 'predicted voxel')} lie beyond the reference, which is cropped to "
            "what it shows",
            "Export the reference with the whole area of its image.",
        )
    if not pred.is_cropped and (far := reach(here, there)):
        raise _unlike(
            f"the reference extends {far:.3g} mm beyond it",
            _BACK
            if pred.before
            else "Predict the whole volume, or bring it to the reference's grid with the tool that "
            "cropped it.",
        )
    return Laid(brought(found, there, beyond=0 if pred.is_cropped else None), "nearest", beyond)


def _check_known(
    ref: CaseMasks, there: Lattice, pred: CaseMasks, here: Lattice, unlike: FileError
) -> None:
    """Refuse what a place in the patient cannot be told of."""
    nowhere = [name for name, one in (("PRED", pred), ("REF", ref)) if not one.is_placed]
    if nowhere:
        who = "neither side says" if len(nowhere) > 1 else f"{nowhere[0]} does not say"
        raise FileError(
            f"{unlike.reason}; {who} where its voxels lie",
            "Write both with the geometry of their image (affine, or origin and directions).",
            code="grid-mismatch",
        )
    if here.is_sheared or there.is_sheared:
        raise FileError(
            f"{unlike.reason}, and {'its own' if here.is_sheared else 'there the'} axes are not at "
            "right angles (a tilted gantry)",
            "Resample both sides to one grid first, or leave the case out with --on-error skip.",
            code="sheared",
        )


def _unlike(reason: str, remedy: str) -> FileError:
    return FileError(f"its voxels lie on another grid: {reason}", remedy, code="grid-mismatch")


def _order(ref: CaseMasks, pred: CaseMasks) -> list[int]:
    """For each slice of the reference, the place of the prediction's of the same name."""
    places = {name: place for place, name in enumerate(pred.names)}
    names = ref.files if places.keys() & set(ref.files) else ref.names
    missing = [name for name in names if name not in places]
    surplus = sorted(places.keys() - set(names))
    if missing or surplus:
        parts = []
        if missing:
            parts.append(f"{len(missing)} of its {len(names)} slices are missing{_some(missing)}")
        if surplus:
            parts.append(f"{len(surplus)} are not the reference's{_some(surplus)}")
        raise FileError(
            f"of the predicted slices, {' and '.join(parts)}",
            "Predict every slice, empty ones too, and nothing else.",
            code="slices-differ",
        )
    return [places[name] for name in names]


def _some(names: Sequence[str]) -> str:
    return f" ({', '.join([*names[:_SHOWN], *(['...'] if len(names) > _SHOWN else [])])})"
