"""`chaosprep.export`, an overload for each format: written by `python -m tests.exports.stub`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

from chaosprep.dataset.manifest import Dataset
from chaosprep.running.folder import Exported
from chaosprep.running.options import OnError

@overload
def export(
    format: Literal["nnunet"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    id: int = 101,
    name: str = "Chaosprep",
    sequences: Sequence[str] = (),
    channels: Literal["joint", "single"] = "joint",
    channel_names: Sequence[str] = (),
) -> Exported: ...
@overload
def export(
    format: Literal["nifti"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    sequences: Sequence[str] = (),
) -> Exported: ...
@overload
def export(
    format: Literal["monai"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    sequences: Sequence[str] = (),
    channels: Literal["joint", "single"] = "joint",
) -> Exported: ...
@overload
def export(
    format: Literal["huggingface"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
) -> Exported: ...
@overload
def export(
    format: Literal["webdataset"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    shard_mb: int = 512,
) -> Exported: ...
@overload
def export(
    format: Literal["parquet"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
) -> Exported: ...
@overload
def export(
    format: Literal["croissant"],
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
) -> Exported: ...
@overload
def export(
    format: str,
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
) -> Exported: ...
