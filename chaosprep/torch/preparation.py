"""How the data of a network were prepared: what it predicts on must have been alike."""

from typing import Any

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.stacking import organ_values
from chaosprep.errors import ChaosprepError

SHAPING = {
    "convert": ("window", "window_scope", "keep_16bit", "format", "spacing", "size", "fit"),
}
"""Stage -> its parameters that change what a network sees."""


def preparation(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The parameters in `SHAPING` of the stages that a dataset went through."""
    return {
        past.stage: {name: past.parameters.get(name) for name in SHAPING[past.stage]}
        for past in dataset.history
        if past.stage in SHAPING
    }


def check_alike(
    dataset: Dataset, prepared: dict[str, dict[str, Any]], values: dict[str, int]
) -> None:
    """Check that a dataset was prepared as the training data were.

    Args:
        dataset: what is to be predicted on; other patients and other sides are as good.
        prepared: `preparation` of the training data.
        values: organ -> mask value in the training data. A dataset without masks has none, and
            passes; so does one that shows some of them by the same values, as CT the liver.

    Raises:
        ChaosprepError: `prepared-differently`, naming each parameter that differs.
    """
    found = preparation(dataset)
    differences = [f"no {stage}" for stage in prepared if stage not in found]
    differences += [
        f"{stage} {name} {found[stage].get(name)!r}, in training {value!r}"
        for stage, parameters in prepared.items()
        for name, value in parameters.items()
        if stage in found and found[stage].get(name) != value
    ]
    shown = organ_values(row.labels for row in dataset.slices)
    if list(shown) != list(values) and not shown.items() <= values.items():
        differences.append(f"organs {', '.join(shown)}, in training {', '.join(values)}")
    if differences:
        raise ChaosprepError(
            f"{dataset.directory}: it was prepared otherwise than the training data "
            f"({'; '.join(differences)})",
            "Prepare it with the same parameters.",
            code="prepared-differently",
        )
