"""The panels of the pictures of an evaluation, each drawn into axes of its own."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from chaosprep.evaluation.bland_altman import VolumeLimits
from chaosprep.evaluation.metric import Metric
from chaosprep.evaluation.paired.differences import Sides
from chaosprep.evaluation.results import OrganResult
from chaosprep.evaluation.tables import in_ml
from chaosprep.words import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = "#1b6ca8", "#c8553d"  # of A and B
_GREY = "#999999"
_GOLDEN = 0.618034  # of a width: each next dot lands in the largest gap that the others leave


def boxes(
    axes: "Axes", name: str, metric: Metric, organs: Sequence[str], rows: Sequence[OrganResult]
) -> None:
    """A box for each organ, and over it a dot for each case, side by side where they are equal."""
    values = [[getattr(row, name) for row in rows if row.organ == organ] for organ in organs]
    known = [[value for value in column if value is not None] for column in values]
    lost = sum(map(len, values)) - sum(map(len, known))
    places = range(1, len(organs) + 1)
    axes.set_title(_title(metric, lost))
    axes.boxplot(known, positions=places, widths=0.5, showfliers=False, medianprops={"color": "k"})
    for place, column in zip(places, known, strict=True):
        aside = [place + 0.36 * ((dot * _GOLDEN + 0.5) % 1 - 0.5) for dot in range(len(column))]
        axes.plot(aside, column, "o", color=_COLOURS[0], markersize=3, alpha=0.6)
    _settle(axes, metric, organs)


def volumes(
    axes: "Axes", organ: str, found: VolumeLimits, rows: Sequence[OrganResult], note: str
) -> None:
    """A Bland-Altman plot: the difference of the volumes over their mean, bias and limits."""
    pairs = [
        (row.pred_ml, row.ref_ml)
        for row in rows
        if row.organ == organ and row.pred_ml is not None and row.ref_ml is not None
    ]
    axes.set_title(
        f"Volume of {_plain(organ)}{note}\n"
        f"bias {in_ml(found.bias)}, limits {in_ml(found.low)} to {in_ml(found.high)} ml",
        fontsize=9,
    )
    axes.plot(
        [(pred + ref) / 2 for pred, ref in pairs],
        [pred - ref for pred, ref in pairs],
        "o",
        color=_COLOURS[0],
        markersize=4,
        alpha=0.6,
    )
    axes.axhline(found.bias, color="k")
    for limit in (found.low, found.high):
        axes.axhline(limit, color="k", linestyle="--", linewidth=1)
    axes.margins(x=0.1, y=0.15)
    axes.set_xlabel("mean of PRED and REF (ml)")
    axes.set_ylabel("PRED - REF (ml)")
    axes.grid(axis="y", alpha=0.3)


def lines(axes: "Axes", metric: Metric, sides: Mapping[str, Sides], lost: int) -> None:
    """For each organ a line for each patient, from prediction A to B, and a thick one of means.

    So many cases, `lost`, are not compared.
    """
    axes.set_title(_title(metric, lost))
    for place, of in enumerate(sides.values(), start=1):
        ends = place - 0.2, place + 0.2
        for values in of.values():
            axes.plot(ends, values, color=_GREY, linewidth=0.8, alpha=0.7)
        for side, (end, colour) in enumerate(zip(ends, _COLOURS, strict=True)):
            column = [values[side] for values in of.values()]
            axes.plot([end] * len(column), column, "o", color=colour, markersize=4, alpha=0.7)
        if of:
            means = [fmean(values[side] for values in of.values()) for side in (0, 1)]
            axes.plot(ends, means, color="k", linewidth=2.5)
    _settle(axes, metric, list(sides))


def named_sides(axes: "Axes") -> None:
    """What the colours and the thick line of `lines` stand for."""
    for colour, side in zip(_COLOURS, "AB", strict=True):
        axes.plot([], [], "o", color=colour, label=f"prediction {side}")
    axes.plot([], [], color=_GREY, linewidth=0.8, label="a patient")
    axes.plot([], [], color="k", linewidth=2.5, label="mean of patients")
    axes.legend(loc="upper left", frameon=False)


def _title(metric: Metric, lost: int) -> str:
    return f"{metric.title}, {lost} without" if lost else metric.title


def _settle(axes: "Axes", metric: Metric, organs: Sequence[str]) -> None:
    places = list(range(1, len(organs) + 1))
    axes.set_xticks(places, [_plain(one) for one in organs], rotation=20 if len(organs) > 2 else 0)
    axes.set_xlim(0.4, len(organs) + 0.6)
    axes.set_ylim(**({"top": 1.005 * metric.best} if metric.best else {"bottom": 0}))
    axes.grid(axis="y", alpha=0.3)


def _plain(organ: str) -> str:
    return shortened(organ, 24).replace("$", r"\$")  # else a formula
