"""Cut, convert and augment DICOM segmentation data into trustworthy training sets.

The verbs are functions here: `split`, `extract_liver`, `convert`, `augment`, `prepare`, `merge`,
`inspect`, `verify`, `diff`, `report`, `card`, `methods`, `preview`, `export`, `assemble`,
`evaluate`, `compare_predictions`, `agree`, `train`, `predict`, `predict_raw`; `preview_augment`
shows what augment would do; `deidentify` takes what identifies out of one DICOM file; `open` gives
the slices, cases and arrays of what they made.
"""

from chaosprep.version import __version__ as __version__

# Importing chaosprep costs nothing, not even what Python brings along: the command heeds Ctrl-C
# from here on. Each name brings its room when it is first used. Type checkers read __init__.pyi,
# which `tests.stubs` makes of this table.
_ROOMS = {
    "predict_raw": "api",
    "prepare": "api",
    "preview_augment": "api",
    "run": "api",
    "train": "api",
    "Case": "dataset.case",
    "Dataset": "dataset.manifest",
    "merge": "running.merge",
    "Slice": "dataset.records",
    "Event": "running.options",
    "ChaosprepError": "errors",
    "Problem": "errors",
    "export": "exports.export",
    "agree": "evaluation.readers.agree",
    "assemble": "assembly.assemble",
    "deidentify": "privacy.deidentify.single",
    "diff": "quality.diff.diff",
    "compare_predictions": "evaluation.paired.comparison",
    "evaluate": "evaluation.evaluate",
    "inspect": "quality.inspect",
    "card": "paper.card",
    "methods": "paper.text",
    "preview": "quality.montage",
    "report": "quality.report",
    "verify": "quality.verify",
}


def _rooms() -> dict[str, str]:
    """Every public name, and where it is."""
    from chaosprep.stage_table import STAGES

    return {**{name.replace("-", "_"): "api" for name in STAGES}, **_ROOMS}


def __getattr__(name: str) -> object:
    if name == "__all__":  # without `open`: `import *` would hide Python's
        return ["__version__", *_rooms()]
    attribute = name
    if name == "open":
        room, attribute = "dataset.opening", "open_dataset"
    elif (room := _rooms().get(name, "")) == "":
        raise AttributeError(f"module 'chaosprep' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"chaosprep.{room}"), attribute)
    if isinstance(found, type) or not callable(found):
        return found
    found = import_module("chaosprep.notebook").with_progress(found, name)
    anywhere: object = import_module("chaosprep.remote.anywhere").anywhere(found, name)
    return anywhere


def __dir__() -> list[str]:
    return sorted(["__version__", *_rooms(), "open"])
