"""`chaosprep export nifti`."""

from pathlib import Path

from chaosprep.cli.export import export_command, sequence_option
from chaosprep.exports.nifti import export
from chaosprep.running.folder import Exported, Options


@export_command("nifti")
@sequence_option
def command(source: Path, output: Path, options: Options, sequences: tuple[str, ...]) -> Exported:
    """DIR is what any stage made, with labels as masks."""
    return export(source, output, sequences=sequences, options=options)
