"""`chaosprep predict`: a stage on prepared data, a folder of masks from raw data."""

from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from chaosprep.cli.config import blamed, settled
from chaosprep.cli.options import ANY, run_options
from chaosprep.cli.output import LEFT_OUT, Talk
from chaosprep.cli.parameters import parameter_options
from chaosprep.cli.stage import show_dry_run
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import is_stage_directory
from chaosprep.errors import UsageError, plural
from chaosprep.params import make_params
from chaosprep.running.options import RunOptions
from chaosprep.running.runner import run
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, PredictParams
from chaosprep.torch.raw_params import NOT_ASKED, RawParams
from chaosprep.torch.stage import PREDICT

_OWN = {*PredictParams.__struct_fields__}
_NOT_TAKEN = tuple(name for name in PREDICT.not_taken if name != "jobs")
"""Raw data are read and converted by workers; the network works in this process."""


@click.command("predict", help=PREDICT.help)
@click.argument("checkpoint", metavar="RUN", type=ANY)
@click.argument("source", metavar="DIR|ROOT", type=ANY)
@parameter_options(PredictParams, RawParams, without=("checkpoint", *NOT_ASKED))
@partial(run_options, without=_NOT_TAKEN)
def command(
    checkpoint: Path,
    source: Path,
    output: Path,
    dry_run: bool,
    talk: Talk,
    options: RunOptions,
    **fields: Any,
) -> None:
    """Predict on prepared data, or on raw data with the run's own preparation."""
    asked = settled(fields)
    own = {name: value for name, value in asked.items() if name in _OWN}
    more = {name: value for name, value in asked.items() if name not in _OWN}
    with blamed(fields):
        params = make_params(PredictParams, {**own, "checkpoint": str(checkpoint)})
    prepared = is_stage_directory(source) or (source / WORKSPACE).exists()
    _check_fits(prepared, params, more, dry_run)
    if not prepared:
        check_extra(*TRAINING)
        from chaosprep.torch.raw import predict_raw

        with blamed(fields):
            raw = make_params(RawParams, more)
        made = predict_raw(params, raw, source, output, options)
        talk.stop_bar()
        talk.remarks(made.skipped, made.notes)
        counts = f"{plural(made.cases, 'case')}, {plural(made.slices, 'slice')}"
        talk.result(made, f"predict: {counts}, {len(made.skipped)} skipped -> {made.path}")
        click.get_current_context().exit(LEFT_OUT if made.skipped else 0)
    if dry_run:
        code = show_dry_run(
            PREDICT, params, source, output, msgspec.structs.replace(options, jobs=1), talk
        )
        click.get_current_context().exit(code)
    run(PREDICT, params, source, output, msgspec.structs.replace(options, jobs=1))
    click.get_current_context().exit(talk.finish())


def _check_fits(prepared: bool, params: PredictParams, more: dict[str, Any], dry_run: bool) -> None:
    """Refuse what was asked of the other kind of source.

    Raises:
        UsageError: `parameter`.
    """
    workers = click.get_current_context().get_parameter_source("jobs")
    names = [*more, *(["jobs"] if workers is click.core.ParameterSource.COMMANDLINE else [])]
    if prepared and names:
        raise UsageError(
            f"--{names[0].replace('_', '-')}: it has no meaning where the source is a stage "
            "directory",
            "Leave it out.",
            code="parameter",
        )
    if not prepared and params.split is not None:
        raise UsageError(
            "--split: it has no meaning where the source is raw data, which has no sides yet",
            "Leave it out.",
            code="parameter",
        )
    if not prepared and dry_run:
        raise UsageError(
            "--dry-run: what becomes of raw data is known only once they are converted",
            "Look at what is there: chaosprep inspect ROOT.",
            code="parameter",
        )
