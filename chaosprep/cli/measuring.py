"""Options of the verbs that measure masks."""

import click

from chaosprep.evaluation.asked import Tolerance, parse_tolerance
from chaosprep.evaluation.surface import Spacing


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


patient_option = click.option(
    "--patient", "patients", multiple=True, metavar="ID", help="Only this. Repeatable."
)
organ_option = click.option(
    "--organ", "organs", multiple=True, metavar="NAME", help="Only this. Repeatable."
)
spacing_option = click.option(
    "--spacing",
    callback=three_lengths,
    metavar="SLICE,ROW,COL",
    help="Size of the voxels in mm, for folders of pictures.",
)
tolerance_option = click.option(
    "--tolerance",
    multiple=True,
    callback=tolerances,
    metavar="MM|ORGAN=MM,...",
    help="Surface Dice (NSD): the part of each border that lies within this distance of the other.",
)
nsd_option = click.option(
    "--nsd",
    type=click.Choice(["voxels", "elements"]),
    default="voxels",
    show_default=True,
    help="NSD counts border voxels, or the area of surface elements.",
)
