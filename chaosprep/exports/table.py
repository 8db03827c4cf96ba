"""The exports that there are: nothing of them is imported to list them."""

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from chaosprep.errors import UsageError
from chaosprep.plugins import found, load, package
from chaosprep.words import there_are

if TYPE_CHECKING:
    from chaosprep.exports.record import Export

GROUP = "chaosprep.exports"
"""The entry points with which other packages add theirs: a name, and where its `Export` is."""

EXPORTS = {
    "nnunet": "nnU-Net v2's raw layout: volumes, dataset.json and splits_final.json.",
    "nifti": "NIfTI volumes with BIDS-like names.",
    "monai": "NIfTI volumes and a Decathlon datalist with folds.",
    "huggingface": "An imagefolder for datasets: PNG pairs, metadata.jsonl and a dataset card.",
    "webdataset": "Tar shards that trainers stream, by side and patient, with an index.",
    "parquet": "The table as Parquet, for pandas, polars and duckdb.",
    "croissant": "The dataset with its Croissant description, for dataset search.",
}
"""Format -> what it is, in a line; its record is `export` in the module of that name."""


def lines() -> dict[str, str]:
    """What each export is, in a line; after our own those of other packages."""
    others = {name: f"From the package {package(p)}." for name, p in sorted(found(GROUP).items())}
    return EXPORTS | {name: others[name] for name in others if name not in EXPORTS}


def find_export(format: str) -> "Export[Any]":
    """The export of this name; one of another package cannot take the place of ours.

    Raises:
        UsageError: `format-unknown`.
        ChaosprepError: `plugin`, another package's cannot be imported.
    """
    from chaosprep.exports.record import Export

    if format in EXPORTS:
        ours: Export[Any] = resolve_name(f"chaosprep.exports.{format}:export")
        return ours
    others = found(GROUP)
    if format not in others:
        raise UsageError(
            f"format: there is no {format}",
            there_are(lines(), [format]),
            code="format-unknown",
        )
    theirs: Export[Any] = load(others[format], Export)
    return theirs
