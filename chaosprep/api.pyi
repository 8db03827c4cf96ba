"""The Python functions, one per verb, with their types. Made by `python -m tests.stubs`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from chaosprep.dataset.manifest import Dataset
from chaosprep.params import P
from chaosprep.running.options import Event, RunOptions
from chaosprep.running.stage import C, Source, Stage
from chaosprep.torch.run_folder import Trained
from chaosprep.torch.training import OnEpoch

def augment(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    copies: int = ...,
    samples: int | None = ...,
    preset: Literal["mri", "tutorial", "light", "medium", "heavy", "unet"] = ...,
    spec: dict[str, Any] | str | Path | None = ...,
    engine: Literal["opencv", "augmentor"] = ...,
    exact_probability: bool = ...,
    mask_sampling: Literal["nearest", "label"] = ...,
    keep_label: float = ...,
    swap_labels: bool = ...,
    seed: int = ...,
    jobs: int = ...,
    dask: str | None = ...,
    shard: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Add transformed copies of the training slices, image and mask alike."""

def convert(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    window: str = ...,
    window_scope: Literal["case", "slice"] = ...,
    keep_16bit: bool = ...,
    format: Literal["png", "npy"] = ...,
    max_pixels: int = ...,
    spacing: float | None = ...,
    size: str | None = ...,
    fit: Literal["both", "pad", "crop"] = ...,
    mask_sampling: Literal["nearest", "label"] = ...,
    jobs: int = ...,
    dask: str | None = ...,
    shard: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Turn DICOM into windowed 8-bit PNG, or 16-bit PNG or npy as stored."""

def extract_liver(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    range: tuple[int, int] | None = ...,
    organ: Literal["liver", "right-kidney", "left-kidney", "spleen"] = ...,
    all_organs: bool = ...,
    mask_value: Literal[1, 255] = ...,
    drop_empty: bool = ...,
    levels: Literal["chaos", "chaos-2019-02"] = ...,
    lenient_masks: bool = ...,
    jobs: int = ...,
    dask: str | None = ...,
    shard: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Turn grey-level masks into a binary liver mask or a label map."""

def predict(
    checkpoint: str | Path,
    source: str | Path | Dataset,
    output: str | Path,
    *,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    split: Literal["train", "val", "test"] | None = ...,
    device: Literal["auto", "cpu", "cuda"] = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Predict masks with a trained network, as a stage directory."""

def prepare(
    root: str | Path,
    output: str | Path,
    *,
    config: str | Path | None = ...,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    layout: str = ...,
    images: str | None = ...,
    masks: str | None = ...,
    patient_from: Literal["folder", "PatientID", "PatientName"] = ...,
    trust_folders: bool = ...,
    pseudonymize: str | None = ...,
    val: float = ...,
    test: float = ...,
    folds: int | None = ...,
    fold: int | None = ...,
    val_patient: Sequence[str] = ...,
    test_patient: Sequence[str] = ...,
    sequence: Sequence[str] = ...,
    seed: int = ...,
    max_pixels: int = ...,
    link: Literal["copy", "hard", "sym"] = ...,
    range: tuple[int, int] | None = ...,
    organ: Literal["liver", "right-kidney", "left-kidney", "spleen"] = ...,
    all_organs: bool = ...,
    mask_value: Literal[1, 255] = ...,
    drop_empty: bool = ...,
    levels: Literal["chaos", "chaos-2019-02"] = ...,
    lenient_masks: bool = ...,
    window: str = ...,
    window_scope: Literal["case", "slice"] = ...,
    keep_16bit: bool = ...,
    format: Literal["png", "npy"] = ...,
    spacing: float | None = ...,
    size: str | None = ...,
    fit: Literal["both", "pad", "crop"] = ...,
    mask_sampling: Literal["nearest", "label"] = ...,
    copies: int = ...,
    samples: int | None = ...,
    preset: Literal["mri", "tutorial", "light", "medium", "heavy", "unet"] = ...,
    spec: dict[str, Any] | str | Path | None = ...,
    engine: Literal["opencv", "augmentor"] = ...,
    exact_probability: bool = ...,
    keep_label: float = ...,
    swap_labels: bool = ...,
    jobs: int = ...,
    dask: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Run the stages one after the other, each into a folder of its own in `output`."""

def run(
    stage: Stage[C, P],
    params: P,
    source: Source[C] | str | Path,
    output: str | Path,
    options: RunOptions = ...,
    *,
    jobs: int = ...,
    dask: str | None = ...,
    shard: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Run a stage over every case of a source into a stage directory."""

def split(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    patient: Sequence[str] = ...,
    compression: Literal["fast", "small", "none"] = ...,
    layout: str = ...,
    images: str | None = ...,
    masks: str | None = ...,
    patient_from: Literal["folder", "PatientID", "PatientName"] = ...,
    trust_folders: bool = ...,
    pseudonymize: str | None = ...,
    val: float = ...,
    test: float = ...,
    folds: int | None = ...,
    fold: int | None = ...,
    val_patient: Sequence[str] = ...,
    test_patient: Sequence[str] = ...,
    sequence: Sequence[str] = ...,
    seed: int = ...,
    max_pixels: int = ...,
    link: Literal["copy", "hard", "sym"] = ...,
    jobs: int = ...,
    dask: str | None = ...,
    shard: str | None = ...,
    on_error: Literal["stop", "skip"] = ...,
    overwrite: bool = ...,
    on_event: Callable[[Event], None] | None = ...,
) -> Dataset:
    """Divide the patients into train, val and test (or folds); copy their pairs."""

def train(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    overwrite: bool = ...,
    on_epoch: OnEpoch | None = ...,
    patient: Sequence[str] = ...,
    network: Literal["unet", "unet++"] = ...,
    optimizer: Literal["adam", "radam"] = ...,
    lr: float = ...,
    epochs: int = ...,
    batch: int = ...,
    patch: str | None = ...,
    augment: Literal["none", "mri", "tutorial", "light", "medium", "heavy", "unet"] = ...,
    fold: int | None = ...,
    patience: int = ...,
    device: Literal["auto", "cpu", "cuda"] = ...,
    seed: int = ...,
    workers: int = ...,
) -> Trained:
    """Train a baseline network on train; keep its weights with the best Dice of val's patients."""
