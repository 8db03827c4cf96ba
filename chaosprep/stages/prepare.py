"""prepare: split, extract-liver, convert and augment in one go."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import UsageError
from chaosprep.files import read_toml
from chaosprep.params import Params, make_params
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for
from chaosprep.running.runner import OnError, OnEvent, ignore, run
from chaosprep.stages.augment import AUGMENT, AugmentParams
from chaosprep.stages.convert import CONVERT, ConvertParams
from chaosprep.stages.extract_liver import EXTRACT_LIVER, ExtractLiverParams
from chaosprep.stages.split import SPLIT, SplitParams

FOLDERS = {"split": "split", "extract-liver": "liver", "convert": "images", "augment": "augmented"}
SECTIONS: dict[str, type[Params]] = {
    "split": SplitParams,
    "extract-liver": ExtractLiverParams,
    "convert": ConvertParams,
    "augment": AugmentParams,
}
_FIRST_ONLY = ("patient",)  # chosen once, by split; later stages take what is there


class PrepareParams(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of the four stages."""

    split: SplitParams = SplitParams()
    extract_liver: ExtractLiverParams = ExtractLiverParams()
    convert: ConvertParams = ConvertParams()
    augment: AugmentParams = AugmentParams()


def prepare_params(
    fields: Mapping[str, Any], config: Mapping[str, Any] | None = None
) -> PrepareParams:
    """Deal out flat parameters to the stages that know them, over those of a configuration.

    Args:
        fields: parameters by name, as for the single stages; `seed` goes to each that has one.
        config: a table for each stage, as `read_config` gives it.

    Raises:
        UsageError: a parameter or a section that does not exist, or a wrong value.
    """
    tables = {name: dict((config or {}).get(name, {})) for name in SECTIONS}
    unknown = sorted(set(config or {}) - set(SECTIONS))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: no such section",
            f"There are: {', '.join(SECTIONS)}.",
            code="config",
        )
    for name, value in fields.items():
        takers = list(_takers(name))
        if not takers:
            reason = f"{name}: no such parameter of any stage"
            raise UsageError(reason, "The help of each stage names its own.", "parameter")
        for section in takers:
            tables[section][name] = value
    made = {name.replace("-", "_"): _section(name, table) for name, table in tables.items()}
    return PrepareParams(**made)  # type: ignore[arg-type]


def _takers(name: str) -> Iterator[str]:
    for section, kind in SECTIONS.items():
        if name in kind.__struct_fields__:
            yield section
            if name in _FIRST_ONLY:
                return


def _section(name: str, table: dict[str, Any]) -> Params:
    try:
        return make_params(SECTIONS[name], table)
    except UsageError as error:
        raise UsageError(f"[{name}] {error.reason}", error.remedy, error.code) from error


def read_config(path: Path) -> dict[str, Any]:
    """A TOML file with a table for each stage: `[split]`, `[extract-liver]`, ...

    Parameter names are spelled with `-` or `_`.

    Raises:
        UsageError: the file cannot be read or is not TOML.
    """
    tables = {
        name.replace("_", "-"): table for name, table in read_toml(path, "", "config").items()
    }
    strays = [name for name, table in tables.items() if not isinstance(table, dict)]
    if strays:
        raise UsageError(
            f"{path}: {', '.join(strays)}: stands outside a section",
            f"Put it under one of: {', '.join(f'[{name}]' for name in SECTIONS)}.",
            code="config",
        )
    return {
        name: {key.replace("-", "_"): value for key, value in table.items()}
        for name, table in tables.items()
    }


def run_all(
    root: str | Path,
    output: str | Path,
    params: PrepareParams,
    *,
    jobs: int = 1,
    dask: str | None = None,
    on_error: OnError = "stop",
    overwrite: bool = False,
    on_event: OnEvent = ignore,
) -> Dataset:
    """Run the four stages into `output/split`, `liver`, `images` and `augmented`.

    Raises what `chaosprep.running.runner.run` raises; what earlier stages committed stays.
    """
    output = Path(output)
    warm_up_for(dask, jobs, AUGMENT.libraries)  # the first call decides for all four
    where = {stage: output / folder for stage, folder in FOLDERS.items()}
    with scheduler_address(dask, jobs) as address:  # one cluster for the four
        options: dict[str, Any] = {
            "jobs": jobs,
            "dask": address,
            "on_error": on_error,
            "overwrite": overwrite,
            "on_event": on_event,
        }
        pairs = run(SPLIT, params.split, root, where["split"], **options)
        masks = run(EXTRACT_LIVER, params.extract_liver, pairs, where["extract-liver"], **options)
        images = run(CONVERT, params.convert, masks, where["convert"], **options)
        return run(AUGMENT, params.augment, images, where["augment"], **options)
