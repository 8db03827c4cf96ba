"""Pictures of an evaluation, drawn without a screen and without matplotlib's global state."""

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from chaosprep.errors import ChaosprepError
from chaosprep.evaluation.metric import Metric
from chaosprep.evaluation.paired.comparison import Comparison, pairs_of
from chaosprep.evaluation.paired.differences import by_patient, has
from chaosprep.evaluation.panels import boxes, lines, named_sides, volumes
from chaosprep.evaluation.results import Evaluation, OrganResult, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_MOST = 30  # organs whose volumes are drawn
Panel = Callable[["Axes"], None]


def box_plots(found: Evaluation) -> bytes:
    """A PNG: for each metric a box for each organ and a dot for each case, then the volumes.

    Those are Bland-Altman plots, one for each of at most 30 organs.

    Raises:
        ChaosprepError: `extra`, matplotlib is not installed.
    """
    rows = found.results
    organs = [summary.organ for summary in found.summaries]
    panels: list[Panel] = [
        partial(boxes, name=name, metric=metric, organs=organs, rows=rows)
        for name, metric in _titled(rows).items()
    ]
    agree = [(one.organ, one.volume) for one in found.summaries if one.volume]
    for place, (organ, volume) in enumerate(agree[:_MOST], start=1):
        note = f", {_MOST} of {len(agree)}" if place == _MOST < len(agree) else ""
        panels.append(partial(volumes, organ=organ, found=volume, rows=rows, note=note))
    return _sheet(panels)


def paired_plots(found: Comparison) -> bytes:
    """A PNG: for each metric, in it a line for each patient and organ from prediction A to B.

    Raises:
        ChaosprepError: `extra`, matplotlib is not installed.
    """
    pairs = pairs_of(found.a, found.b)
    rows = [row for pair in pairs for row in pair]
    of = {
        organ: [pair for pair in pairs if pair[0].organ == organ]
        for organ in dict.fromkeys(row.organ for row in rows)
    }
    panels: list[Panel] = []
    for name, metric in _titled(rows).items():
        sides = {organ: by_patient(some, name) for organ, some in of.items()}
        lost = sum(not has(pair, name) for pair in pairs)
        panels.append(partial(lines, metric=metric, sides=sides, lost=lost))
    return _sheet(panels, legend=named_sides)


def _titled(rows: Sequence[OrganResult]) -> dict[str, Metric]:
    return {name: metric for name, metric in shown(rows).items() if metric.title}


def _sheet(panels: Sequence[Panel], legend: Panel | None = None) -> bytes:
    """The panels in rows of three, behind them the legend."""
    count = len(panels) + (legend is not None)
    rows = -(-count // _COLUMNS)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for panel, place in zip(panels, axes, strict=False):
            panel(place)
        for place in axes[len(panels) :]:
            place.set_axis_off()
        if legend is not None:
            legend(axes[len(panels)])

    return drawn(draw, (9, 3 * rows), dpi=120)


def drawn(draw: Callable[["Figure"], None], size: tuple[float, float], dpi: int) -> bytes:
    """A PNG in matplotlib's own style, not the user's: the same numbers give the same picture.

    Args:
        draw: fills the figure.
        size: of the figure in inches, width and height.
        dpi: pixels per inch.

    Raises:
        ChaosprepError: `extra`, matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context, rcdefaults
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ChaosprepError(
            "matplotlib is not installed", "Run: pip install 'chaosprep[plot]'.", "extra"
        ) from error
    with rc_context():
        rcdefaults()
        figure = Figure(figsize=size, dpi=dpi, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        stream = BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
