"""The table fits 80 columns, the CSV has everything, the plot is the same picture each time."""

import csv
from io import BytesIO, StringIO
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from chaosprep.evaluation.compare import measure
from chaosprep.evaluation.plots import box_plots
from chaosprep.evaluation.results import Evaluation, OrganResult, summarize
from chaosprep.evaluation.tables import csv_text, table, volume_lines
from chaosprep.layouts.mask_set import CaseMasks, MaskCase


def row(case: str = "MR001_t1-in", organ: str = "liver", cols: int = 1) -> OrganResult:
    """A block of 4 x 4 x 4 voxels and itself, some columns further."""
    ref, pred = np.zeros((6, 6, 9), dtype=bool), np.zeros((6, 6, 9), dtype=bool)
    ref[1:5, 1:5, 1:5] = True
    pred[1:5, 1:5, 1 + cols : 5 + cols] = True
    case_of = MaskCase("MR001", "MR001", (), lambda organs: CaseMasks(np.zeros((0, 0, 0), "u1")))
    return measure(case, case_of, organ, pred, ref, (5.0, 2.0, 2.0))


def found(*rows: OrganResult, **changes: Any) -> Evaluation:
    made = Evaluation(
        pred="a",
        ref="b",
        per="case",
        cases=len(rows),
        score=0,
        results=rows,
        summaries=summarize(rows),
    )
    return msgspec.structs.replace(made, **changes)


def test_a_row_then_mean_deviation_and_number_of_cases() -> None:
    lines = table(found(row("MR001_t1-in"), row("MR002_t1-in", cols=2)))
    assert lines == [
        "Case        Organ   Dice   Prec Recall  RAVD%   ASSD   MSSD   HD95  Score",
        "MR001_t1-in liver  0.750  0.750  0.750    0.0   0.71    2.0    2.0   73.0",
        "MR002_t1-in liver  0.500  0.500  0.500    0.0   1.71    4.0    4.0   70.5",
        "mean        liver  0.625  0.625  0.625    0.0   1.21    3.0    3.0   71.7",
        "+- sd       liver  0.177  0.177  0.177    0.0   0.71    1.4    1.4    1.8",
        "cases       liver      2      2      2      2      2      2      2      2",
    ]


def test_what_cannot_be_measured_is_a_hyphen() -> None:
    lost = msgspec.structs.replace(row(), assd=None, mssd=None, hd95=None)
    lines = table(found(lost))
    assert lines[1].split()[6:9] == ["-", "-", "-"]
    assert lines[-1].split()[2:] == ["1", "1", "1", "1", "0", "0", "0", "1"]


def test_chaos_cases_and_organs_fit_80_columns() -> None:
    lines = table(found(*(row("MR001_t1-in", organ) for organ in ("liver", "right-kidney"))))
    assert max(map(len, lines)) == 80
    assert lines[2].startswith("MR001_t1-in right-kidney ")


def test_a_long_name_stands_once_above_its_organs() -> None:
    long = "a-long-patient-name_t2-spir"
    lines = table(found(row(long, "liver"), row(long, "right-kidney"), row("b", "liver")))
    assert lines[1] == long
    assert [line.split()[0] for line in lines[2:5]] == ["liver", "right-kidney", "b"]
    assert max(map(len, lines)) <= 80


def test_a_long_organ_widens_the_table() -> None:
    lines = table(found(row("a", "left-adrenal-gland-and-its-tumor")))
    assert [line.split()[0] for line in lines] == ["Case", "a", "mean", "+-", "cases"]
    assert len({len(line) for line in lines}) == 1


