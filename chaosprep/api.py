"""The Python functions, one per verb; they say the same things as the commands."""

import inspect as signatures
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chaosprep.dataset.manifest import Dataset
from chaosprep.params import P, Params, describe_params, make_params
from chaosprep.running.runner import OnError, OnEvent, ignore, run
from chaosprep.running.stage import C, Stage
from chaosprep.stages.augment import AUGMENT
from chaosprep.stages.convert import CONVERT
from chaosprep.stages.extract_liver import EXTRACT_LIVER
from chaosprep.stages.prepare import SECTIONS, prepare_params, read_config, run_all
from chaosprep.stages.split import SPLIT
from chaosprep.torch.extra import check_extra
from chaosprep.torch.parameters import TRAINING, PredictParams, TrainParams

if TYPE_CHECKING:
    from chaosprep.torch.run_folder import Trained
    from chaosprep.torch.training import OnEpoch

F = TypeVar("F", bound=Callable[..., Any])


class StageFunction(Protocol):
    """A verb as a function: from a source directory to a new stage directory."""

    def __call__(
        self,
        source: str | Path | Dataset,
        output: str | Path,
        *,
        jobs: int = 1,
        dask: str | None = None,
        shard: str | None = None,
        on_error: OnError = "stop",
        overwrite: bool = False,
        on_event: OnEvent | None = None,
        **params: Any,
    ) -> Dataset:
        """Run the stage; see `chaosprep.running.runner.run` for what it raises."""
        ...


def _function(stage: Stage[C, P], purpose: str) -> StageFunction:
    def verb(
        source: str | Path | Dataset,
        output: str | Path,
        *,
        jobs: int = 1,
        dask: str | None = None,
        shard: str | None = None,
        on_error: OnError = "stop",
        overwrite: bool = False,
        on_event: OnEvent | None = None,
        **params: Any,
    ) -> Dataset:
        source = source.directory if isinstance(source, Dataset) else source
        return run(
            stage,
            make_params(stage.params, params),
            source,
            output,
            jobs=jobs,
            dask=dask,
            shard=shard,
            on_error=on_error,
            overwrite=overwrite,
            on_event=on_event or ignore,
        )

    verb.__name__ = verb.__qualname__ = stage.name.replace("-", "_")
    return _documented(verb, purpose, stage.params)


def _documented(function: F, purpose: str, *kinds: type[Params]) -> F:
    """Show the fields of the Params classes in the function's signature and documentation."""
    fields = {field.name: field for kind in kinds for field in describe_params(kind)}
    signature = signatures.signature(function)
    fields = {name: fields[name] for name in fields if name not in signature.parameters}
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    keyword = signatures.Parameter.KEYWORD_ONLY
    more = [signatures.Parameter(f.name, keyword, default=f.default) for f in fields.values()]
    function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    lines = [f"    {field.name}: {field.description}" for field in fields.values()]
    function.__doc__ = "\n".join([purpose, "", "Parameters:", *lines, ""])
    return function


split = _function(
    SPLIT, "Divide the patients of a dataset root and copy their pairs to a stage directory."
)
extract_liver = _function(
    EXTRACT_LIVER, "Turn grey-level masks into a binary organ mask or a label map."
)
convert = _function(CONVERT, "Turn DICOM into windowed 8-bit PNG, or 16-bit PNG or npy as stored.")
augment = _function(AUGMENT, "Add transformed copies of the training slices, image and mask alike.")


def prepare(
    root: str | Path,
    output: str | Path,
    *,
    config: str | Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    on_error: OnError = "stop",
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    **params: Any,
) -> Dataset:
    """Run the four stages; `_documented` completes this text."""
    made = prepare_params(params, read_config(Path(config)) if config else None)
    return run_all(
        root,
        output,
        made,
        jobs=jobs,
        dask=dask,
        on_error=on_error,
        overwrite=overwrite,
        on_event=on_event or ignore,
    )


_documented(
    prepare,
    "Run split, extract_liver, convert and augment into output/split, liver, images, augmented.\n\n"
    "`config` is a TOML file with a table for each stage; parameters given here go before it.",
    *SECTIONS.values(),
)


def train(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    overwrite: bool = False,
    on_epoch: "OnEpoch | None" = None,
    **params: Any,
) -> "Trained":
    """Train a baseline; `_documented` completes this text."""
    check_extra(*TRAINING)
    from chaosprep.torch import training

    return training.train(
        source, output, overwrite=overwrite, on_epoch=on_epoch or training.ignore, **params
    )


_documented(
    train,
    "Train a baseline network on train, and keep its weights with the best Dice of val's patients."
    "\n\nSee `chaosprep.torch.training.train` for what it writes and raises.",
    TrainParams,
)


def predict(
    checkpoint: str | Path,
    source: str | Path | Dataset,
    output: str | Path,
    *,
    on_error: OnError = "stop",
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    **params: Any,
) -> Dataset:
    """Predict masks; `_documented` completes this text."""
    check_extra(*TRAINING)
    from chaosprep.torch.predict import PREDICT

    return run(
        PREDICT,
        make_params(PredictParams, {**params, "checkpoint": str(checkpoint)}),
        source.directory if isinstance(source, Dataset) else source,
        output,
        on_error=on_error,
        overwrite=overwrite,
        on_event=on_event or ignore,
    )


_documented(
    predict,
    "Predict the masks of a converted stage directory, as a stage directory of its own.",
    PredictParams,
)
