"""`chaosprep merge`."""

from pathlib import Path

import click

from chaosprep.cli.options import (
    jobs_option,
    no_progress_option,
    output_option,
    overwrite_option,
    talk_options,
)
from chaosprep.cli.output import Talk, say


@click.command("merge")
@click.argument(
    "shards",
    metavar="SHARD...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@output_option
@jobs_option
@overwrite_option
@talk_options
@no_progress_option
def command(shards: tuple[Path, ...], output: Path, jobs: int, overwrite: bool, talk: Talk) -> None:
    """SHARD... are all directories that one stage made with --shard 1/N to N/N, in any order.

    DIR becomes what one run without --shard makes, byte for byte; files are hard links where
    they can be.
    """
    from chaosprep.running.merge import merge

    made = merge(shards, output, jobs=jobs, overwrite=overwrite, on_event=talk.on_event)
    mixed = {name: found for name, found in made.made.versions.items() if ", " in found}
    if mixed and not talk.quiet:
        told = "; ".join(f"{name} {found}" for name, found in mixed.items())
        say(f"merge: the shards were made with different libraries ({told})")
    click.get_current_context().exit(talk.finish())