def test_csv_has_every_value_and_nothing_for_none() -> None:
    rows = row(), msgspec.structs.replace(row("MR002_t1-in"), assd=None, split="val")
    read = list(csv.DictReader(StringIO(csv_text(found(*rows)))))
    assert list(read[0]) == list(OrganResult.__struct_fields__)[:-1]  # but the list of lesions
    assert [line["case"] for line in read] == ["MR001_t1-in", "MR002_t1-in"]
    assert [line["split"] for line in read] == ["", "val"]
    assert [line["assd"] for line in read] == [f"{rows[0].assd:.6f}", ""]
    assert read[0]["pred_voxels"] == "64"


def test_the_box_plot_is_a_picture_and_the_same_each_time() -> None:
    from matplotlib import rcParams

    before = dict(rcParams)
    organs = ("liver", "right-kidney", "left-kidney", "spleen")
    rows = [row(f"c{n}", organ, cols=n) for n in (0, 1, 2) for organ in organs]
    rows.append(msgspec.structs.replace(rows[0], case="d", assd=None))
    drawn = box_plots(found(*rows))
    assert drawn == box_plots(found(*rows))
    assert dict(rcParams) == before
    assert b"Software" not in drawn
    picture = np.asarray(Image.open(BytesIO(drawn)).convert("L"))
    assert picture.shape == (1440, 1080)  # six metrics, and the volumes of four organs
    assert (picture < 128).any()


def many(**changes: Any) -> Evaluation:
    """Six patients, one row each, the later ones the worse."""
    rows = [
        msgspec.structs.replace(row(f"MR00{place}_t1-in", cols=place % 3), patient=f"MR00{place}")
        for place in range(6)
    ]
    return found(*(msgspec.structs.replace(one, **changes) for one in rows))


def test_from_5_patients_on_the_interval_stands_below() -> None:
    lines = table(many())
    interval = many().summaries[0].metrics["dice"].interval
    assert interval is not None
    assert [line[:11].strip() for line in lines[-3:]] == ["cases", "95 % low", "95 % high"]
    assert lines[-2].split()[4] == f"{interval.low:.3f}"
    assert lines[-1].split()[4] == f"{interval.high:.3f}"
    assert lines[-1].split()[7] == "-"  # RAVD, of which all are 0
    assert max(map(len, lines)) <= 80


def test_where_patients_have_several_rows_their_number_stands_below() -> None:
    rows = many().results
    more = [msgspec.structs.replace(one, case=one.case.replace("t1-in", "t2-spir")) for one in rows]
    lines = table(found(*rows, *more))
    assert lines[-4].split()[:3] == ["cases", "liver", "12"]
    assert lines[-1].split()[:3] == ["patients", "liver", "6"]


def test_volumes_have_a_line_with_bias_and_limits_for_each_organ() -> None:
    ml = 64 * 20 / 1000
    rows = [
        msgspec.structs.replace(one, pred_ml=ml + place)
        for place, one in enumerate(many().results[:3])
    ]
    rows += [msgspec.structs.replace(one, organ="right-kidney") for one in rows[:2]]
    assert volume_lines(found(*rows)) == [
        "volume liver         bias 1.00 ml, limits -0.96 to 2.96 ml",
        "volume right-kidney  bias 0.50 ml, limits -0.89 to 1.89 ml",
    ]
    assert volume_lines(found(rows[0])) == []
    assert summarize(rows, sliced=True)[0].volume is None


def test_the_interval_of_an_organ_does_not_depend_on_the_others() -> None:
    """Not even where the organs are in different cases, and patients have several."""
    rows = [
        msgspec.structs.replace(row(f"c{n}", organ), patient=f"p{n % 9}", dice=1 / (n + 2))
        for n in range(24)
        for organ in ("liver", "spleen")
        if organ == "liver" or n not in (0, 3, 11)
    ]
    alone = [one for one in rows if one.organ == "spleen"]
    found, same = (summarize(some)[-1].metrics["dice"].interval for some in (rows, alone))
    assert found is not None
    assert same is not None
    assert found.patients == same.patients == 9
    assert (found.low, found.high) == pytest.approx((same.low, same.high), abs=1e-12)
