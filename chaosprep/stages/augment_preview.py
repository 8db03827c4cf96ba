"""The preview of augment: what a preset and a seed make of some slices, without a dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.preview import (
    Ends,
    captioned,
    display_ends,
    drawn,
    encode_sheet,
    sheet,
)
from chaosprep.augmentation.words import words
from chaosprep.choices.leaving import chosen
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.outlines import organ_areas
from chaosprep.dataset.records import Slice
from chaosprep.dataset.tiles import Colour, faced, organ_colours
from chaosprep.errors import NothingFoundError
from chaosprep.params import check_params
from chaosprep.stages.augment import AugmentParams, check_mirroring, copy_of

ROWS = 4
COPIES = 5


def preview(dataset: Dataset, params: AugmentParams) -> bytes:
    """Draw a sheet of originals and their copies, with their masks' outlines and what was drawn.

    One row for the fullest slice of each of the first training cases: the original, then the
    copies that `augment` would make of it with these parameters.

    Returns:
        The sheet as PNG.

    Raises:
        NothingFoundError: there is no training slice.
    """
    params = check_params(params)
    colours = organ_colours(dataset.cases)
    dataset = chosen(dataset, params)
    wanted = params.patient or dataset.patients
    cases = [case for case in dataset.cases if case.split == "train" and case.patient in wanted]
    if not cases:
        raise NothingFoundError(
            "there is no training slice to preview", "Split with patients to train on.", "nothing"
        )
    check_mirroring(cases, params)
    recipe = params.recipe()
    rows = []
    for case in cases[:ROWS]:
        row = max(case.slices, key=lambda row: sum(row.pixels.values()))
        image, mask = case.filled(row), case.mask(row)
        window, turn = display_ends(image), faced(case)
        shown = _outlined(row, image, mask, window, colours)
        pictures = [captioned(turn(shown), [row.id, "original"])]
        for copy in range(1, COPIES + 1):
            made = copy_of(row, copy, image, mask, recipe, params)
            recorded = ", ".join(words(made.row.augmentation or {})) or "nothing was drawn"
            told = [f"{row.id}, copy {copy}", recorded, *(made.row.warnings[len(row.warnings) :])]
            shown = _outlined(made.row, made.image, made.mask, window, colours)
            pictures.append(captioned(turn(shown), told))
        rows.append(pictures)
    return encode_sheet(sheet(rows))


def _outlined(
    row: Slice,
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    window: Ends,
    colours: Mapping[str, Colour],
) -> NDArray[np.uint8]:
    """A slice or its copy with its outlines, each organ in the colour that it has everywhere."""
    areas = () if mask is None else organ_areas(row, mask)
    return drawn(image, ((colours[organ], inside) for organ, inside in areas), window)
