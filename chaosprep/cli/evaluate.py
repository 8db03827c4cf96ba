"""`chaosprep evaluate`."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

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
from chaosprep.errors import plural
from chaosprep.evaluation.asked import Tolerance, parse_tolerance
from chaosprep.evaluation.evaluate import evaluate
from chaosprep.evaluation.plots import box_plots
from chaosprep.evaluation.results import Evaluation
from chaosprep.evaluation.surface import Spacing
from chaosprep.evaluation.tables import csv_text, table, volume_lines
from chaosprep.known import SCORING
from chaosprep.printable import printable
from chaosprep.running.page import PICTURE, FileKind, check_place, new_file

_TABLE = FileKind("table", ".csv", re.compile(b"case,patient,split,organ,dice,[a-z0-9_,]+\n"))


def three_lengths(ctx: click.Context, option: click.Parameter, value: str | None) -> Spacing | None:
    """`SLICE,ROW,COL` in mm."""
    if value is None:
        return None
    try:
        slices, rows, cols = (float(part) for part in value.split(","))
    except ValueError:
        slices = rows = cols = 0.0
    if not all(0 < length < 1000 for length in (slices, rows, cols)):
        raise click.BadParameter(f"{value!r} is not three lengths such as 5.5,1.9,1.9", ctx, option)
    return slices, rows, cols


def tolerances(
    ctx: click.Context, option: click.Parameter, value: tuple[str, ...]
) -> Tolerance | None:
    """`MM`, or `ORGAN=MM` for some."""
    return parse_tolerance(value)


@click.command("evaluate")
@click.argument("pred", metavar="PRED", type=ANY)
@click.argument("ref", metavar="REF", type=ANY)
@click.option("--patient", "patients", multiple=True, metavar="ID", help="Only this. Repeatable.")
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Only this side of REF. [default: those that PRED is of]",
)
@click.option("--organ", "organs", multiple=True, metavar="NAME", help="Only this. Repeatable.")
@click.option(
    "--spacing",
    callback=three_lengths,
    metavar="SLICE,ROW,COL",
    help="Size of the voxels in mm, for folders of pictures.",
)
@click.option(
    "--per",
    type=click.Choice(["case", "slice"]),
    default="case",
    show_default=True,
    help="Measure a case in 3-D, or each slice on its own.",
)
@click.option(
    "--tolerance",
    multiple=True,
    callback=tolerances,
    metavar="MM|ORGAN=MM,...",
    help="Surface Dice (NSD): the part of the borders that is so near to the other.",
)
@click.option(
    "--nsd",
    type=click.Choice(["voxels", "elements"]),
    default="voxels",
    show_default=True,
    help="NSD counts border voxels, or the area of surface elements.",
)
@click.option("--lesions", is_flag=True, help="Match the components of every organ one by one.")
@click.option(
    "--lesion-iou",
    type=float,
    default=0.5,
    show_default=True,
    metavar="IOU",
    help="Matched are components whose IoU is above it.",
)
@click.option(
    "--lesion-neighbours",
    type=click.Choice(["6", "26"]),
    default="26",
    show_default=True,
    callback=lambda ctx, option, value: int(value),
    help="Voxels that hang together: by faces, or by corners too.",
)
@click.option("--csv", metavar="FILE.csv", type=FILE, help="Write every value of every row.")
@click.option(
    "--plot",
    metavar="FILE.png",
    type=FILE,
    help="Draw a box plot for each metric (needs the extra plot).",
)
@replace_option
@on_error_option
@jobs_option
@talk_options
def command(
    pred: Path,
    ref: Path,
    csv: Path | None,
    plot: Path | None,
    overwrite: bool,
    talk: Talk,
    **chosen: Any,
) -> None:
    """PRED and REF can be stage directories, folders of masks, NIfTI, or the challenge's folders.

    A folder holds PNG or npy named by slice ids, or by equal names on both sides; the challenge's
    are a CHAOS root with Ground, and a submission of Results for it. Cases are measured in 3-D,
    distances in mm. A hyphen stands for what cannot be measured.
    """
    wanted = [(csv, _TABLE, _as_table), (plot, PICTURE, box_plots)]
    with ExitStack() as held:
        files = []
        for file, kind, made in wanted:
            if file is not None:
                for place in (pred, ref):
                    check_place(file, place, kind)
                files.append((held.enter_context(new_file(file, kind, overwrite)), made))
        found = evaluate(pred, ref, on_case=talk.each_case("evaluate"), **chosen)
        for save, made in files:
            save(made(found))
    _show(found, talk)
    if found.skipped:
        click.get_current_context().exit(LEFT_OUT)


def _as_table(found: Evaluation) -> bytes:
    return csv_text(found).encode()


def _show(found: Evaluation, talk: Talk) -> None:
    talk.remarks(found.skipped, found.notes)
    if talk.as_json:
        write_json(found)
        return
    for line in [*table(found), *volume_lines(found)]:
        click.echo(printable(line))
    if not talk.quiet:
        scored = any(row.dice_score is not None for row in found.results)
        known = "not known" if found.score is None else f"{found.score:.2f}"
        score = f"{SCORING.title} {known}, " if scored else ""
        click.echo(
            f"evaluate: {plural(found.cases, found.per)}, {plural(len(found.summaries), 'organ')}, "
            f"{score}{len(found.skipped)} skipped"
        )
