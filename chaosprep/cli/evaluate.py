"""`chaosprep evaluate`."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.measuring import (
    nsd_option,
    organ_option,
    patient_option,
    spacing_option,
    tolerance_option,
)
from chaosprep.cli.options import (
    ANY,
    FILE,
    jobs_option,
    on_error_option,
    replace_option,
    talk_options,
)
from chaosprep.cli.output import LEFT_OUT, Talk, write_json
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import UsageError
from chaosprep.evaluation.evaluate import evaluate
from chaosprep.evaluation.paired.comparison import Comparison, compare_predictions
from chaosprep.evaluation.paired.tables import paired_csv, paired_table
from chaosprep.evaluation.plots import box_plots, paired_plots
from chaosprep.evaluation.results import Evaluation
from chaosprep.evaluation.tables import csv_text, table, volume_lines
from chaosprep.printable import printable
from chaosprep.running.page import PICTURE, FileKind, check_place, new_file

Kinds = tuple[tuple[FileKind, Callable[[Any], bytes]], ...]

_TABLE = FileKind(
    "table of cases", ".csv", re.compile(b"case,patient,split,organ,dice,[a-z0-9_,]+\n")
)
_TESTS = FileKind(
    "table of tests", ".csv", re.compile(b"organ,metric,cases,patients,a,b,[a-z_,]+\n")
)


def two_or_three(
    ctx: click.Context, argument: click.Parameter, value: tuple[Path, ...]
) -> tuple[Path, ...]:
    """`PRED REF`, or two predictions and `REF`."""
    if len(value) not in (2, 3):
        raise UsageError(
            f"evaluate takes two or three paths, not {len(value)}",
            "Give PRED and REF, or two predictions and REF.",
            "paths",
        )
    return value


@click.command("evaluate")
@click.argument(
    "paths", metavar="PRED [OTHER] REF", nargs=-1, required=True, type=ANY, callback=two_or_three
)
@patient_option
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Only this side of REF. [default: the sides of PRED]",
)
@organ_option
@spacing_option
@click.option(
    "--per",
    type=click.Choice(["case", "slice"]),
    default="case",
    show_default=True,
    help="Measure a case in 3-D, or each slice on its own.",
)
@tolerance_option
@nsd_option
@click.option("--lesions", is_flag=True, help="Match the components of every organ one by one.")
@click.option(
    "--lesion-iou",
    type=float,
    default=0.5,
    show_default=True,
    metavar="IOU",
    help="Components with a larger IoU are matched.",
)
@click.option(
    "--lesion-neighbours",
    type=click.Choice(["6", "26"]),
    default="26",
    show_default=True,
    callback=lambda ctx, option, value: int(value),
    help="Which voxels are connected: by faces (6), or by corners too (26).",
)
@click.option(
    "--csv", metavar="FILE.csv", type=FILE, help="Write every value of every row, or test."
)
@click.option(
    "--plot",
    metavar="FILE.png",
    type=FILE,
    help="Draw boxes and volumes, or a line for each patient from A to B (extra plot).",
)
@replace_option
@on_error_option
@jobs_option
@talk_options
def command(
    paths: tuple[Path, ...],
    csv: Path | None,
    plot: Path | None,
    overwrite: bool,
    talk: Talk,
    **chosen: Any,
) -> None:
    """PRED and REF can be stage directories, folders of masks, NIfTI, or the challenge's folders.

    A folder holds PNG or npy named by slice ids, or by equal names on both sides; the challenge's
    are a CHAOS root with Ground, and a submission of Results for it. PRED can also be DICOM SEG or
    RTSTRUCT. Cases are measured in 3-D, distances in mm. A hyphen stands for what cannot be
    measured.

    With two predictions, A and B in this order, it reports whether they differ by more than chance:
    for each metric the mean difference over patients, its 95 % interval and a p-value.
    """
    is_paired = len(paths) == 3
    kinds = _OF_TWO if is_paired else _OF_ONE
    chosen["on_case"] = talk.each_case("evaluate")
    with ExitStack() as held:
        files = []
        for file, (kind, made) in zip((csv, plot), kinds, strict=True):
            if file is not None:
                for place in paths:
                    check_place(file, place, kind)
                files.append((held.enter_context(new_file(file, kind, overwrite)), made))
        work: Callable[..., Evaluation | Comparison] = (
            compare_predictions if is_paired else evaluate
        )
        found = work(*paths, **chosen)
        for save, made in files:
            save(made(found))
    _show(found, talk)
    if found.skipped:
        click.get_current_context().exit(LEFT_OUT)


def _rows(found: Evaluation) -> bytes:
    return csv_text(found).encode()


def _tests(found: Comparison) -> bytes:
    return paired_csv(found).encode()


_OF_ONE: Kinds = ((_TABLE, _rows), (PICTURE, box_plots))
_OF_TWO: Kinds = ((_TESTS, _tests), (PICTURE, paired_plots))
"""What --csv and --plot write."""


def _show(found: Evaluation | Comparison, talk: Talk) -> None:
    talk.remarks(found.skipped, found.notes)
    if talk.as_json:
        write_json(found)
        return
    if isinstance(found, Comparison):
        lines = paired_table(found)
    else:
        lines = [*table(found), *volume_lines(found)]
    for line in lines:
        click.echo(printable(line))
    if not talk.quiet:
        click.echo(found.told)
