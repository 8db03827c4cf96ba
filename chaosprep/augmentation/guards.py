"""Keep the labels: a draw that would erase one is drawn anew, or the slice is left as it was."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.draw import draw
from chaosprep.augmentation.operation import check_number
from chaosprep.augmentation.recipe import CHANGES, AnyRecipe
from chaosprep.augmentation.sampling import MaskSampling, sample_mask
from chaosprep.augmentation.transform import Transform
from chaosprep.imaging.levels import level_histogram

KEEP_LABEL = 0.25  # part of a label's area that has to stay in the picture
ATTEMPTS = 20  # draws before a slice is left as it was


def draw_guarded(
    recipe: AnyRecipe,
    mask: NDArray[Any] | None,
    *,
    seed: int,
    slice_id: str,
    copy: int,
    keep_label: float = KEEP_LABEL,
    attempts: int = ATTEMPTS,
    mask_sampling: MaskSampling = "nearest",
) -> dict[str, Any]:
    """Draw a transform that keeps every label of the mask (rows, cols), or None for no mask.

    Returns parameters as `draw` does. ``guard`` is None where the first draw would do, ``redrawn``
    where a later ``attempt`` did, and ``left`` where none of ``attempts`` did: these parameters
    have no spatial operation, and the grey-value operations of the last draw. ``keep_label`` is the
    part of each label's area that has to stay, 0 to 1 (0: no guard). Raises `UsageError`
    (``augmentation-recipe``) for a ``keep_label`` out of its range, and as `draw` and `sample_mask`
    do.
    """
    draws = partial(draw, recipe, seed=seed, slice_id=slice_id, copy=copy)
    return guarded(draws, mask, keep_label, mask_sampling, attempts).parameters


class Guarded(NamedTuple):
    """What was drawn; its transform and the mask after it, where the guard made them to look."""

    parameters: dict[str, Any]
    transform: Transform | None = None
    mask: NDArray[Any] | None = None


def guarded(
    draws: Callable[..., dict[str, Any]],
    mask: NDArray[Any] | None,
    keep_label: float,
    mask_sampling: MaskSampling,
    attempts: int = ATTEMPTS,
) -> Guarded:
    """Do as `draw_guarded` with ``draws``, which is `draw` for one copy and takes ``attempt``."""
    check_number("keep_label", keep_label, (0.0, 1.0))
    parameters = draws()
    if mask is None or not keep_label or not mask.any():
        return Guarded(parameters)
    were = {label: area for label, area in level_histogram(shown(mask)).items() if label}
    guard = None
    for _ in range(attempts):
        transform = Transform(parameters, mask.shape)
        after = sample_mask(mask, transform.maps, mask_sampling)
        if not erased_labels(were, after, keep_label, transform.pixel_area()):
            return Guarded({**parameters, "guard": guard}, transform, after)
        guard = "redrawn"
        parameters = draws(attempt=parameters["attempt"] + 1)
    # The spatial operations go; Augmentor's are all of them.
    kept = [one for one in parameters["operations"] if one["operation"] in CHANGES]
    return Guarded({**parameters, "guard": "left", "operations": kept})


def shown(mask: NDArray[Any]) -> NDArray[Any]:
    """The part of a mask (rows, cols) outside which all is 0, where that is found at once."""
    if mask.dtype != np.uint8:
        return mask
    import cv2

    left, top, width, height = cv2.boundingRect(mask)
    return mask[top : top + height, left : left + width]


def erased_labels(
    were: Mapping[int, int], after: NDArray[Any], keep_label: float, area: float
) -> list[int]:
    """Return the labels of which too little is left in a mask, in the order of ``were``.

    ``were`` are the pixels that each label had; ``after`` is of integers or bool, of any shape.
    ``area`` is that of a pixel of ``after`` in pixels of before: what only got smaller is not
    lost. A label is erased where less than ``keep_label`` of its area is left, or nothing.
    """
    are = {label: int(np.count_nonzero(after == label)) for label in were}
    return [
        label
        for label, pixels in were.items()
        if not are[label] or are[label] * area < keep_label * pixels
    ]
