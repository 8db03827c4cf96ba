"""Texts that verbs write of a stage directory: to a file, or else to stdout."""

from collections.abc import Callable
from pathlib import Path

import click

from chaosprep.cli.output import Talk, write_json
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.running.page import FileKind, check_place, new_file


def show_text(
    made: Callable[[Dataset], str],
    kind: FileKind,
    source: Path,
    output: Path | None,
    overwrite: bool,
    talk: Talk,
) -> None:
    """Write the text that is made of a directory, and say so; without an output it is printed.

    Raises:
        ChaosprepError: the directory cannot be opened, or the file not be written.
    """
    dataset = open_dataset(source)
    if output is not None:
        check_place(output, dataset.directory, kind)
        with new_file(output, kind, overwrite) as save:
            save(made(dataset).encode())
        verb = click.get_current_context().info_name
        talk.result({"path": output}, f"{verb}: {kind.noun} -> {output}")
    elif talk.as_json:
        write_json({"text": made(dataset)})
    else:
        click.echo(made(dataset), nl=False)
