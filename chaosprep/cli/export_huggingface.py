"""`chaosprep export huggingface`."""

from pathlib import Path

from chaosprep.cli.export import export_command
from chaosprep.exports.huggingface import export
from chaosprep.running.folder import Exported, Options


@export_command("huggingface")
def command(source: Path, output: Path, options: Options) -> Exported:
    """DIR is what convert or augment made, as PNG. Files are hard links."""
    return export(source, output, options=options)
