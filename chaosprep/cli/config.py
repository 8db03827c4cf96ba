"""`--config`: the settings of every verb in one TOML file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from chaosprep.cli.parameters import given
from chaosprep.configuration import RUN, SHARED, Tables, check_own, named, read_config
from chaosprep.errors import UsageError
from chaosprep.params import check_names
from chaosprep.stage_table import STAGES

_KEPT = "chaosprep.config"  # the key of a context's meta
_NEVER = {"print_config", "output", "dry_run", "preview", "list_presets", "open"}
"""Options that say what to do this time; no file does."""


class Config(NamedTuple):
    """The file that was given with its tables, and the table of this verb; or none of them."""

    file: Path | None
    tables: Tables
    section: str

    @property
    def table(self) -> dict[str, Any]:
        """The table of this verb."""
        return self.tables.get(self.section, {})

    @property
    def place(self) -> str:
        """The table of this verb, in a message."""
        return f"{self.file}: [{self.section}]"


class ConfigOption(click.Option):
    """Reads the file before any other option is looked at."""

    def __init__(self, section: str) -> None:
        super().__init__(
            ["--config"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE.toml",
            is_eager=True,
            expose_value=False,
            help="A TOML file with a table for each command; options given here override it.",
        )
        self.section = section

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Make what the file says the defaults of the command."""
        if not ctx.resilient_parsing:
            load(ctx, opts)
        return super().handle_parse_result(ctx, opts, args)


def load(ctx: click.Context, opts: Mapping[str, Any]) -> Config:
    """The file of a command line that is being parsed; what it says are the defaults from now on.

    Raises:
        UsageError: it cannot be read, or has what the command does not know.
    """
    if _KEPT not in ctx.meta:
        option = next(param for param in ctx.command.params if isinstance(param, ConfigOption))
        told = option.process_value(ctx, option.consume_value(ctx, opts)[0])
        file = told if isinstance(told, Path) else None  # else None, or what stands for nothing
        config = Config(file, read_config(file) if file else {}, option.section)
        _check_formats(config)
        ctx.meta[_KEPT] = config
        if file:
            ctx.default_map = dict(_defaults(ctx, config))
    found: Config = ctx.meta[_KEPT]
    return found


def _check_formats(config: Config) -> None:
    """Refuse, for an export, the table of a format that there is not.

    Raises:
        UsageError: with what was probably meant.
    """
    if config.section.startswith("export."):
        from chaosprep.exports.table import lines

        formats = [name[7:] for name in config.tables if name.startswith("export.")]
        with named(f"{config.file}: [export]"):
            check_names(formats, lines(), what="format", code="config")


def own_options(command: click.Command) -> dict[str, click.Option]:
    """Key in a table -> the option; without those that no file has."""
    found = {}
    for param in command.params:
        if isinstance(param, click.Option) and not isinstance(param, ConfigOption):
            long = next(flag for flag in param.opts if flag.startswith("--"))
            found[long[2:].replace("-", "_")] = param
    return {key: option for key, option in found.items() if key not in _NEVER}


def stages_of(section: str) -> tuple[str, ...]:
    """The stages whose parameters a verb takes as options, and not by its own table alone."""
    if section == "prepare":
        from chaosprep.stages.prepare import CHAIN

        return tuple(stage.name for stage in CHAIN)
    return (section,) if section in STAGES else ()


def beside_stages(ctx: click.Context, section: str) -> dict[str, click.Option]:
    """Key -> the option, of a command that takes parameters of stages: what else it takes."""
    options = own_options(ctx.command)
    if not stages_of(section):
        return options
    return {key: options[key] for key in options if key in (*SHARED, "report")}


def _defaults(ctx: click.Context, config: Config) -> Iterator[tuple[str, Any]]:
    """What the file has for the command, but for what is of stages: by the names of options."""
    options, file = beside_stages(ctx, config.section), config.file
    told = [(RUN, key, value) for key, value in config.tables[RUN].items() if key in options]
    if config.section not in STAGES:
        check_own(str(file), config.section, config.table)
        with named(f"{config.place}"):
            check_names(config.table, options.keys() - {*SHARED}, code="config")
        told += [(config.section, key, value) for key, value in config.table.items()]
    for section, key, value in told:
        option = options[key]
        typed = _typed(option, value, f"{file}: [{section}] {key.replace('_', '-')}")
        try:
            option.type_cast_value(ctx, typed)
        except click.BadParameter as error:
            place = f"{file}: [{section}] {key.replace('_', '-')}"
            raise UsageError(f"{place}: {error.message.rstrip('.')}", _REMEDY, "config") from error
        assert option.name is not None
        yield option.name, typed


_REMEDY = "Correct it there, or give another TOML file."


def _typed(option: click.Option, value: Any, place: str) -> Any:  # noqa: ANN401 - any of TOML's
    """A value as somebody would type it; one of several is a list of one.

    Raises:
        UsageError: it is of another kind.
    """
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(
                f"{place}: must be true or false (given: {value!r})", _REMEDY, "config"
            )
        return value
    if option.multiple or option.nargs != 1:
        every = value if isinstance(value, list) else [value]
        return tuple(_text(one, place) for one in every)
    return _text(value, place)


def _text(value: Any, place: str) -> str:  # noqa: ANN401 - any of TOML's
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        wanted = f"{place}: must be a text or a number (given: {value!r})"
        raise UsageError(wanted, _REMEDY, "config")
    return str(value)


def settled(fields: dict[str, Any]) -> dict[str, Any]:
    """What is given of the parameters of a stage: as options, or else in its table.

    Raises:
        UsageError: the table has something else.
    """
    config, asked = _current(), given(fields)
    check_own(str(config.file), config.section, config.table)
    with named(config.place):
        check_names(config.table, fields)
    return config.table | asked


@contextmanager
def blamed(fields: dict[str, Any]) -> Iterator[None]:
    """What is wrong in here is said of the table, where no option was given instead."""
    config = _current()
    if not config.table:
        yield
        return
    with named(config.place, given(fields), config.table):
        yield


def current_tables() -> tuple[Tables, str]:
    """The tables of the file, for a command that takes those of others; and the file's name."""
    config = _current()
    return config.tables, str(config.file or "")


def _current() -> Config:
    found: Config = click.get_current_context().meta[_KEPT]
    return found
