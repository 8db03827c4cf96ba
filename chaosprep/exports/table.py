"""The exports that there are, and where each is: nothing of them is imported to list them."""

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from chaosprep.errors import UsageError
from chaosprep.plugins import found, load, package

if TYPE_CHECKING:
    from chaosprep.exports.record import Export

GROUP = "chaosprep.exports"
"""The entry points with which other packages add theirs: a name, and where its `Export` is."""

EXPORTS = {
    "nnunet": (
        "nnU-Net v2's raw layout: volumes, dataset.json and splits_final.json.",
        "chaosprep.exports.nnunet:export",
    ),
    "nifti": ("NIfTI volumes with BIDS-like names.", "chaosprep.exports.nifti:export"),
    "monai": (
        "NIfTI volumes and a Decathlon datalist with folds.",
        "chaosprep.exports.monai:export",
    ),
    "huggingface": (
        "An imagefolder for datasets: PNG pairs, metadata.jsonl and a dataset card.",
        "chaosprep.exports.huggingface:export",
    ),
    "parquet": (
        "The table as Parquet, for pandas, polars and duckdb.",
        "chaosprep.exports.parquet:export",
    ),
    "croissant": (
        "The dataset with its Croissant description, for dataset search.",
        "chaosprep.exports.croissant:export",
    ),
}
"""Format -> what it is, in a line, and where its record is."""


def lines() -> dict[str, str]:
    """What each export is, in a line; after our own those of other packages."""
    others = {name: f"From the package {package(p)}." for name, p in sorted(found(GROUP).items())}
    own = {name: line for name, (line, _) in EXPORTS.items()}
    return own | {name: others[name] for name in others if name not in own}


def find_export(format: str) -> "Export[Any]":
    """The export of this name; one of another package cannot take the place of ours.

    Raises:
        UsageError: `format-unknown`.
        ChaosprepError: `plugin`, another package's cannot be imported.
    """
    from chaosprep.exports.record import Export

    if format in EXPORTS:
        ours: Export[Any] = resolve_name(EXPORTS[format][1])
        return ours
    others = found(GROUP)
    if format not in others:
        raise UsageError(
            f"format: there is no {format}",
            f"There are: {', '.join(lines())}.",
            code="format-unknown",
        )
    theirs: Export[Any] = load(others[format], Export)
    return theirs
