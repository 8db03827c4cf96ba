"""A box plot for each metric, drawn without a screen and without matplotlib's global state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from chaosprep.errors import ChaosprepError
from chaosprep.evaluation.results import METRICS, Evaluation, OrganResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = {name: metric for name, metric in METRICS.items() if metric.title}
_COLUMNS = 3
_DOTS = "#1b6ca8"


def box_plots(found: Evaluation) -> bytes:
    """A PNG: a panel for each metric, in it a box for each organ and a dot for each case.

    Raises:
        ChaosprepError: `extra`, matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ChaosprepError(
            "matplotlib is not installed", "Run: pip install 'chaosprep[plot]'.", "extra"
        ) from error
    organs = [summary.organ for summary in found.summaries]
    with default_style():
        rows = -(-len(_PANELS) // _COLUMNS)
        figure = Figure(figsize=(9, 3 * rows), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, _COLUMNS).ravel()
        for (name, metric), panel in zip(_PANELS.items(), axes, strict=False):
            _panel(panel, name, metric.title, organs, found.results)
            if metric.best:
                panel.set_ylim(top=metric.best + 0.005 * metric.best)
            else:
                panel.set_ylim(bottom=0)
        for panel in axes[len(_PANELS) :]:
            panel.set_axis_off()
        stream = BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


@contextmanager
def default_style() -> Iterator[None]:
    """Draw in matplotlib's own style, not the user's: the same numbers give the same picture."""
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()
        yield


def _panel(
    axes: "Axes", name: str, title: str, organs: Sequence[str], rows: Sequence[OrganResult]
) -> None:
    places = range(1, len(organs) + 1)
    values = [[getattr(row, name) for row in rows if row.organ == organ] for organ in organs]
    known = [[value for value in column if value is not None] for column in values]
    lost = sum(map(len, values)) - sum(map(len, known))
    axes.set_title(title if not lost else f"{title}, {lost} without")
    axes.boxplot(known, positions=places, widths=0.5, showfliers=False, medianprops={"color": "k"})
    for place, column in zip(places, known, strict=True):
        axes.plot([place] * len(column), column, "o", color=_DOTS, markersize=3, alpha=0.6)
    axes.set_xticks(list(places), organs, rotation=20 if len(organs) > 2 else 0)
    axes.set_xlim(0.4, len(organs) + 0.6)
    axes.grid(axis="y", alpha=0.3)
