"""Planted faults stand out with their reason; what is sound does not."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.quality.outliers.judging import FEWEST, Outlier, outlier_warnings, outliers
from chaosprep.quality.outliers.values import CaseValues

Volume = NDArray[Any]
Plant = Callable[[Volume, Volume, list[float]], None]
FAULTY = "case05"
SLICES, ROWS, COLS = np.mgrid[:24, :48, :48]


def ball(rng: np.random.Generator, factor: float = 1.0) -> Volume:
    radius = 8 * rng.uniform(0.97, 1.03) * factor ** (1 / 3)
    inside: Volume = radius**2 > (SLICES - 12) ** 2 + (ROWS - 22) ** 2 + (COLS - 15) ** 2
    return inside


def measured(id: str, image: Volume, mask: Volume, spacing: list[float]) -> CaseValues:
    gauge = Gauge(id, id, "train", "t1-in", (spacing[0], spacing[1], spacing[2]))
    for plane, inside in zip(image, mask, strict=True):
        gauge.add(plane, [("liver", inside)])
    values = gauge.values()
    assert values is not None
    return values


def cohort(plant: Plant | None = None, *, count: int = 12, factor: float = 1.0) -> list[CaseValues]:
    rng = np.random.default_rng(7)
    found = []
    for number in range(count):
        id = f"case{number:02}"
        mask = ball(rng, factor if id == FAULTY else 1.0)
        image = (100 + 300 * mask + rng.normal(0, 5, mask.shape)) * rng.uniform(0.9, 1.1)
        spacing = [3.0 * rng.uniform(0.97, 1.03), 1.5, 1.5]
        if plant is not None and id == FAULTY:
            plant(image, mask, spacing)
        found.append(measured(id, image, mask, spacing))
    return found


def only(found: tuple[Outlier, ...]) -> Outlier:
    assert len(found) == 1, found
    return found[0]


def test_a_sound_cohort_has_none() -> None:
    assert outliers(cohort()) == ()


def in_cm(image: Volume, mask: Volume, spacing: list[float]) -> None:
    spacing[1:] = [0.15, 0.15]


def to_the_other_side(image: Volume, mask: Volume, spacing: list[float]) -> None:
    mask[:] = mask[:, :, ::-1]


def tenfold(image: Volume, mask: Volume, spacing: list[float]) -> None:
    image *= 10


def inverted(image: Volume, mask: Volume, spacing: list[float]) -> None:
    image[:] = image.max() - image


def holed(image: Volume, mask: Volume, spacing: list[float]) -> None:
    mask[12, 22, 15] = False


def with_islands(image: Volume, mask: Volume, spacing: list[float]) -> None:
    mask[12, 40, 40] = mask[12, 44, 44] = True


def without_a_slice(image: Volume, mask: Volume, spacing: list[float]) -> None:
    mask[12] = False


def without_mask(image: Volume, mask: Volume, spacing: list[float]) -> None:
    mask[:] = False


@pytest.mark.parametrize(
    ("plant", "value", "reason"),
    [
        (in_cm, "spacing of rows", "rows are 0.15 mm apart; all 11 others 1.5 mm"),
        (to_the_other_side, "liver place in cols", "the centre of liver lies at 68 % of the way"),
        (tenfold, "intensity 99th percentile", "the 99th percentile of its pixels is "),
        (inverted, "intensity median", "the median of its pixels is "),
        (holed, "liver holes", "liver has 1 hole; the median of 11 others is 0"),
        (with_islands, "liver islands", "liver has 2 islands; the median of 11 others is 0"),
        (
            without_a_slice,
            "liver gaps",
            "liver is missing in 1 slice; the median of 11 others is 0",
        ),
        (without_mask, "liver missing", "liver is missing; 11 of 12 cases show it"),
    ],
)
def test_a_planted_fault_alone_stands_out(plant: Plant, value: str, reason: str) -> None:
    found = only(outliers(cohort(plant)))
    assert (found.case, found.value) == (FAULTY, value)
    assert found.reason.startswith(reason)


def test_a_structure_three_times_too_large_stands_out_with_its_volume() -> None:
    found = outliers(cohort(factor=3.0))
    assert {one.case for one in found} == {FAULTY}
    voxels = {case.id: case.structures["liver"].voxels for case in cohort(factor=3.0)}
    assert voxels[FAULTY] > 2.5 * max(n for id, n in voxels.items() if id != FAULTY)
    assert found[0].value == "liver volume"
    assert found[0].reason.startswith("liver has ")
    assert " ml; the median of 11 others is " in found[0].reason


def test_few_cases_are_not_judged() -> None:
    assert outliers(cohort(tenfold, count=FEWEST - 1)) == ()
    assert outliers(cohort(tenfold, count=FEWEST))


def test_the_score_is_the_modified_z_of_the_logarithm() -> None:
    slices = [2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 30.0]
    values = [
        CaseValues(
            id=f"c{n}",
            patient=f"c{n}",
            side="train",
            sequence="ct",
            shape=(10, 8, 8),
            spacing=(mm, 1.0, 1.0),
            percentiles=None,
            structures={},
        )
        for n, mm in enumerate(slices)
    ]
    logs = np.log(slices)
    away = np.abs(logs - np.median(logs))
    found = only(outliers(values))
    assert found.z == pytest.approx(away[-1] / (1.4826 * np.median(away)))
    assert found.value == "spacing of slices"


def test_two_protocols_are_no_outliers() -> None:
    values = cohort(in_cm, count=12)
    one, other = values[0], values[5]
    assert outliers([*[one] * 8, *[other] * 4]) == ()


def test_a_case_is_one_warning_whatever_is_odd_about_it() -> None:
    def both(image: Volume, mask: Volume, spacing: list[float]) -> None:
        tenfold(image, mask, spacing)
        holed(image, mask, spacing)

    values = cohort(both)
    (warning,) = outlier_warnings(values, outliers(values))
    assert (warning.id, warning.code) == (FAULTY, "outlier")
    assert "99th percentile" in warning.reason
    assert "1 hole" in warning.reason


def test_sequences_are_compared_with_themselves() -> None:
    rng = np.random.default_rng(1)
    values = []
    for number in range(20):
        gauge = Gauge(f"c{number}", f"c{number}", "train", "a" if number < 18 else "b", None)
        gauge.add(rng.normal(100 if number < 18 else 9000, 5, (16, 16)), [])
        one = gauge.values()
        assert one is not None
        values.append(one)
    assert outliers(values) == ()


def counted(holes: list[int]) -> list[CaseValues]:
    """Cases of which only the holes differ."""
    one = cohort(count=1)[0]
    liver = one.structures["liver"]
    return [
        msgspec.structs.replace(
            one,
            id=f"c{number}",
            structures={"liver": msgspec.structs.replace(liver, holes=count)},
        )
        for number, count in enumerate(holes)
    ]


def test_what_happens_in_one_case_of_twelve_is_no_wonder() -> None:
    often = [1 if number % 12 == 0 else 0 for number in range(100)]
    assert outliers(counted(often)) == ()
    seldom = [1 if number == 40 else 0 for number in range(100)]
    assert [one.case for one in outliers(counted(seldom))] == ["c40"]
    assert [one.case for one in outliers(counted([*often, 6]))] == ["c100"]


@pytest.mark.parametrize("mean", [0.1, 0.3, 1.0, 3.0])
def test_random_counts_seldom_stand_out(mean: float) -> None:
    told = 0
    for seed in range(20):
        drawn = np.random.default_rng(seed).poisson(mean, 100).tolist()
        told += len(outliers(counted(drawn)))
    assert told <= 0.01 * 20 * 100


def test_a_scan_that_begins_elsewhere_is_sound() -> None:
    def lower(image: Volume, mask: Volume, spacing: list[float]) -> None:
        for volume in (image, mask):
            volume[:] = np.roll(volume, -4, axis=0)

    assert outliers(cohort(lower)) == ()


def test_sizes_that_nobody_has_are_said_shortly() -> None:
    one = cohort(count=1)[0]
    values = [msgspec.structs.replace(one, id=f"c{number}") for number in range(11)]
    values.append(msgspec.structs.replace(one, id="far", percentiles=(0.0, 1.0, 1e300)))
    found = [o for o in outliers(values) if o.value == "intensity 99th percentile"]
    assert found[0].reason.startswith("the 99th percentile of its pixels is 1e+300;")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mm", [1e-200, 1e200, float("nan"), float("inf")])
def test_a_spacing_that_cannot_be_is_unknown(mm: float) -> None:
    image, mask = np.zeros((2, 4, 4)), np.ones((2, 4, 4), bool)
    assert measured("c", image, mask, [mm, 1.0, 1.0]).spacing is None
