"""How the data of a network were prepared: what it predicts on must have been alike."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from chaosprep.dataset.descriptor import PastStage
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError
from chaosprep.stage_table import STAGES, load_stage

_SHOWN = 60  # letters of a value
_FAR = 1.5  # times the spacing of the training data


def preparation(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The parameters that shape pixels, of the stages that a dataset went through."""
    stages = {
        past.stage: past.parameters | _learned(past)
        for past in dataset.history
        if past.stage in STAGES
    }
    shaping = {stage: _shaping(stage, parameters) for stage, parameters in stages.items()}
    return {stage: parameters for stage, parameters in shaping.items() if parameters}


def _learned(past: PastStage) -> dict[str, Any]:
    """What a stage learned, as the parameters that would have given it."""
    if past.learned is msgspec.UNSET:
        return {}
    return dict.fromkeys(past.learned, msgspec.json.encode(past.learned).decode())


def _shaping(stage: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those that shape pixels; one that an earlier release did not have has its default."""
    if stage not in STAGES:
        return parameters
    record = load_stage(stage)
    every = record.params.completed(parameters)
    return {name: every.get(name) for name in record.shaping}


def median_spacing(rows: Iterable[Slice]) -> tuple[float, float, float] | None:
    """The median of the sizes in mm of slices, rows and cols; None where no slice knows them."""
    known = [row.spacing for row in rows if row.spacing is not None]
    if not known:
        return None
    slices, rows_mm, cols_mm = np.median(np.array(known), axis=0).tolist()
    return slices, rows_mm, cols_mm


def strangeness(
    rows: Sequence[Slice],
    sequences: Sequence[str],
    spacing: tuple[float, float, float] | None,
) -> tuple[str, ...]:
    """Notes on slices of other sequences than the training data, or of far other voxels.

    `sequences` and `spacing` (`median_spacing`) are of the training data, as far as their card
    tells; what it does not tell is not compared.
    """
    here, there = {row.sequence for row in rows}, median_spacing(rows)
    notes = []
    if sequences and (strange := sorted(here - {*sequences})):
        notes.append(f"predicted on {', '.join(strange)}, trained on {', '.join(sequences)}")
    if spacing is not None and there is not None:
        pairs = zip(there, spacing, strict=True)
        ratios = [max(a / b, b / a) if a and b else 1.0 for a, b in pairs]
        if max(ratios) > _FAR:
            now, then = (" x ".join(f"{mm:.3g}" for mm in one) for one in (there, spacing))
            notes.append(
                f"its voxels are {now} mm (slices, rows, cols), those of the training data {then}"
            )
    return tuple(notes)


def _difference(stage: str, name: str, value: object, trained: object) -> str:
    if max(len(repr(value)), len(repr(trained))) > _SHOWN:
        return f"{stage} with different {name}"
    return f"{stage} {name} {value!r}, in training {trained!r}"


def check_alike(
    dataset: Dataset, prepared: dict[str, dict[str, Any]], values: dict[str, int]
) -> None:
    """Check that a dataset was prepared as the training data were; its patients may be others.

    `prepared` is `preparation` of the training data, `values` organ -> mask value there. A dataset
    without masks has none, and passes; so does one that shows some of them by the same values, as
    CT the liver.

    Raises:
        ChaosprepError: `prepared-differently`, naming each parameter that differs.
    """
    found = preparation(dataset)
    differences = [f"no {stage}" for stage in prepared if stage not in found]
    differences += [
        _difference(stage, name, found[stage].get(name), value)
        for stage, parameters in prepared.items()
        for name, value in _shaping(stage, parameters).items()
        if stage in found and found[stage].get(name) != value
    ]
    shown = organ_values(dataset.label_map, (row.labels for row in dataset.slices))
    if list(shown) != list(values) and not shown.items() <= values.items():
        differences.append(f"organs {', '.join(shown)}, in training {', '.join(values)}")
    if differences:
        raise ChaosprepError(
            f"{dataset.directory}: it was prepared differently from the training data "
            f"({'; '.join(differences)})",
            "Prepare it with the same parameters.",
            code="prepared-differently",
        )
