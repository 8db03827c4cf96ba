"""prepare: the stages that have a folder in its output, one after the other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

import msgspec

from chaosprep.choices.params import ChoiceParams
from chaosprep.configuration import check_own, named
from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.files import check_apart
from chaosprep.known import LEVELS, OrganName
from chaosprep.params import Params, check_names, describe_params, make_params
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for
from chaosprep.running.executors import check_guard
from chaosprep.running.mapping import on_workers
from chaosprep.running.options import DEFAULTS, RunOptions
from chaosprep.running.place import check_output
from chaosprep.running.runner import modules_of, opened, run_on
from chaosprep.running.stage import Stage
from chaosprep.running.standing import StandingWorkers
from chaosprep.running.workspace import Workspace
from chaosprep.stage_table import STAGES, load_stage
from chaosprep.workbench import Workbench

CHAIN = tuple(stage for stage in map(load_stage, STAGES) if stage.folder is not None)
"""The stages of prepare, in their order; each works on what one before it made, or not at all."""
WITHOUT = ("shard",)
"""Run options that it does not take: later stages need the earlier ones whole."""

_BY_LEVEL, _BY_NAME = "extract-liver", "extract-labels"

_SECTIONS = {stage.name: stage.params for stage in CHAIN}
_ONE_ALONE = {
    # chosen once, by split; later stages take what is there
    **dict.fromkeys((*Params.__struct_fields__, "exclude"), "split"),
    # after the extraction, so that areas are those of the organs that were wanted
    **dict.fromkeys(("min_area", "max_empty", "where"), "convert"),
}
"""Parameters that several stages have -> the one to which they are dealt."""


def steps(told: Callable[[Stage[Any, Any]], str]) -> list[str]:
    """What is told of each step, in order: `this or that` of those of which masks need one."""
    either = " or ".join(told(stage) for stage in CHAIN if stage.name in (_BY_LEVEL, _BY_NAME))
    return list(
        dict.fromkeys(
            either if stage.name in (_BY_LEVEL, _BY_NAME) else told(stage) for stage in CHAIN
        )
    )


def prepare_params(
    fields: Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
    file: str | Path = "",
) -> dict[str, Any]:
    """Stage -> its parameters: flat ones dealt out to whom they are of, over a configuration's.

    Args:
        fields: parameters by name, as for the single stages; `seed` goes to each that has one.
        config: a table for each stage, as `read_config` gives it; others are passed over.
        file: where the configuration stands, for messages.

    Raises:
        UsageError: a parameter that does not exist, or a wrong value.
    """
    tables = dealt(fields, config, file)
    made = {}
    for name, table in tables.items():
        if config and name in config:
            with named(f"{file}: [{name}]", fields, config[name]):
                made[name] = make_params(_SECTIONS[name], table)
        else:
            made[name] = make_params(_SECTIONS[name], table)
    return made


def dealt(
    fields: Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
    file: str | Path = "",
) -> dict[str, dict[str, Any]]:
    """Stage -> what is given of its parameters, by name; see `prepare_params`."""
    for name in _SECTIONS:
        check_own(file, name, (config or {}).get(name, {}))
    tables = {name: dict((config or {}).get(name, {})) for name in _SECTIONS}
    check_names(
        fields,
        dict.fromkeys(name for kind in _SECTIONS.values() for name in kind.__struct_fields__),
    )
    for name, value in fields.items():
        takers = [one for one, kind in _SECTIONS.items() if name in kind.__struct_fields__]
        for section in [_ONE_ALONE[name]] if name in _ONE_ALONE else takers:
            if (section, name) != (_BY_LEVEL, "organ"):
                tables[section][name] = value
            elif (organ := _one_organ(value)) is not None:
                tables[section][name] = organ
    if (told := tables["split"].get("labels")) in LEVELS:
        tables[_BY_LEVEL].setdefault("levels", told)
    if "split_file" in tables["split"] and "seed" not in (config or {}).get("split", {}):
        tables["split"].pop("seed", None)  # it is meant for the others
    return tables


def _one_organ(asked: str | Sequence[str]) -> str | None:
    """The organ of grey levels that is asked for; others are of masks that name them."""
    organs = (asked,) if isinstance(asked, str) else tuple(asked)
    return organs[0] if len(organs) == 1 and organs[0] in get_args(OrganName) else None


def _check_left(left: Stage[Any, Any], params: Mapping[str, Any], root: str | Path) -> None:
    """Refuse what was asked of a stage that the masks do not go through.

    Raises:
        UsageError: `parameter`.
    """
    others = {
        name for stage in CHAIN if stage is not left for name in stage.params.__struct_fields__
    } - {*ChoiceParams.__annotations__}
    for field in describe_params(left.params):
        asked = getattr(params[left.name], field.name)
        if field.name not in others and asked != field.default:
            raise UsageError(
                f"--{field.option}: the masks of {root} do not go through {left.name}",
                "Leave it out.",
                "parameter",
            )
    organs = params[_BY_NAME].organ
    if left.name == _BY_NAME and organs and {*organs} != {params[_BY_LEVEL].organ}:
        raise UsageError(
            f"--organ: {' and '.join(organs)} cannot be taken, the masks of {root} are grey levels",
            f"Take one of {', '.join(get_args(OrganName))}, or --all-organs.",
            "parameter",
        )


def check_places(
    root: str | Path,
    output: str | Path,
    stages: Iterable[Stage[Any, Any]] = CHAIN,
    *,
    overwrite: bool = False,
) -> None:
    """Refuse, before anything is made, a folder of any of the stages that must not be touched.

    Raises:
        UsageError: the output is the root, inside or around it.
        ChaosprepError: a folder is somebody else's, or holds something that is.
    """
    check_apart(Path(root), Path(output))
    for stage in stages:
        check_output(Path(output, str(stage.folder)), overwrite)


def run_all(
    root: str | Path,
    output: str | Path,
    params: Mapping[str, Any],
    options: RunOptions = DEFAULTS,
    then: Callable[[Dataset], object] = lambda last: None,
) -> Dataset:
    """Run the stages that `params` names, in its order, into their folders below `output`.

    `then` is called with what the last one made, while no other run of prepare can replace it.

    Raises what `chaosprep.running.runner.run` raises; what earlier stages committed stays.
    """
    chain = [(load_stage(name), own) for name, own in params.items()]
    check_places(root, output, [stage for stage, _ in chain], overwrite=options.overwrite)
    modules = tuple(dict.fromkeys(name for stage, _ in chain for name in modules_of(stage)))
    check_guard()
    if options.jobs is not None or options.dask is not None:  # else a stage may be small
        warm_up_for(options.dask, options.processes, modules)  # the first call decides for all
    with (
        scheduler_address(options.dask, options.processes) as address,  # one cluster for all,
        StandingWorkers(options.processes, modules) as workers,  # or the same processes
    ):
        options = msgspec.structs.replace(options, dask=address)
        first, given = chain[0]
        # beside the output, not in it: that is handed on
        at_work = workers.on_workers if address is None else on_workers
        bench = Workbench.beside(output, options.processes, at_work)
        made, given = opened(first, given, root, bench, options)
        with _held(Path(output)):
            for stage, own in [(first, given), *chain[1:]]:
                if isinstance(made, Dataset) and not stage.takes(made):
                    _check_left(stage, params, root)
                    continue
                made = run_on(stage, own, made, Path(output, str(stage.folder)), options, workers)
            assert isinstance(made, Dataset)
            then(made)
    return made


@contextmanager
def _held(output: Path) -> Iterator[None]:
    """Hold the output of all stages: each reads the one before, which nobody may replace by then.

    Where that cannot be written or locked, finished stages are only read, and others tell of it.
    """
    fresh = [place for place in (output, *output.parents) if not place.exists()]
    workspace = Workspace.inside(output)
    with ExitStack() as stack:
        stack.callback(_remove_empty, fresh)  # the last: Windows lets the lock go after its handle
        try:
            stack.enter_context(workspace.held())
            stack.callback(_clear, workspace)
        except OSError:
            pass
        except ChaosprepError as error:
            if error.code != "output":  # the one that says that there are no locks
                raise
            _clear(workspace)
        yield


def _clear(workspace: Workspace) -> None:
    with suppress(OSError):
        workspace.clear()


def _remove_empty(fresh: Sequence[Path]) -> None:
    """Leave no folders in which nothing was made."""
    with suppress(OSError):
        for place in fresh:
            place.rmdir()
