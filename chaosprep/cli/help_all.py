"""`--help-all`: the help of every command on one page."""

from collections.abc import Iterator

import click


def pages(ctx: click.Context) -> Iterator[str]:
    """The help of a command, then that of those below it."""
    yield ctx.command.get_help(ctx)
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            if command := ctx.command.get_command(ctx, name):
                with click.Context(command, info_name=name, parent=ctx) as below:
                    yield from pages(below)
