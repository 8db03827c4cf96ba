"""Commands that are imported when they are called for, so that `--help` answers at once."""

from collections.abc import Mapping
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from chaosprep.cli.garbage import uncollected
from chaosprep.words import did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

CLICKS = (click.exceptions.Exit, click.ClickException, click.Abort)
"""What a command raises to end: Click makes exit codes and messages of it."""


class Suggesting(click.Group):
    """Commands of which one that is misspelled is answered with the one that was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = did_you_mean(args[:1], self.list_commands(ctx))
            ctx.fail(error.message + hint)


class LazyGroup(Suggesting):
    """Commands by name, each in a module of its own as `command`.

    Args:
        lines: name -> what it does, in a line; in the order of the list.
        module: the module of a command, up to its name (`chaosprep.cli.`).
        more: what `click.Group` takes.
    """

    def __init__(self, *, lines: Mapping[str, str], module: str, **more: Any) -> None:
        super().__init__(**more)
        self._lines = lines
        self._module = module
        self._imported: dict[str, click.Command] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in their order."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; its line goes in front of its help."""
        if cmd_name in self._lines and cmd_name not in self._imported:
            with uncollected():
                command = self.import_command(self._module + cmd_name.replace("-", "_"), cmd_name)
            command.help = f"{self._lines[cmd_name]}\n\n{cleandoc(command.help or '')}"
            self._imported[cmd_name] = command
        return self._imported.get(cmd_name)

    def import_command(self, module: str, name: str) -> click.Command:
        """Import the command of this name; its module may be there or not."""
        command: click.Command = import_module(module).command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands that begin so, without importing them; else the group's options."""
        from click.shell_completion import CompletionItem

        if not incomplete or incomplete[0].isalnum():
            found = {
                name: line for name, line in self._lines.items() if name.startswith(incomplete)
            }
            return [CompletionItem(name, help=line) for name, line in found.items()]
        return super().shell_complete(ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))
