"""A box plot for each metric, drawn without a screen and without matplotlib's global state."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from chaosprep.errors import ChaosprepError
from chaosprep.evaluation.paired import Comparison
from chaosprep.evaluation.results import Evaluation, OrganResult, shown
from chaosprep.words import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_DOTS = "#1b6ca8"


def box_plots(found: Evaluation) -> bytes:
    """A PNG: a panel for each metric, in it a box for each organ and a dot for each case.

    Raises:
        ChaosprepError: `extra`, matplotlib is not installed.
    """
    organs = [summary.organ for summary in found.summaries]
    panels = {name: metric for name, metric in shown(found.results).items() if metric.title}
    rows = -(-len(panels) // _COLUMNS)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots(rows, _COLUMNS).ravel()
        for (name, metric), panel in zip(panels.items(), axes, strict=False):
            _panel(panel, name, metric.title, organs, found.results)
            panel.set_ylim(**({"top": 1.005 * metric.best} if metric.best else {"bottom": 0}))
        for panel in axes[len(panels) :]:
            panel.set_axis_off()

    return drawn(draw, (9, 3 * rows), dpi=120)


def paired_plots(found: Comparison) -> bytes:
    """To be drawn."""
    raise NotImplementedError


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
    shown = [shortened(organ, 24).replace("$", r"\$") for organ in organs]  # else a formula
    axes.set_xticks(list(places), shown, rotation=20 if len(organs) > 2 else 0)
    axes.set_xlim(0.4, len(organs) + 0.6)
    axes.grid(axis="y", alpha=0.3)
