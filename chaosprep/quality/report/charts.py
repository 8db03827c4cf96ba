"""Small charts as numbers for SVG: lines of area along the slices, bars of a histogram."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chaosprep.quality.report.pictures import CaseView

WIDTH: Final = 300
HEIGHT: Final = 72
"""The drawing area of every chart, in SVG units."""


@dataclass(frozen=True)
class Areas:
    """Organ areas along the slices: a line for each organ, the largest value and its unit."""

    lines: dict[str, str]
    top: float
    unit: str
    volumes: dict[str, float]


@dataclass(frozen=True)
class Bars:
    """A histogram: an outline of its bars, and the window in the units of the drawing."""

    path: str
    left: float
    right: float


def area_chart(view: CaseView) -> Areas | None:
    """Draw organ areas: cm2 where the spacing is known, else pixels; None without areas.

    Volumes are in ml: area x distance between slices, where that is known too.
    """
    largest = max((max(areas) for areas in view.areas.values() if areas), default=0)
    if not largest:
        return None
    between, *inside = view.first.spacing or (None,)
    square = inside[0] * inside[1] / 100 if inside else 1.0
    volumes = {
        organ: sum(areas) * square * between / 10
        for organ, areas in view.areas.items()
        if between is not None
    }
    lines = {organ: _line(areas, largest) for organ, areas in view.areas.items()}
    return Areas(lines, largest * square, "cm²" if inside else "pixels", volumes)


def _line(areas: Sequence[int], largest: int) -> str:
    step = WIDTH / max(len(areas) - 1, 1)
    points = [f"{i * step:.1f} {HEIGHT * (1 - a / largest):.1f}" for i, a in enumerate(areas)]
    return f"M{' L'.join(points)}" + ("h0.1" if len(points) == 1 else "")


def histogram_chart(view: CaseView) -> Bars | None:
    """Draw the histogram; heights go by the square root, so that air does not hide the rest."""
    values = view.values
    if values is None:
        return None
    largest = max(values.counts) ** 0.5
    width = WIDTH / len(values.counts)
    tops = [f"V{HEIGHT * (1 - n**0.5 / largest):.1f}h{width:.3g}" for n in values.counts]
    low, high = (_place(end, values.low, values.high) for end in values.window)
    return Bars(f"M0 {HEIGHT}{''.join(tops)}V{HEIGHT}z", low, high)


def _place(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.0
    return round(WIDTH * min(max(share, 0.0), 1.0), 1)
