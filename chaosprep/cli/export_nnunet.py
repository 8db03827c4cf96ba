"""`chaosprep export nnunet`."""

from pathlib import Path

import click

from chaosprep.cli.export import channels_option, export_command, sequence_option
from chaosprep.exports.channels import Channels
from chaosprep.exports.nnunet import export
from chaosprep.running.folder import Exported, Options


@export_command("nnunet")
@click.option(
    "--id",
    type=click.IntRange(1, 999),
    default=101,
    show_default=True,
    help="The dataset's number; nnU-Net's own are 1 to 10.",
)
@click.option("--name", default="Chaosprep", show_default=True, help="The dataset's name.")
@sequence_option
@channels_option
@click.option(
    "--channel-name",
    "channel_names",
    multiple=True,
    metavar="NAME",
    help="Name of a channel; CT makes nnU-Net normalise HU. Repeatable. [default: CT for ct, else "
    "the sequence]",
)
def command(
    source: Path,
    output: Path,
    options: Options,
    id: int,
    name: str,
    sequences: tuple[str, ...],
    channels: Channels,
    channel_names: tuple[str, ...],
) -> Exported:
    """DIR is what any stage made, with labels as masks; -o $nnUNet_raw gets DatasetNNN_Name."""
    return export(
        source,
        output,
        id=id,
        name=name,
        sequences=sequences,
        channels=channels,
        channel_names=channel_names,
        options=options,
    )
