"""The public names, with their types. Made by `python -m tests.stubs`."""

from chaosprep.api import augment as augment
from chaosprep.api import convert as convert
from chaosprep.api import extract_labels as extract_labels
from chaosprep.api import extract_liver as extract_liver
from chaosprep.api import predict as predict
from chaosprep.api import predict_raw as predict_raw
from chaosprep.api import prepare as prepare
from chaosprep.api import preview_augment as preview_augment
from chaosprep.api import run as run
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
from chaosprep.evaluation.paired.comparison import compare_predictions as compare_predictions
from chaosprep.evaluation.readers.agree import agree as agree
from chaosprep.exports.export import export as export
from chaosprep.paper.card import card as card
from chaosprep.paper.text import methods as methods
from chaosprep.privacy.deidentify.single import deidentify as deidentify
from chaosprep.quality.diff.diff import diff as diff
from chaosprep.quality.inspect import inspect as inspect
from chaosprep.quality.montage import preview as preview
from chaosprep.quality.report import report as report
from chaosprep.quality.verify import verify as verify
from chaosprep.running.merge import merge as merge
from chaosprep.running.options import Event as Event

__version__: str
open = open_dataset
__all__ = [
    "Case",
    "ChaosprepError",
    "Dataset",
    "Event",
    "Problem",
    "Slice",
    "__version__",
    "agree",
    "assemble",
    "augment",
    "card",
    "compare_predictions",
    "convert",
    "deidentify",
    "diff",
    "evaluate",
    "export",
    "extract_labels",
    "extract_liver",
    "inspect",
    "merge",
    "methods",
    "predict",
    "predict_raw",
    "prepare",
    "preview",
    "preview_augment",
    "report",
    "run",
    "split",
    "train",
    "verify",
]
