"""`chaosprep merge`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import (
    FOLDER,
    jobs_option,
    no_progress_option,
    output_option,
    overwrite_option,
    talk_options,
)
from chaosprep.cli.output import Talk, say


@click.command("merge")
@click.argument("shards", metavar="SHARD...", nargs=-1, required=True, type=FOLDER)
@output_option
@jobs_option
@overwrite_option
@talk_options
@no_progress_option
def command(shards: tuple[Path, ...], output: Path, talk: Talk, **chosen: Any) -> None:
    """SHARD... are all directories that one stage made with --shard 1/N to N/N, in any order.

    DIR becomes what one run without --shard would make, byte for byte; files are hard links where
    they can be.
    """
    from chaosprep.running.merge import merge

    made = merge(shards, output, on_event=talk.on_event, **chosen)
    mixed = {name: found for name, found in made.made.versions.items() if ", " in found}
    if mixed and not talk.quiet:
        told = "; ".join(f"{name} {found}" for name, found in mixed.items())
        say(f"merge: the shards were made with different libraries ({told})")
    click.get_current_context().exit(talk.finish())
