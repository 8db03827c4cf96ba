"""The table of a comparison: means over patients, exact p-values, and what follows from them."""

from collections.abc import Sequence
from itertools import product

import msgspec
import pytest

from benchmarks.training.arms import NETWORKS, PREPARED, Arm
from benchmarks.training.results import Done
from benchmarks.training.table import Line, compared, said, shown
from chaosprep.evaluation.results import OrganResult
from tests.evaluation.test_tables import row

FIRST, OTHER, THIRD = PREPARED[:3]
SIX = (0.80, 0.82, 0.84, 0.86, 0.88, 0.90)


def result(patient: int, dice: float, organ: str = "liver") -> OrganResult:
    made = row(f"MR{patient:03}_t1-in", organ)
    return msgspec.structs.replace(made, patient=f"MR{patient:03}", dice=dice)


def trained(arm: Arm, dice: Sequence[float], seed: int = 0) -> list[Done]:
    """A patient in each fold."""
    return [
        Done(arm=arm.name, fold=fold, seed=seed, seconds=1, results=(result(fold, value),))
        for fold, value in enumerate(dice)
    ]


def lines(arms: Sequence[Arm], *done: list[Done]) -> list[Line]:
    """The table of these trainings, of which the first arm has all."""
    found = {one.key: one for some in done for one in some}
    runs = {(one.fold, one.seed) for one in found.values()}
    return compared([arms], found, runs, {})


