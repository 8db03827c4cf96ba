"""The `chaosprep` command: finds the verb, and turns errors into messages and exit codes."""

import sys
import time
from importlib.util import find_spec
from types import FrameType

import click

from chaosprep.cli.interrupts import INTERRUPTED, heed, leave
from chaosprep.cli.lazy import CLICKS, LazyGroup
from chaosprep.errors import ChaosprepError, named
from chaosprep.stage_table import STAGES, load_stage
from chaosprep.verb_table import VERBS
from chaosprep.version import __version__

_AFTER = dict.fromkeys(
    # None: while the verb is still being imported, and nothing has begun
    (
        None,
        "inspect",
        "verify",
        "diff",
        "report",
        "card",
        "export",
        "assemble",
        "evaluate",
        "agree",
        "preview",
    ),
    "Interrupted.",
)
GO_ON = "Interrupted: the same command, without --overwrite, continues where it stopped."
_TOGETHER = 1.0  # seconds in which one interrupt is pressed, or sent, more than once


class Verbs(LazyGroup):
    """The verbs; what goes wrong in one becomes a message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; what a user or a file can cause ends in a message, never a traceback."""
        from chaosprep.cli.places import places

        heed(interrupt)
        try:
            with named(but=CLICKS), places(ctx):
                return super().invoke(ctx)
        except ChaosprepError as error:
            from chaosprep.cli.output import LOUDNESS, report_error

            report_error(error, ctx.meta.get(LOUDNESS, 0))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(_AFTER.get(ctx.invoked_subcommand, GO_ON), err=True)
            ctx.exit(INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; its workers begin to import what they need while this process does."""
        from chaosprep.cli.early import prepare_workers

        prepare_workers(args)
        return super().resolve_command(ctx, args)

    def import_command(self, module: str, name: str) -> click.Command:
        """What a verb is, with its settings; a group has some for each command below it."""
        from chaosprep.cli.print_config import add_config

        command = self._import(module, name)
        is_plain = isinstance(command, click.Group) or name == "completion"
        return command if is_plain else add_config(command, name)

    def _import(self, module: str, name: str) -> click.Command:
        """A stage is shown by its record, unless it has a module of its own."""
        if name not in (*STAGES, "prepare"):
            return super().import_command(module, name)
        from chaosprep.running.process import blas_alone

        with blas_alone():
            if find_spec(module):
                return super().import_command(module, name)
            from chaosprep.cli.stage import stage_command

            return stage_command(load_stage(name))


def interrupt(number: int, frame: FrameType | None) -> None:
    """End the work in order; who asks again, and not in the same moment, wants it at once."""
    first = time.monotonic()

    def again(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - first > _TOGETHER:
            leave(number, frame)

    heed(again)
    raise KeyboardInterrupt


def show_all(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Print the help of every command."""
    if wanted:
        from chaosprep.cli.help_all import pages

        click.echo("\n\n\n".join(pages(ctx)))
        ctx.exit()


@click.group(
    cls=Verbs,
    lines=VERBS,
    module="chaosprep.cli.",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CHAOSPREP"},
    epilog="Exit codes: 0 done, 1 error or faults found, 2 usage, 3 finished with slices left "
    "out, 4 nothing found. Options can also be given as environment variables, "
    "CHAOSPREP_<COMMAND>_<OPTION>.",
)
@click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_all,
    help="Show the help of every command on one page and exit.",
)
@click.version_option(__version__, prog_name="chaosprep")
def main() -> None:
    """From DICOM series and masks to a leak-free, bit-exact, verified training set."""


if __name__ == "__main__":
    sys.exit(main())
