"""The verbs as Python functions, made of the table of stages; they say what the commands say."""

import logging
from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaosprep.causes import by_cause
from chaosprep.configuration import RUN, Tables, read_config
from chaosprep.configuration import named as named_in
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.html import Picture
from chaosprep.params import Params, make_params
from chaosprep.running.options import RunOptions
from chaosprep.running.runner import run
from chaosprep.signatures import listed, shows
from chaosprep.stage_table import STAGES, load_stage
from chaosprep.stages.augment import AugmentParams
from chaosprep.stages.prepare import CHAIN, WITHOUT, prepare_params, run_all, steps
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, PredictParams, TrainParams
from chaosprep.torch.raw_params import NOT_ASKED, RawParams
from chaosprep.words import in_python

if TYPE_CHECKING:
    import chaosprep.running.folder
    import chaosprep.torch.run_folder
    import chaosprep.torch.training

_log = logging.getLogger(__name__)


def stage_function(name: str) -> Callable[..., Dataset]:
    """A stage's verb as a function: from a source directory to a new stage directory."""
    stage = load_stage(name)

    def verb(source: str | Path | Dataset, output: str | Path, **given: Any) -> Dataset:
        options = _options(given)
        source = source.directory if isinstance(source, Dataset) else source
        params = make_params(stage.params, given)
        made = run(stage, params, source, output, options)
        _refuse_leaks(made.directory, source, params, options, Path(output))
        return made

    own = Signature.from_callable(verb)
    first = [
        Parameter(place, Parameter.POSITIONAL_OR_KEYWORD, annotation=str | Path)
        for place in stage.positional
    ]
    verb.__signature__ = own.replace(parameters=[*first, *own.parameters.values()])  # type: ignore[attr-defined]
    verb.__name__ = verb.__qualname__ = name.replace("-", "_")
    about = STAGES[name].purpose
    return shows(stage.params, RunOptions, without=stage.not_taken, about=about)(verb)


def _refuse_leaks(
    directory: Path, source: str | Path, params: Params, options: RunOptions, beside: Path
) -> None:
    """Raise what `--check` finds in what split made, where it was asked for; log what may be."""
    if getattr(params, "check", False):
        from chaosprep.quality.evidence import check_split

        found = check_split(directory, source, params, options, beside)
        if found is None:
            return
        for cause in by_cause(found.warnings):
            more = f" (and {cause.more} more)" if cause.more else ""
            _log.warning("Warning: %s%s", in_python("; ".join(cause.lines)), more)
        if error := found.error(directory):
            raise error


def _options(named: dict[str, Any], shared: dict[str, Any] | None = None) -> RunOptions:
    """Take the run options out of named values; those of a configuration stand behind them."""
    taken = [name for name in RunOptions.__struct_fields__ if name in named]
    own = {name: named.pop(name) for name in taken}
    return make_params(RunOptions, (shared or {}) | own)


def _shared(tables: Tables) -> dict[str, Any]:
    """What a configuration has of the run options that prepare takes."""
    names = {*RunOptions.__struct_fields__} - {*WITHOUT, "on_event"}
    return {name: value for name, value in tables.get(RUN, {}).items() if name in names}


@shows(
    *(stage.params for stage in CHAIN),
    RunOptions,
    without=WITHOUT,
    about="Run the stages one after the other, each into a folder of its own in `output`.\n\n"
    f"They are {listed(steps(lambda stage: f'{stage.name} (in {stage.folder})'))}.",
)
def prepare(
    root: str | Path, output: str | Path, *, config: str | Path | None = None, **named: Any
) -> Dataset:
    """`config` is a TOML file with a table for each stage; parameters given here go before it."""
    tables = read_config(Path(config)) if config else {}
    with named_in(f"{config}: [{RUN}]", named):
        options = _options(named, _shared(tables))
    params = prepare_params(named, tables, config or "")
    first = CHAIN[0]
    split = Path(output, str(first.folder))

    def then(last: Dataset) -> None:
        _refuse_leaks(split, root, params[first.name], options, Path(output))

    return run_all(root, output, params, options, then)


@shows(AugmentParams)
def preview_augment(source: str | Path | Dataset, **named: Any) -> Picture:
    """Draw originals and the copies that `augment` would make of them; nothing is written.

    A row is the fullest slice of one of the first training cases, and its first copies, each with
    its masks' outlines and what was drawn for it.

    Raises:
        UsageError: the parameters cannot be met.
        NothingFoundError: there is no training slice.
        ChaosprepError: the source cannot be opened or read.
    """
    from chaosprep.stages.augment_preview import preview

    dataset = source if isinstance(source, Dataset) else open_dataset(source)
    return Picture(preview(dataset, make_params(AugmentParams, named)))


@shows(TrainParams)
def train(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    overwrite: bool = False,
    on_epoch: "chaosprep.torch.training.OnEpoch | None" = None,
    **named: Any,
) -> "chaosprep.torch.run_folder.Trained":
    """Train a baseline network on train; keep its weights with the best Dice of val's patients.

    See `chaosprep.torch.training.train` for what it writes and raises.
    """
    check_extra(*TRAINING)
    from chaosprep.torch import training

    listener = on_epoch or training.ignore
    return training.train(source, output, overwrite=overwrite, on_epoch=listener, **named)


@shows(
    PredictParams,
    RawParams,
    RunOptions,
    without=("split", "compression", "dask", "shard", *NOT_ASKED),
)
def predict_raw(
    checkpoint: str | Path, source: str | Path, output: str | Path, **named: Any
) -> "chaosprep.running.folder.Exported":
    """Predict on raw data, prepared as the run's were; the masks lie on their own pixels.

    `output` gets `masks/<case>.nii.gz` (or `.dcm`) and `labels.json`. See
    `chaosprep.torch.raw.predict_raw` for what it raises.
    """
    check_extra(*TRAINING)
    from chaosprep.torch import raw

    options = _options(named)
    own = {name: named.pop(name) for name in PredictParams.__struct_fields__ if name in named}
    params = make_params(PredictParams, {**own, "checkpoint": str(checkpoint)})
    asked = make_params(RawParams, named)
    return raw.predict_raw(params, asked, Path(source), Path(output), options)
