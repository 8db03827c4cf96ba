"""`chaosprep.export`; the stub beside it has the parameters of every format."""

from pathlib import Path
from typing import Any

from chaosprep.dataset.manifest import Dataset
from chaosprep.exports.table import find_export
from chaosprep.running.folder import Exported
from chaosprep.running.options import OnError, RunOptions


def export(
    format: str,
    source: str | Path | Dataset,
    output: str | Path,
    *,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    **params: Any,
) -> Exported:
    """Write a dataset in the layout of another tool.

    Args:
        format: `nnunet`, `nifti`, `monai`, `huggingface`, `webdataset`, `parquet`,
            `croissant`, or an export of another package.
        source: a stage directory, or what `chaosprep.open` gives.
        output: the folder to make.
        jobs: worker processes.
        on_error: `stop` writes nothing where there are problems, `skip` leaves those cases out.
        overwrite: replace an earlier export.
        params: the format's own; the names are those of its options, with `sequences` and
            `channel_names` in the plural.

    Raises:
        UsageError: there is no such format or parameter, or it does not fit the dataset.
        ProblemsError: cases cannot be exported, and are not to be skipped.
        ChaosprepError: the source cannot be opened, or the output cannot be made.
    """
    return find_export(format)(
        source,
        output,
        options=RunOptions(jobs=jobs, on_error=on_error, overwrite=overwrite),
        **params,
    )
