"""predict as a stage; what it works with is imported when it works."""

from functools import partial
from importlib import import_module
from typing import Any

from chaosprep.running.stage import Stage
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, PredictParams


def _late(name: str, *arguments: Any) -> Any:  # noqa: ANN401 - what the function gives
    """Call a function of `chaosprep.torch.predict`, imported only now."""
    check_extra(*TRAINING)
    return getattr(import_module("chaosprep.torch.predict"), name)(*arguments)


PREDICT = Stage(
    name="predict",
    version=1,
    params=PredictParams,
    run_case=partial(_late, "run_case"),
    open=partial(_late, "open_alike"),
    choose=partial(_late, "chosen"),
    plan=partial(_late, "plan"),
    rows=partial(_late, "rows"),
    labels=partial(_late, "labels"),
    needs=("convert",),
    positional={"checkpoint": "RUN"},
    in_this_process=True,
    help="RUN is what train made, or a checkpoint; DIR was prepared as the training data. ROOT is "
    "raw (DICOM, NIfTI, any layout of split): it is prepared as the training data were, by -j "
    "workers, and the masks come out on its own pixels.\n\n"
    "In DIR, the images are carried over, augmented copies are left out, and the masks are the "
    "network's, with the values that DIR's masks have.",
)
