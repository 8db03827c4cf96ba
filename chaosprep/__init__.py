"""Cut, convert and augment DICOM segmentation data into trustworthy training sets.

The verbs are functions here: `split`, `extract_liver`, `convert`, `augment`, `prepare`, `merge`,
`inspect`, `verify`, `report`, `preview`, `export`, `assemble`, `evaluate`, `train`, `predict`;
`open` gives the slices, cases and arrays of what they made.
"""

from importlib import import_module
from typing import Any

from chaosprep.stage_table import STAGES
from chaosprep.version import __version__

# Importing chaosprep costs nothing; each name brings its room when it is first used. Type checkers
# read __init__.pyi, which `tests.stubs` makes of this table.
_ROOMS = {
    **{name.replace("-", "_"): "api" for name in (*STAGES, "prepare", "run", "train")},
    "Case": "dataset.case",
    "Dataset": "dataset.manifest",
    "merge": "running.merge",
    "Slice": "dataset.records",
    "Event": "running.options",
    "ChaosprepError": "errors",
    "Problem": "errors",
    "export": "exports.export",
    "assemble": "assembly.assemble",
    "evaluate": "evaluation.evaluate",
    "inspect": "quality.inspect",
    "preview": "quality.montage",
    "report": "quality.report",
    "verify": "quality.verify",
}
__all__ = ["__version__", *_ROOMS]  # noqa: PLE0604 - not open: `import *` would hide Python's


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "open":
        return import_module("chaosprep.dataset.opening").open_dataset
    if name in _ROOMS:
        return getattr(import_module(f"chaosprep.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'chaosprep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "open"])
