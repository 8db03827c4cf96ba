"""`chaosprep evaluate`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import FILE, jobs_option, on_error_option, talk_options
from chaosprep.cli.output import LEFT_OUT, Talk, one_line, say, write_json
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import plural
from chaosprep.evaluation.evaluate import evaluate
from chaosprep.evaluation.plots import box_plots
from chaosprep.evaluation.results import Evaluation
from chaosprep.evaluation.surface import Spacing
from chaosprep.evaluation.tables import csv_text, table
from chaosprep.files import write_durably, writing
from chaosprep.known import SCORING
from chaosprep.quality.montage import check_one_file
from chaosprep.running.mapping import ignore


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


side = click.Path(exists=True, path_type=Path)


def _say_case(case: str, done: int, total: int) -> None:
    say(f"evaluate: {case} ({done} of {total})")


@click.command("evaluate")
@click.argument("pred", metavar="PRED", type=side)
@click.argument("ref", metavar="REF", type=side)
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
@click.option("--csv", metavar="FILE.csv", type=FILE, help="Write every value of every row.")
@click.option(
    "--plot",
    metavar="FILE.png",
    type=FILE,
    help="Draw a box plot for each metric (needs the extra plot).",
)
@on_error_option
@jobs_option
@talk_options
def command(
    pred: Path, ref: Path, csv: Path | None, plot: Path | None, talk: Talk, **chosen: Any
) -> None:
    """PRED and REF can be stage directories, folders of masks, NIfTI, or the challenge's folders.

    A folder holds PNG or npy named by slice ids, or by equal names on both sides; the challenge's
    are a CHAOS root with Ground, and a submission of Results for it. Cases are measured in 3-D,
    distances in mm. A hyphen stands for what cannot be measured.
    """
    for file, suffix in ((csv, ".csv"), (plot, ".png")):
        if file is not None:
            for place in (pred, ref):
                check_one_file(file, place, suffix)
    found = evaluate(pred, ref, on_case=_say_case if talk.verbose else ignore, **chosen)
    if csv is not None:
        _write(csv, csv_text(found).encode())
    if plot is not None:
        _write(plot, box_plots(found))
    _show(found, talk)
    if found.skipped:
        click.get_current_context().exit(LEFT_OUT)


def _show(found: Evaluation, talk: Talk) -> None:
    talk.remarks(found.skipped, found.notes)
    if talk.as_json:
        write_json(found)
        return
    for line in table(found):
        click.echo(one_line(line))
    if not talk.quiet:
        score = "not known" if found.score is None else f"{found.score:.2f}"
        click.echo(
            f"evaluate: {plural(found.cases, found.per)}, {plural(len(found.summaries), 'organ')}, "
            f"{SCORING.title} {score}, {len(found.skipped)} skipped"
        )


def _write(file: Path, data: bytes) -> None:
    with writing(file):
        write_durably(file, data)