def by_hand(differences: Sequence[float]) -> float:
    """The part of all assignments of signs whose mean is as far from 0, counted one by one."""
    far = abs(sum(differences)) - 1e-12
    sums = [
        abs(sum(sign * one for sign, one in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(one >= far for one in sums) / len(sums)


def test_a_line_has_the_mean_over_patients_and_its_difference_from_the_first() -> None:
    better = [0.85, 0.86, 0.86, 0.89, 0.90, 0.95]
    first, other = lines([FIRST, OTHER], trained(FIRST, SIX), trained(OTHER, better))
    assert first.dice == pytest.approx(0.85)
    assert first.against is None
    assert other.against is not None
    assert other.dice == pytest.approx(sum(better) / 6)
    assert other.against.difference == pytest.approx(sum(better) / 6 - 0.85)
    assert other.against.p == 2 / 64
    assert other.interval is not None
    assert other.interval.low < sum(better) / 6 < other.interval.high


def test_p_is_that_of_all_signs_and_holm_counts_every_line() -> None:
    mixed, worse = (0.83, 0.80, 0.87, 0.84, 0.91, 0.91), (0.7, 0.7, 0.7, 0.7, 0.7, 0.7)
    done = trained(FIRST, SIX), trained(OTHER, mixed), trained(THIRD, worse)
    _, other, third = lines([FIRST, OTHER, THIRD], *done)
    expected = by_hand([a - b for a, b in zip(mixed, SIX, strict=True)])
    assert other.against
    assert third.against
    assert other.against.p == pytest.approx(expected)
    assert third.against.p == 2 / 64
    assert third.holm == 4 / 64  # the smaller of two counts twice
    assert other.holm == pytest.approx(max(expected, 4 / 64))


def test_the_seeds_of_a_patient_are_one_value_and_no_more_evidence() -> None:
    low, high = [one - 0.1 for one in SIX], [one + 0.1 for one in SIX]
    once = lines([FIRST, OTHER], trained(FIRST, SIX), trained(OTHER, [0.9] * 6))[1]
    twice = lines(
        [FIRST, OTHER],
        [*trained(FIRST, low), *trained(FIRST, high, seed=1)],
        [*trained(OTHER, [0.85] * 6), *trained(OTHER, [0.95] * 6, seed=1)],
    )[1]
    assert once.against
    assert twice.against
    assert twice.dice == pytest.approx(0.9)
    assert twice.against.difference == pytest.approx(once.against.difference)
    assert (twice.against.p, twice.against.patients) == (once.against.p, 6)


def test_the_dice_of_several_organs_is_their_mean() -> None:
    arms = NETWORKS["all"][:2]
    done = [
        Done(
            arm=arm.name,
            fold=fold,
            seed=0,
            seconds=1,
            results=(result(fold, liver), result(fold, 0.5, "spleen")),
        )
        for arm, liver in zip(arms, (0.7, 0.9), strict=True)
        for fold in range(5)
    ]
    first, other = lines(arms, done)
    assert first.dice == pytest.approx(0.6)
    assert other.dice == pytest.approx(0.7)
    assert other.against
    assert other.against.difference == pytest.approx(0.1)


def test_each_group_is_compared_with_its_own_first_line() -> None:
    liver, whole = NETWORKS["liver"][:2], NETWORKS["all"][:2]
    dice = (0.8, 0.9, 0.5, 0.4)
    done = {
        one.key: one
        for arm, value in zip((*liver, *whole), dice, strict=True)
        for one in trained(arm, [value] * 6)
    }
    found = compared([liver, whole], done, {(fold, 0) for fold in range(6)}, {})
    apart = [line.against and round(line.against.difference, 6) for line in found]
    assert apart == [None, 0.1, None, -0.1]
    assert [line.holm for line in found if line.holm is not None] == [4 / 64, 4 / 64]


def test_six_patients_cannot_be_significant_in_the_whole_table_and_it_says_so() -> None:
    done = [trained(FIRST, SIX), *(trained(arm, [0.1] * 6) for arm in PREPARED[1:])]
    found = lines(PREPARED, *done)
    assert [line.verdict for line in found] == ["", *["not significant"] * 7]
    nothing, why = said(found)
    assert nothing == "- More than chance at 5%, by Holm's p: nothing."
    assert "no p can be below 0.031, and none below 0.219" in why


def test_what_is_significant_is_named_with_its_direction() -> None:
    some = [0.8 + place / 100 for place in range(10)]
    done = trained(FIRST, some), trained(OTHER, [one - 0.02 for one in some])
    found = lines([FIRST, OTHER], *done)
    assert found[1].verdict == "worse"
    assert list(said(found)) == [
        "- More than chance at 5%, by Holm's p: 8-bit, 0.5 to 99.5 %, mri, each epoch (worse)."
    ]


def test_an_arm_with_trainings_to_come_has_no_figure() -> None:
    part = trained(OTHER, [0.9] * 6)[:4]
    line = lines([FIRST, OTHER], trained(FIRST, SIX), part)[1]
    assert (line.dice, line.against) == (None, None)
    assert line.instead == "not measured: 4 of 6 trainings"


def test_an_arm_that_cannot_be_gone_says_why() -> None:
    done = {one.key: one for one in trained(FIRST, SIX)}
    runs = {(fold, 0) for fold in range(6)}
    found = compared([[FIRST, OTHER]], done, runs, {OTHER.name: "no such parameter"})
    assert found[1].instead == "not measured: no such parameter"


def test_nothing_is_compared_while_the_first_line_is_not_measured() -> None:
    found = lines([FIRST, OTHER], trained(FIRST, SIX)[:5], trained(OTHER, SIX))
    assert found[1].against is None
    assert list(said(found)) == []


def test_the_table_is_markdown_with_a_line_for_each_arm() -> None:
    done = trained(FIRST, [0.8] * 6), trained(OTHER, [0.9] * 6)
    header, _, first, other = shown(lines([FIRST, OTHER], *done), ("input", "augmentation"))
    assert cells(header)[:4] == ["input", "augmentation", "Dice", "95 %"]
    assert cells(first) == ["16-bit, as stored", "mri, each epoch", "0.800", "-", *[""] * 5]
    assert cells(other)[2:] == ["0.900", "-", "+0.100", "-", "0.031", "0.031", "better"]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
