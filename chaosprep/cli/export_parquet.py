"""`chaosprep export parquet`."""

from pathlib import Path

from chaosprep.cli.export import export_command
from chaosprep.exports.parquet import export
from chaosprep.running.folder import Exported, Options


@export_command("parquet")
def command(source: Path, output: Path, options: Options) -> Exported:
    """DIR is what any stage made; its files stay there, and the paths are relative to it."""
    return export(source, output, options=options)
