"""Augmentation on the fly: of one slice as the stage does it, of several channels alike."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation import draw
from chaosprep.augmentation.apply import image_through, mask_through
from chaosprep.augmentation.guards import guarded
from chaosprep.augmentation.intensity import Intensity
from chaosprep.augmentation.recipe import read_parameters
from chaosprep.augmentation.sampling import IMAGE_DTYPES, value_range
from chaosprep.augmentation.scanner import DrawnNoise
from chaosprep.augmentation.transform import Transform
from chaosprep.dataset.records import Slice
from chaosprep.params import make_params
from chaosprep.stages.augment import AugmentParams, exchanged, pair_of

Plane = NDArray[Any]
Pair = tuple[Plane, Plane | None]


def augmentation(augment: str | Mapping[str, Any] | None, seed: int) -> AugmentParams | None:
    """The parameters of a preset or a recipe.

    Raises:
        UsageError: it is none.
    """
    if augment is None:
        return None
    what = {"preset": augment} if isinstance(augment, str) else {"spec": dict(augment)}
    return make_params(AugmentParams, {**what, "seed": seed, "swap_labels": True})


def augmented(params: AugmentParams, row: Slice, pair: Pair, epoch: int) -> Pair:
    """A slice and its mask, (rows, cols), as copy `epoch` + 1 of the stage augment has them."""
    if row.copy:  # it is drawn by its own id
        row = msgspec.structs.replace(row, copy=0)
    image, mask = pair
    return pair_of(row, epoch + 1, _fit(image), mask, params.recipe(), params)[2]


def augmented_alike(
    params: AugmentParams,
    rows: Sequence[Slice],
    planes: Sequence[Plane],
    mask: Plane | None,
    epoch: int,
) -> tuple[list[Plane], Plane | None]:
    """The channels of a slice, moved alike, and its mask.

    Args:
        params: what may be drawn, and the seed.
        rows: the slice that is shown, then that of each other sequence at its place.
        planes: the channels, (rows, cols) each, sequence by sequence: as many of each.
        mask: that of the first of the rows.
        epoch: from 0.

    The geometry is drawn by the id of the first row, and guarded by its mask. The grey values of
    each sequence change as those of its own row would, alike in all of its channels and on the
    range of all of them, so that what is equally bright stays so; noise is another in each.
    """
    recipe, copy = params.recipe(), epoch + 1
    draws = partial(draw, recipe, seed=params.seed, slice_id=rows[0].id, copy=copy)
    found = guarded(draws, mask, params.keep_label, params.mask_sampling)
    transform = found.transform or Transform(found.parameters, planes[0].shape)
    each = len(planes) // len(rows)
    made: list[Plane] = []
    for number, row in enumerate(rows):
        own = [_fit(plane) for plane in planes[number * each : (number + 1) * each]]
        drawn = draw(recipe, seed=params.seed, slice_id=row.id, copy=copy) if number else None
        changes = _changes(found.parameters if drawn is None else drawn)
        ends = np.array([value_range(plane) for plane in own])
        span = float(ends[:, 0].min()), float(ends[:, 1].max())
        for place, plane in enumerate(own):
            steps = [_noise_of(one, place - each // 2) for one in changes]
            made.append(image_through(transform, plane, steps, span))
    if mask is None:
        return made, None
    swap = exchanged(rows[0], params)
    return made, mask_through(transform, mask, found.mask, swap, params.mask_sampling)


def _changes(parameters: Mapping[str, Any]) -> list[Intensity]:
    """The changes of grey values among what was drawn."""
    return [one for one in read_parameters(parameters).operations if isinstance(one, Intensity)]


def _noise_of(change: Intensity, step: int) -> Intensity:
    """The same, but that noise in a neighbour is not the same noise."""
    if not isinstance(change, DrawnNoise):
        return change
    seed = (change.noise_seed + step) % 2**32
    return msgspec.structs.replace(change, noise_seed=seed)


def _fit(image: Plane) -> Plane:
    return image if image.dtype.name in IMAGE_DTYPES else image.astype(np.float32)
