"""augment: transformed copies of the training slices, image and mask as one."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation import Recipe, apply, draw
from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stage import CaseResult, Params, Stage, each_slice
from chaosprep.dataset.writer import Writer
from chaosprep.errors import UsageError
from chaosprep.imaging.organs import label_areas

Probability = Annotated[float, Meta(ge=0, le=1)]
MIRRORED = ("right-kidney", "left-kidney")


class AugmentParams(Params, frozen=True, kw_only=True):
    """How many copies to make, and what may happen to them."""

    copies: Annotated[
        Annotated[int, Meta(ge=0)], Meta(description="Copies of each training slice.")
    ] = 1
    samples: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Copies in all, spread evenly over the training slices, for --copies."),
    ] = None
    rotation: Annotated[
        Annotated[float, Meta(ge=0, le=180)], Meta(description="Largest rotation, in degrees.")
    ] = 10.0
    rotation_probability: Annotated[Probability, Meta(description="How often to rotate.")] = 0.8
    flip_probability: Annotated[
        Probability, Meta(description="How often to mirror left and right.")
    ] = 0.5
    zoom: Annotated[
        Annotated[float, Meta(gt=0, le=1)],
        Meta(description="Side of the part that a zoom enlarges, relative to the image."),
    ] = 0.85
    zoom_probability: Annotated[Probability, Meta(description="How often to zoom.")] = 0.3
    swap_labels: Annotated[
        bool, Meta(description="Where a label map is mirrored, exchange right and left kidney.")
    ] = False
    seed: Annotated[int, Meta(description="Seed of every draw.")] = 0

    def __post_init__(self) -> None:
        if self.samples is not None and self.copies != 1:
            raise ValueError("samples and copies exclude each other")

    def recipe(self) -> Recipe:
        """The part that draws need."""
        return Recipe(
            rotation=self.rotation,
            rotation_probability=self.rotation_probability,
            flip_probability=self.flip_probability,
            zoom=self.zoom,
            zoom_probability=self.zoom_probability,
        )


def plan(cases: Sequence[Case], params: AugmentParams) -> Callable[[Case], Case]:
    """Give every training slice its copies: rows whose parameters are drawn, without a file yet."""
    _check_mirroring(cases, params)
    copies, most = _copies(cases, params)
    width = max(2, len(str(most)))
    recipe = params.recipe()

    def rows(row: Slice) -> Iterator[Slice]:
        yield msgspec.structs.replace(row, parent=row.id)
        for copy in range(1, copies(row) + 1):
            yield msgspec.structs.replace(
                row,
                id=f"{row.id}_a{copy:0{width}}",
                copy=copy,
                parent=row.id,
                augmentation=draw(recipe, seed=params.seed, slice_id=row.id, copy=copy),
            )

    def complete(case: Case) -> Case:
        planned = tuple(made for row in case.slices for made in rows(row))
        return replace(case, slices=planned)

    return complete


def _check_mirroring(cases: Sequence[Case], params: AugmentParams) -> None:
    """A mirrored right kidney is a left one: its label must change, or it may not be mirrored."""
    if not params.flip_probability:
        return
    for row in _train(cases):
        kidneys = {name for name in row.labels.values() if name in MIRRORED}
        if kidneys and not (params.swap_labels and _kidneys(row)):
            raise UsageError(
                f"flip_probability: a mirrored {' or '.join(sorted(kidneys))} would carry the "
                "wrong name",
                "Use --flip-probability 0"
                + (", or --swap-labels." if _kidneys(row) else "; extract all organs to mirror."),
                code="label-mirror",
            )


def _copies(cases: Sequence[Case], params: AugmentParams) -> tuple[Callable[[Slice], int], int]:
    """How often each slice is used (`copies`, or its share of `samples`), and the most of it."""
    if params.samples is None:
        return lambda row: params.copies if row.split == "train" else 0, params.copies
    ids = [_rank(params.seed, row.id) for row in _train(cases)]
    ranks = np.sort(np.asarray(ids, dtype=np.uint64))
    if not ranks.size:
        raise UsageError("samples: there is no training slice to copy", code="samples")
    each, more = divmod(params.samples, ranks.size)
    limit = int(ranks[more - 1]) if more else -1

    def share(row: Slice) -> int:
        if row.split != "train":
            return 0
        return each + (_rank(params.seed, row.id) <= limit)

    return share, each + 1


def _train(cases: Sequence[Case]) -> Iterator[Slice]:
    return (row for case in cases if case.split == "train" for row in case.slices)


def _rank(seed: int, id: str) -> int:
    digest = hashlib.sha256(f"chaosprep.samples.1\n{seed}\n{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def run_case(case: Case, params: AugmentParams, writer: Writer) -> CaseResult:
    """Carry over one case's originals and make its copies."""
    originals = {row.id: row for row in case.slices if not row.copy}

    @lru_cache(maxsize=1)
    def pair(id: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
        return case.image(originals[id]), case.mask(originals[id])

    def work(row: Slice) -> Slice:
        if row.copy and row.augmentation is not None and row.parent is not None:
            swap = _kidneys(row) if params.swap_labels else ()
            return _written(row, *apply(row.augmentation, *pair(row.parent), swap=swap), writer)
        for path, digest, _ in row.files():
            writer.carry(case, path, digest)
        return row

    return each_slice(case.slices, work)


def _written(row: Slice, image: NDArray[Any], mask: NDArray[Any] | None, writer: Writer) -> Slice:
    """Write a copy; it no longer lies in patient space, and a zoom makes its pixels smaller."""
    file = writer.image(row.split, row.id, image, Path(row.image).suffix)
    zoom = row.augmentation["zoom"] if row.augmentation else 1.0
    made = msgspec.structs.replace(
        row,
        image=file.path,
        image_sha256=file.sha256,
        image_bytes=file.bytes,
        spacing=(row.spacing[0], row.spacing[1] * zoom, row.spacing[2] * zoom)
        if row.spacing
        else None,
        position=None,
        orientation=None,
    )
    if mask is None:
        return made
    file = writer.mask(row.split, row.id, mask)
    return msgspec.structs.replace(
        made,
        mask=file.path,
        mask_sha256=file.sha256,
        mask_bytes=file.bytes,
        pixels=label_areas(mask, row.labels),
    )


def _kidneys(row: Slice) -> tuple[tuple[int, int], ...]:
    """The mask values that a mirroring exchanges; none where either kidney has not just one."""
    values = {name: value for value, name in sorted(row.labels.items()) if name in MIRRORED}
    once = sum(name in MIRRORED for name in row.labels.values()) == len(MIRRORED)
    return ((values[MIRRORED[0]], values[MIRRORED[1]]),) if once and len(values) == 2 else ()


AUGMENT = Stage(
    name="augment",
    version=1,
    params=AugmentParams,
    run_case=run_case,
    open=open_parent,
    plan=plan,
    needs=("convert",),
)
