"""`--print-config`: what a command line comes to, as the TOML that `--config` reads."""

from collections.abc import Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from chaosprep.cli.config import Config, ConfigOption, beside_stages, load, own_options, stages_of
from chaosprep.configuration import RUN, SHARED, check_own, named
from chaosprep.params import describe_params, make_params
from chaosprep.stage_table import load_stage
from chaosprep.toml import toml_value

_HEAD = "# Lines that begin with # are the defaults."
_PLAIN = (str, int, float, list, tuple, dict)

Lines = dict[str, tuple[Any, bool]]
"""Key -> its value, and whether somebody gave it; of the rest the default."""


class PrintOption(click.Option):
    """Prints the settings before anything else is asked for, and ends."""

    def __init__(self) -> None:
        super().__init__(
            ["--print-config"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            help="Print the settings that result from this command line, in the form that "
            "--config reads.",
        )

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Print them where it is asked for."""
        if self.consume_value(ctx, opts)[0] is True and not ctx.resilient_parsing:
            click.echo(_printed(_effective(ctx, opts, load(ctx, opts))))
            ctx.exit()
        return super().handle_parse_result(ctx, opts, args)


def add_config(command: click.Command, section: str) -> click.Command:
    """Let a command take `--config` and `--print-config`; `section` is its table."""
    if not any(isinstance(param, ConfigOption) for param in command.params):
        command.params += [ConfigOption(section), PrintOption()]
    return command


def _effective(ctx: click.Context, opts: Mapping[str, Any], config: Config) -> dict[str, Lines]:
    """Table -> its lines."""
    found: dict[str, Lines] = {RUN: {}}
    for key, option in beside_stages(ctx, config.section).items():
        value, is_given = _value(ctx, option, opts)
        if is_given or isinstance(value, _PLAIN):
            table = RUN if key in SHARED else config.section
            found.setdefault(table, {})[key] = value, is_given
    for stage, given in _given_to_stages(ctx, opts, config).items():
        known = {
            field.name: (field.default, False)
            for field in describe_params(load_stage(stage).params)
            if isinstance(field.default, _PLAIN)
        }
        found[stage] = known | {name: (value, True) for name, value in given.items()}
    return found


def _value(ctx: click.Context, option: click.Option, opts: Mapping[str, Any]) -> tuple[Any, bool]:
    """The value of an option, and whether somebody gave it."""
    value, source = option.consume_value(ctx, opts)
    if source is ParameterSource.DEFAULT:
        return (False if option.is_flag else option.default), False
    is_path = isinstance(option.type, click.Path)  # a URL is not to be fetched for this
    return (value if is_path else option.type_cast_value(ctx, value)), True


def _given_to_stages(
    ctx: click.Context, opts: Mapping[str, Any], config: Config
) -> dict[str, dict[str, Any]]:
    """Stage -> what is given of its parameters, by options or in the file, checked."""
    stages = stages_of(config.section)
    if not stages:
        return {}
    others = beside_stages(ctx, config.section)
    valued = {
        str(option.name): _value(ctx, option, opts)
        for key, option in own_options(ctx.command).items()
        if key not in others
    }
    asked = {name: value for name, (value, is_given) in valued.items() if is_given}
    if config.section == "prepare":
        from chaosprep.stages.prepare import dealt, prepare_params

        prepare_params(asked, config.tables, config.file or "")
        return dealt(asked, config.tables, config.file or "")
    stage, together = load_stage(config.section), config.table | asked
    elsewhere = valued.keys() - {*stage.params.__struct_fields__}  # predict has some of raw data
    own = {name: value for name, value in together.items() if name not in elsewhere}
    check_own(str(config.file), config.section, config.table)
    with named(config.place, asked, config.table):
        make_params(stage.params, own | dict.fromkeys(stage.positional, ""))
    return {config.section: together}


def _printed(tables: Mapping[str, Lines]) -> str:
    return "\n".join([_HEAD, *(line for name in tables for line in _table(name, tables[name]))])


def _table(name: str, lines: Lines) -> Iterator[str]:
    if lines:
        yield ""
        yield f"[{name}]"
    for key, (value, is_given) in lines.items():
        yield f"{'' if is_given else '# '}{key.replace('_', '-')} = {toml_value(value)}"
