"""The page of the commands, made from what they say with `--help`."""

import inspect
import re
from collections.abc import Iterator

import click

from chaosprep.cli.main import main

HEAD = """\
# Commands

Every command with all its options, as `chaosprep COMMAND --help` tells them.
Every option can also stand [in a file](shell.md#settings-in-a-file), or in a variable of the
environment: `--val` of `split` is `CHAOSPREP_SPLIT_VAL`.

| command | what it does |
|--|--|
"""


def commands_page() -> str:
    """The page: a line for each command, and a section with its options."""
    with click.Context(main, info_name="chaosprep", **main.context_settings) as ctx:
        found = list(_below(ctx))
        lines = [
            f"| [`{path}`](#{path.replace(' ', '-')}) | {_text(one.get_short_help_str(200))} |\n"
            for path, one, _ in found
        ]
        return HEAD + "".join(lines) + "".join(_section(*one) for one in found)


def _below(ctx: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """The commands below one, each with its words and its context."""
    assert isinstance(ctx.command, click.Group)
    for name in ctx.command.list_commands(ctx):
        command = ctx.command.get_command(ctx, name)
        assert command is not None
        with click.Context(command, info_name=name, parent=ctx) as here:
            yield f"{ctx.command_path} {name}", command, here
            if isinstance(command, click.Group):
                yield from _below(here)


def _section(path: str, command: click.Command, ctx: click.Context) -> str:
    usage = " ".join([path, *command.collect_usage_pieces(ctx)])
    told = inspect.cleandoc(command.help or "").replace("\b", "")
    options = [
        f"`{names}`\n:   {_text(words)}\n\n"
        for names, words in filter(None, (one.get_help_record(ctx) for one in command.params))
        if words and "--help" not in names
    ]
    return f"\n## {path}\n\n```text\n{usage}\n```\n\n{_text(told)}\n\n{''.join(options)}"


def _text(words: str) -> str:
    """Words of a help text as Markdown that shows them to the letter, with options as code."""
    plain = re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", words.strip())
    return re.sub(r"(?<![\w-])--[a-z][a-z0-9-]*", r"`\g<0>`", plain)
