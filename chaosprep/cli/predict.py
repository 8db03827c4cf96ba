"""`chaosprep predict`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import RunOptions, run_options, source_argument
from chaosprep.cli.parameters import parameter_options
from chaosprep.cli.stage import show_dry_run
from chaosprep.params import make_params
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, PredictParams


@click.command("predict")
@click.argument("checkpoint", metavar="RUN", type=click.Path(exists=True))
@source_argument("DIR")
@parameter_options(PredictParams, without=["checkpoint"])
@partial(run_options, workers=False)
def command(checkpoint: str, source: Path, options: RunOptions, **fields: Any) -> None:
    """RUN is what train made, or a checkpoint; DIR was prepared as the training data.

    The images are carried over, augmented copies are left out, and the masks are the network's,
    with the values that DIR's masks have.
    """
    with options.talk() as talk:
        check_extra(*TRAINING)
        from chaosprep.running.runner import run
        from chaosprep.torch.predict import PREDICT

        params = make_params(PredictParams, {**fields, "checkpoint": checkpoint})
        if options.dry_run:
            show_dry_run(PREDICT, params, source, options.output, options)
            return
        run(PREDICT, params, source, options.output, **options.for_run(talk.on_event))
        code = talk.finish()
    click.get_current_context().exit(code)
