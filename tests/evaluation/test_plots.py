"""What the pictures of an evaluation show: dots that can be told apart, limits, patients' lines."""

from io import BytesIO
from itertools import pairwise

import msgspec
import pytest
from PIL import Image

from chaosprep.evaluation import plots
from chaosprep.evaluation.bland_altman import volume_limits
from chaosprep.evaluation.paired.comparison import Comparison
from chaosprep.evaluation.paired.differences import by_patient
from chaosprep.evaluation.panels import boxes, lines, volumes
from chaosprep.evaluation.plots import paired_plots
from chaosprep.evaluation.results import METRICS
from tests.evaluation.test_tables import found, many, row

figures = pytest.importorskip("matplotlib.figure")


def test_dots_of_equal_values_lie_side_by_side_within_their_box() -> None:
    axes = figures.Figure().subplots()
    boxes(axes, "dice", METRICS["dice"], ["liver", "spleen"], [row(f"c{n}") for n in range(20)])
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    places = sorted(dots.get_xdata())
    assert len(places) == 20
    assert min(b - a for a, b in pairwise(places)) > 0.005
    assert 0.75 < places[0] < 0.9
    assert 1.1 < places[-1] < 1.25


def test_the_volumes_are_drawn_over_their_mean_between_the_limits() -> None:
    rows = [
        msgspec.structs.replace(row(f"c{n}", "a$b"), pred_ml=100.0 + n, ref_ml=100.0 - n)
        for n in range(4)
    ]
    volume = volume_limits([one.pred_ml for one in rows], [one.ref_ml for one in rows])
    assert volume is not None
    axes = figures.Figure().subplots()
    volumes(axes, "a$b", volume, rows, "")
    dots, *across = axes.lines
    assert list(dots.get_xdata()) == [100] * 4
    assert list(dots.get_ydata()) == [0, 2, 4, 6]
    assert [line.get_ydata()[0] for line in across] == [3, volume.low, volume.high]
    assert axes.get_title() == "Volume of a\\$b\nbias 3.00, limits -2.06 to 8.06 ml"


def test_each_patient_is_a_line_from_a_to_b_and_the_mean_a_thick_one() -> None:
    pairs = [(a, b) for a, b in zip(many().results, reversed(many().results), strict=True)]
    pairs = [(a, msgspec.structs.replace(b, patient=a.patient, case=a.case)) for a, b in pairs]
    axes = figures.Figure().subplots()
    lines(axes, METRICS["dice"], {"liver": by_patient(pairs, "dice"), "spleen": {}}, 2)
    drawn = [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert drawn[:-1] == [[a.dice, b.dice] for a, b in pairs]
    assert drawn[-1] == pytest.approx([0.75, 0.75])
    assert axes.get_title() == "Dice, 2 without"


def test_a_comparison_is_a_picture_and_the_same_each_time() -> None:
    a, b = many(), found(*(msgspec.structs.replace(one, dice=0.5) for one in many().results))
    compared = Comparison(per="case", cases=6, patients=6, differences=(), a=a, b=b)
    drawn = paired_plots(compared)
    assert drawn == paired_plots(compared)
    assert Image.open(BytesIO(drawn)).size == (1080, 1080)  # six metrics and the legend


def test_of_many_organs_some_have_their_volumes_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_MOST", 2)
    rows = [row(case, f"organ {n}") for n in range(9) for case in ("c1", "c2")]
    bare = [msgspec.structs.replace(one, mssd=None, score=None) for one in rows]
    picture = Image.open(BytesIO(plots.box_plots(found(*bare))))
    assert picture.size == (1080, 3 * 360)  # five metrics and two organs
