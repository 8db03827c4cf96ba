"""The verbs as Python functions, made of the table of stages; they say what the commands say."""

from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.params import check_names, make_params
from chaosprep.running.options import RunOptions
from chaosprep.running.runner import run
from chaosprep.signatures import listed, shows
from chaosprep.stages import STAGES, load_stage
from chaosprep.stages.prepare import CHAIN, WITHOUT, prepare_params, read_config, run_all
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, TrainParams

if TYPE_CHECKING:
    import chaosprep.torch.run_folder
    import chaosprep.torch.training


def stage_function(name: str) -> Callable[..., Dataset]:
    """A stage's verb as a function: from a source directory to a new stage directory."""
    stage = load_stage(name)
    first = [*stage.positional, "source", "output"]

    def verb(*places: Any, **named: Any) -> Dataset:
        _check(named, first, stage.params, RunOptions, without=stage.not_taken)
        given = verb.__signature__.bind(*places, **named).arguments  # type: ignore[attr-defined]
        source, output = given.pop("source"), given.pop("output")
        options = _options(given)
        source = source.directory if isinstance(source, Dataset) else source
        return run(stage, make_params(stage.params, given), source, output, options)

    verb.__name__ = verb.__qualname__ = name.replace("-", "_")
    kinds = [str | Path | Dataset if place == "source" else str | Path for place in first]
    verb.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(place, Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
            for place, kind in zip(first, kinds, strict=True)
        ],
        return_annotation=Dataset,
    )
    about = STAGES[name].purpose
    return shows(RunOptions, stage.params, without=stage.not_taken, about=about)(verb)


def _check(
    named: Mapping[str, Any],
    own: Collection[str],
    *kinds: type[msgspec.Struct],
    without: Collection[str] = (),
) -> None:
    """Name what a function does not take, with what was probably meant."""
    known = dict.fromkeys(name for kind in kinds for name in kind.__struct_fields__)
    check_names(
        [name for name in named if name not in own],
        [name for name in known if name not in {*own, *without}],
    )


def _options(named: dict[str, Any]) -> RunOptions:
    """Take the run options out of named values."""
    taken = [name for name in RunOptions.__struct_fields__ if name in named]
    return make_params(RunOptions, {name: named.pop(name) for name in taken})


@shows(
    RunOptions,
    *(stage.params for stage in CHAIN),
    without=WITHOUT,
    about="Run the stages one after the other, each into a folder of its own in `output`.\n\n"
    f"They are {listed([f'{stage.name} (in {stage.folder})' for stage in CHAIN])}.",
)
def prepare(
    root: str | Path, output: str | Path, *, config: str | Path | None = None, **named: Any
) -> Dataset:
    """`config` is a TOML file with a table for each stage; parameters given here go before it."""
    _check(named, (), *(stage.params for stage in CHAIN), RunOptions, without=WITHOUT)
    options = _options(named)
    params = prepare_params(named, read_config(Path(config)) if config else None)
    return run_all(root, output, params, options)


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
    check_names(named, [*TrainParams.__struct_fields__, "overwrite", "on_epoch"])
    check_extra(*TRAINING)
    from chaosprep.torch import training

    listener = on_epoch or training.ignore
    return training.train(source, output, overwrite=overwrite, on_epoch=listener, **named)
