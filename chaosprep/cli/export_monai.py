"""`chaosprep export monai`."""

from pathlib import Path

from chaosprep.cli.export import channels_option, export_command, sequence_option
from chaosprep.exports.channels import Channels
from chaosprep.exports.monai import export
from chaosprep.running.folder import Exported, Options


@export_command("monai")
@sequence_option
@channels_option
def command(
    source: Path,
    output: Path,
    options: Options,
    sequences: tuple[str, ...],
    channels: Channels,
) -> Exported:
    """DIR is what any stage made, with labels as masks. `dataset.json` is the datalist."""
    return export(source, output, sequences=sequences, channels=channels, options=options)
