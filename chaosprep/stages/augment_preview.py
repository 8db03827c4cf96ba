"""The preview of augment: what a preset and a seed make of some slices, without a dataset."""

from chaosprep.augmentation.preview import captioned, display_ends, encode_sheet, outlined, sheet
from chaosprep.augmentation.words import words
from chaosprep.choices.leaving import chosen
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.tiles import faced
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
        window, labels, turn = display_ends(image), sorted(row.labels), faced(case)
        picture = turn(outlined(image, mask, window, labels))
        pictures = [captioned(picture, [row.id, "original"])]
        for copy in range(1, COPIES + 1):
            made = copy_of(row, copy, image, mask, recipe, params)
            drawn = ", ".join(words(made.row.augmentation or {})) or "nothing was drawn"
            told = [f"{row.id}, copy {copy}", drawn, *(made.row.warnings[len(row.warnings) :])]
            pictures.append(captioned(turn(outlined(made.image, made.mask, window, labels)), told))
        rows.append(pictures)
    return encode_sheet(sheet(rows))
