"""The stages by name: all that a new one needs besides its own file.

Nothing is imported before it is used.
"""

from importlib import import_module
from typing import Any, Final, NamedTuple


class Entry(NamedTuple):
    """What a stage does, in a line, and where its record is: `module:attribute`."""

    purpose: str
    record: str


STAGES: Final[dict[str, Entry]] = {
    "split": Entry(
        "Divide the patients into train, val and test (or folds); copy their pairs.",
        "chaosprep.stages.split:SPLIT",
    ),
    "extract-liver": Entry(
        "Turn grey-level masks into a binary liver mask or a label map.",
        "chaosprep.stages.extract_liver:EXTRACT_LIVER",
    ),
    "extract-labels": Entry(
        "Take structures of any masks by name: choose, rename, merge, put one on top.",
        "chaosprep.stages.extract_labels:EXTRACT_LABELS",
    ),
    "convert": Entry(
        "Turn DICOM into windowed 8-bit PNG, or PNG or npy as stored or normalized.",
        "chaosprep.stages.convert:CONVERT",
    ),
    "augment": Entry(
        "Add transformed copies of the training slices, image and mask alike.",
        "chaosprep.stages.augment:AUGMENT",
    ),
    "predict": Entry(
        "Predict masks with a trained network, as a stage directory.",
        "chaosprep.torch.stage:PREDICT",
    ),
}
"""The stages by name, in the order of the work."""


def load_stage(name: str) -> Any:  # noqa: ANN401 - a Stage, of a room far above
    """The record of a stage (`running.stage.Stage`), imported when it is asked for."""
    module, _, attribute = STAGES[name].record.partition(":")
    return getattr(import_module(module), attribute)
