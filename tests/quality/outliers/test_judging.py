"""Planted oddities among cases that vary as people do: each is found, said in words, and alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.outliers.judging import LEAST, of_cases, outliers, reason_of
from chaosprep.quality.outliers.values import CaseValues, StructureValues


def cohort(count: int, seed: int = 0) -> list[CaseValues]:
    """Cases whose volumes and intensities are log-normal, and whose positions are normal."""
    rng = np.random.default_rng(seed)
    found = []
    for at in range(count):
        centre = tuple(float(one) for one in rng.normal(0.5, 0.03, 3))
        liver = StructureValues(
            ml=float(np.exp(rng.normal(7.3, 0.2))),
            voxels=1000,
            jump=float(rng.normal(0.25, 0.04)),
            holes=int(rng.integers(2)),
            islands=int(rng.integers(2)),
            centre=centre,  # type: ignore[arg-type]
        )
        bright = float(np.exp(rng.normal(6, 0.2)))
        found.append(
            CaseValues(
                id=f"MR{at:03d}_t1",
                patient=f"MR{at:03d}",
                side="train",
                sequence="t1",
                shape=(30, 256, 256),
                spacing=(float(rng.choice([5.5, 6.0, 6.5])), 1.6, 1.6),
                percentiles=(0.0, bright / 8, bright),
                structures={"liver": liver},
            )
        )
    return found


@dataclass(frozen=True)
class Planted:
    value: str
    change: Callable[[CaseValues], CaseValues]


def with_liver(**changes: object) -> Callable[[CaseValues], CaseValues]:
    def change(case: CaseValues) -> CaseValues:
        liver = msgspec.structs.replace(case.structures["liver"], **changes)
        return msgspec.structs.replace(case, structures={"liver": liver})

    return change


def larger(case: CaseValues) -> CaseValues:
    return with_liver(ml=(case.structures["liver"].ml or 0) * 4)(case)


PLANTED = [
    Planted(
        "distance between slices", lambda c: msgspec.structs.replace(c, spacing=(55, 1.6, 1.6))
    ),
    Planted("distance between rows", lambda c: msgspec.structs.replace(c, spacing=(6, 0.16, 1.6))),
    Planted("liver volume", larger),
    Planted("liver largest jump of area between slices", with_liver(jump=1.0)),
    Planted("liver holes", with_liver(holes=30)),
    Planted("liver islands", with_liver(islands=30)),
    Planted("liver position along the columns", with_liver(centre=(0.5, 0.5, 0.95))),
    Planted(
        "99th percentile of the pixels",
        lambda c: msgspec.structs.replace(c, percentiles=(0.0, 50.0, 40_000.0)),
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one.value)
def test_what_was_planted_is_found_and_nothing_else(planted: Planted) -> None:
    cases = cohort(20)
    assert not outliers(cases)
    cases[7] = planted.change(cases[7])
    found = outliers(cases)
    assert [(one.case, one.value) for one in found] == [("MR007_t1", planted.value)]


def test_the_reason_says_the_value_and_the_others() -> None:
    cases = cohort(9)
    cases = [with_liver(ml=1400.0 + at)(case) for at, case in enumerate(cases)]
    cases[0] = with_liver(ml=212.0)(cases[0])
    (found,) = outliers(cases)
    assert found.reason == (
        "liver volume 212 ml; the median of 9 cases is 1,404 ml, half of them 1,402 ml to 1,406 ml"
    )
    assert found.z < 0


def test_values_that_are_equal_in_all_others_have_a_least_spread() -> None:
    cases = [with_liver(islands=0)(case) for case in cohort(12)]
    cases[3] = with_liver(islands=1)(cases[3])
    assert not [one for one in outliers(cases) if one.value == "liver islands"]


def test_few_cases_are_not_judged() -> None:
    cases = cohort(LEAST - 1)
    cases[0] = larger(cases[0])
    assert not outliers(cases)


def test_cases_are_compared_within_their_sequence() -> None:
    others = [
        msgspec.structs.replace(case, id=f"{case.patient}_t2", sequence="t2", spacing=(1, 1, 1))
        for case in cohort(9, seed=1)
    ]
    assert not outliers([*cohort(9), *others])


def test_a_case_says_its_farthest_values_first() -> None:
    cases = cohort(20)
    cases[2] = msgspec.structs.replace(larger(cases[2]), spacing=(550, 160, 160))
    some = of_cases(outliers(cases))["MR002_t1"]
    assert [abs(one.z) for one in some] == sorted((abs(one.z) for one in some), reverse=True)
    assert reason_of(some).endswith("; and 1 more")


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine patients, of whom the last has slices ten times as far apart."""
    place = tmp_path_factory.mktemp("nine")
    patients = [Patient(id=id, slices=4, matrix=32, sequences=("t1-in",)) for id in range(1, 10)]
    return write_chaos(place, patients)


def test_inspect_and_verify_say_who_stands_out(nine: Path, tmp_path: Path) -> None:
    import pydicom

    for file in (nine / "Train_Sets/MR/9").rglob("*.dcm"):
        read = pydicom.dcmread(file)
        read.PixelSpacing = [float(one) / 10 for one in read.PixelSpacing]
        read.save_as(file)
    found = chaosprep.inspect(nine)
    assert {one.case for one in found.outliers} == {"MR009_t1-in"}
    pairs = chaosprep.split(nine, tmp_path / "out")
    verdict = chaosprep.verify(pairs.directory)
    told = {one.id for one in verdict.warnings if one.code == "outlier"}
    assert told == {"MR009_t1-in"}
    assert not verdict.faults
    inside = chaosprep.inspect(pairs.directory)
    assert {one.case for one in inside.outliers} == {"MR009_t1-in"}
