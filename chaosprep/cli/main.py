"""The `chaosprep` command: finds the verb, and turns errors into messages and exit codes."""

import sys
import time
from importlib.util import find_spec
from types import FrameType

import click

from chaosprep.cli.interrupts import INTERRUPTED, heed, leave
from chaosprep.cli.lazy import CLICKS, LazyGroup
from chaosprep.errors import ChaosprepError, named
from chaosprep.stage_table import STAGES, Entry, load_stage
from chaosprep.version import __version__


def is_trained(stage: Entry) -> bool:
    """Whether a stage works with what `train` made, and is listed behind it."""
    return stage.record.startswith("chaosprep.torch.")


VERBS = {
    "inspect": "What is here: patients, sequences, slices, sizes, grey levels, problems.",
    **{name: stage.purpose for name, stage in STAGES.items() if not is_trained(stage)},
    "prepare": "Split, extract, convert and augment in one go.",
    "merge": "Make one stage directory of the shards of a stage.",
    "verify": "Check a stage directory, or any folder of images and masks; find leakage.",
    "diff": "Compare two directories: what came, went or changed, in counts and by name.",
    "report": "Make one HTML page to look at: split, problems, montages, histograms, ratings.",
    "export": "Write the layout of another tool: nnU-Net, MONAI, datasets, Parquet, ...",
    "assemble": "Put slices, or predictions on them, back together as volumes in the patient.",
    "evaluate": "Compare predicted masks with a reference: overlap, distances in mm, CHAOS scores.",
    "agree": "Compare several readers' masks, and make one of them by majority or STAPLE.",
    "train": "Train a baseline U-Net or U-Net++ (needs chaosprep[train]).",
    **{name: stage.purpose for name, stage in STAGES.items() if is_trained(stage)},
    "preview": "Draw the slices with their masks' outlines as one picture.",
}
_AFTER = dict.fromkeys(
    # None: while the verb is still being imported, and nothing has begun
    (
        None,
        "inspect",
        "verify",
        "diff",
        "report",
        "export",
        "assemble",
        "evaluate",
        "agree",
        "preview",
    ),
    "Interrupted.",
)
GO_ON = "Interrupted: the same command, without --overwrite, goes on where it stopped."
_TOGETHER = 1.0  # seconds in which one interrupt is pressed, or sent, more than once


class Verbs(LazyGroup):
    """The verbs; what goes wrong in one becomes a message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; what a user or a file can cause ends in a message, never a traceback."""
        from chaosprep.cli.places import places

        heed(_interrupt)
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

    def import_command(self, module: str, name: str) -> click.Command:
        """A stage is shown by its record, unless it has a module of its own."""
        if name not in (*STAGES, "prepare"):
            return super().import_command(module, name)
        from chaosprep.running.process import blas_alone

        with blas_alone():
            if find_spec(module):
                return super().import_command(module, name)
            from chaosprep.cli.stage import stage_command

            return stage_command(load_stage(name))


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End the work in order; who asks again, and not in the same moment, wants it at once."""
    first = time.monotonic()

    def again(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - first > _TOGETHER:
            leave(number, frame)

    heed(again)
    raise KeyboardInterrupt


@click.group(
    cls=Verbs,
    lines=VERBS,
    module="chaosprep.cli.",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CHAOSPREP"},
    epilog="Exit codes: 0 done, 1 error or faults found, 2 usage, 3 finished with slices left "
    "out, 4 nothing found. Options can be given as CHAOSPREP_<COMMAND>_<OPTION> too.",
)
@click.version_option(__version__, prog_name="chaosprep")
def main() -> None:
    """From DICOM series and masks to a leak-free, bit-exact, verified training set."""


if __name__ == "__main__":
    sys.exit(main())
