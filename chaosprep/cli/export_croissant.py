"""`chaosprep export croissant`."""

from pathlib import Path

from chaosprep.cli.export import export_command
from chaosprep.exports.croissant import export
from chaosprep.running.folder import Exported, Options


@export_command("croissant")
def command(source: Path, output: Path, options: Options) -> Exported:
    """DIR is what convert or augment made. Files are hard links; upload the output as it is."""
    return export(source, output, options=options)
