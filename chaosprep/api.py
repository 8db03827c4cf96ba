"""The Python functions, one per verb. Their types are in api.pyi, made by `tests.stubs`."""

from chaosprep.running.runner import run
from chaosprep.stage_table import STAGES
from chaosprep.verbs import predict_raw, prepare, preview_augment, stage_function, train

_STAGES = {name.replace("-", "_"): stage_function(name) for name in STAGES}
__all__ = ["predict_raw", "prepare", "preview_augment", "run", "train", *_STAGES]  # noqa: PLE0604 - names of stages
globals().update(_STAGES)
