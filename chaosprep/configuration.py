"""One TOML file for all verbs: a table for each, and `[run]` for what every verb takes."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chaosprep.errors import UsageError
from chaosprep.params import check_names
from chaosprep.stage_table import STAGES
from chaosprep.toml import read_toml
from chaosprep.verb_table import VERBS
from chaosprep.words import in_toml, options_in

RUN: Final = "run"
"""The table of what every verb takes, as far as it takes it."""
SHARED: Final = (
    *("jobs", "dask", "shard", "on_error", "store", "overwrite"),
    *("no_progress", "json", "verbose", "quiet"),
)
"""What stands in that table."""
SECTIONS: Final = (*STAGES, RUN, *(verb for verb in VERBS if verb not in STAGES))

Tables = dict[str, dict[str, Any]]
"""Table -> key -> value; the table of a format of `export` is called `export.nnunet`."""


def read_config(path: Path) -> Tables:
    """A TOML file with a table for each verb: `[split]`, `[evaluate]`, `[export.nnunet]`, `[run]`.

    Keys are spelled with `-` or `_`, and come with `_`.

    Raises:
        UsageError: it cannot be read, is not TOML, or has a table that is of no verb.
    """
    tables = {name.replace("_", "-"): table for name, table in read_toml(path, "config").items()}
    strays = [name for name, table in tables.items() if not isinstance(table, dict)]
    if strays:
        raise UsageError(
            f"{path}: {', '.join(strays)}: outside a section",
            f"Put it under one of: {', '.join(f'[{name}]' for name in SECTIONS)}.",
            code="config",
        )
    with named(f"{path}:"):
        check_names(tables, SECTIONS, what="section", code="config")
        check_names(keys := _keys(tables.get(RUN, {})), SHARED, what="key of [run]", code="config")
    formats = tables.pop("export", {})
    for name, table in formats.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"{path}: [export] {name}: outside a format",
                "Put it under that of the format, such as [export.nnunet].",
                code="config",
            )
    every = {**tables, **{f"export.{name}": table for name, table in formats.items()}, RUN: keys}
    return {name: _keys(table) for name, table in every.items()}


def _keys(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}


def check_own(file: str | Path, section: str, table: Collection[str]) -> None:
    """Refuse, in the table of one verb, what every verb takes.

    Raises:
        UsageError: it belongs under `[run]`.
    """
    if shared := [key for key in table if key in SHARED]:
        raise UsageError(
            f"{file}: [{section}] {', '.join(shared)}: it belongs to all commands",
            f"Put it under [{RUN}].",
            code="config",
        )


@contextmanager
def named(place: str, options: Collection[str] = (), keys: Collection[str] = ()) -> Iterator[None]:
    """What is wrong in here is wrong in a configuration file, unless one of the options is.

    `keys` are the parameters that stand in the file: one may not go with an option.
    """
    try:
        yield
    except UsageError as error:
        mentioned = {name.replace("-", "_") for name in options_in(error.reason)}
        if mentioned.isdisjoint(options):
            error.reason = f"{place} {in_toml(error.reason)}"
            error.remedy = in_toml(error.remedy)
        elif mentioned & (set(keys) - set(options)):
            error.reason = f"{place} and what is given with it: {error.reason}"
        raise
