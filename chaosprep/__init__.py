"""Cut, convert and augment DICOM segmentation data into trustworthy training sets.

The verbs are functions here: `split`, `extract_liver`, `convert`, `augment`, `prepare`, `merge`,
`inspect`, `verify`, `report`, `preview`, `export`, `assemble`, `evaluate`, `train`, `predict`;
`open` gives the slices, cases and arrays of what they made.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaosprep.version import __version__

if TYPE_CHECKING:
    from chaosprep.api import augment as augment
    from chaosprep.api import convert as convert
    from chaosprep.api import extract_liver as extract_liver
    from chaosprep.api import predict as predict
    from chaosprep.api import prepare as prepare
    from chaosprep.api import split as split
    from chaosprep.api import train as train
    from chaosprep.assembly.assemble import assemble as assemble
    from chaosprep.dataset.case import Case as Case
    from chaosprep.dataset.manifest import Dataset as Dataset
    from chaosprep.dataset.opening import open_dataset
    from chaosprep.dataset.records import Slice as Slice
    from chaosprep.errors import ChaosprepError as ChaosprepError
    from chaosprep.errors import Problem as Problem
    from chaosprep.evaluation.evaluate import evaluate as evaluate
    from chaosprep.exports.export import export as export
    from chaosprep.quality.inspect import inspect as inspect
    from chaosprep.quality.montage import preview as preview
    from chaosprep.quality.report import report as report
    from chaosprep.quality.verify import verify as verify
    from chaosprep.running.merge import merge as merge
    from chaosprep.running.runner import Event as Event
    from chaosprep.running.runner import run as run

    open = open_dataset

# Importing chaosprep costs nothing; each name brings its room when it is first used.
_ROOMS = {
    "augment": "api",
    "convert": "api",
    "extract_liver": "api",
    "predict": "api",
    "prepare": "api",
    "split": "api",
    "train": "api",
    "Case": "dataset.case",
    "Dataset": "dataset.manifest",
    "merge": "running.merge",
    "Slice": "dataset.records",
    "Event": "running.runner",
    "run": "running.runner",
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
