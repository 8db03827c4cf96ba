"""`chaosprep inspect`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from chaosprep.causes import Note
from chaosprep.cli import archive
from chaosprep.cli.options import jobs_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say, told, write_json
from chaosprep.cli.parameters import given, parameter_options
from chaosprep.errors import NothingFoundError
from chaosprep.layouts.find import LayoutParams
from chaosprep.params import make_params
from chaosprep.printable import printable
from chaosprep.quality.archived import Archive
from chaosprep.quality.case_rows import HEADINGS, NUMBERS, cells, summary
from chaosprep.quality.inspect import inspect
from chaosprep.quality.inspected import Inspection
from chaosprep.quality.lookup import files_of
from chaosprep.words import shortened


@click.command("inspect")
@source_argument("ROOT")
@parameter_options(LayoutParams, without=("compression",))
@click.option(
    "--file",
    "hashes",
    multiple=True,
    metavar="HASH",
    help="Say only which file a hash in a message or a table stands for. Repeatable.",
)
@jobs_option
@talk_options
def command(source: Path, talk: Talk, hashes: tuple[str, ...], **chosen: Any) -> None:
    """ROOT is CHAOS as it was downloaded: the outer folder, Train_Sets, MR, or one patient.

    With --images it is any folder of DICOM series or of volumes; a data set of nnU-Net or the
    Decathlon, or a stage directory, works as well. In any other tree of DICOM files, headers tell
    which series there are: there is a line for each kind of series, or with --patient or -v for
    each volume. In a folder of pictures, each stack has a line.
    """
    if hashes:
        where = {name: value for name, value in given(chosen).items() if name != "jobs"}
        show_files(files_of(source, hashes, make_params(LayoutParams, where)), talk)
        return
    found = inspect(source, **chosen)
    if talk.as_json:
        write_json(found)
    elif isinstance(found, Archive):
        archive.show(found, given(chosen), whole=talk.verbose)
    else:
        show(found, whole=talk.verbose)
    if not (found.cases or (isinstance(found, Archive) and found.volumes)):
        click.get_current_context().exit(NothingFoundError.exit_code)


def show_files(files: Mapping[str, str], talk: Talk) -> None:
    """A line for each hash: the path that it stands for."""
    if talk.as_json:
        write_json(files)
        return
    for one, path in files.items():
        click.echo(printable(f"{one} {path}"))


_MOST_LABELS, _FEW_LABELS = 24, 20  # lines of the label map without -v
_FEW_OUTLIERS = 10


def show(found: Inspection, *, whole: bool) -> None:
    """A table of the cases, then what is odd, of each cause a few or the whole, then the sum."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="underline")
    for heading in HEADINGS:
        table.add_column(
            heading, justify="right" if heading in NUMBERS else "left", no_wrap=heading == "Case"
        )
    for case in found.cases:
        table.add_row(*map(printable, cells(case)))
    Console(highlight=False, markup=False).print(table)
    odd = [Note(case.id, text) for case in found.cases for text in case.warnings]
    for line in (*told("Warning: ", odd, whole), *told("Problem: ", found.problems, whole)):
        say(line)
    for note in found.notes:
        say(f"Note: {note}")
    for line in (*_labels(found, whole), *_outliers(found, whole), *summary(found)):
        click.echo(printable(line))
    click.echo(found.told)


def _labels(found: Inspection, whole: bool) -> list[str]:
    """What the values of masks stand for, the first ones or the whole, in columns."""
    few = found.labels if whole or len(found.labels) <= _MOST_LABELS else found.labels[:_FEW_LABELS]
    if not few:
        return []
    cells = [
        (
            str(one.value),
            shortened(one.name, 40),
            shortened(" ".join(one.code[:2]), 24) if one.code else "-",
        )
        for one in few
    ]
    rows = [("Label", "Name", "Code"), *cells]
    value, name, code = (max(map(len, column)) for column in zip(*rows, strict=True))
    cases = ["Cases", *(str(one.cases) for one in few)]
    lines = [
        f"{a:>{value}} {b:{name}} {c:{code}} {n:>5}"
        for (a, b, c), n in zip(rows, cases, strict=True)
    ]
    more = len(found.labels) - len(few)
    return [*lines, *[f"{more} more structures; -v shows all"][:more]]


def _outliers(found: Inspection, whole: bool) -> list[str]:
    """What stands out, the farthest first, a few or the whole."""
    few = found.outliers if whole else found.outliers[:_FEW_OUTLIERS]
    lines = [f"Stands out: {one.case}: {one.reason}" for one in few]
    more = len(found.outliers) - len(few)
    return [*lines, *[f"Stands out: {more} more; -v shows all"][:more]]
