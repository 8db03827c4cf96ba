"""What slices share across sides, summed up by their cases."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.quality.alike.leaks import across, duplicates, patients_by_name
from chaosprep.quality.findings import Seen

Pixels = NDArray[np.uint8]
RANDOM = np.random.default_rng(0)


def stack(case: str, side: str, images: list[Pixels]) -> list[Seen]:
    return [
        Seen.of(image, (f"{case}_s{k:03d}", case, side, f"{case}_s{k:03d}.png"), with_picture=False)
        for k, image in enumerate(images)
    ]


def slices(count: int) -> list[Pixels]:
    return list(RANDOM.integers(0, 255, (count, 8, 8)).astype(np.uint8))


def test_slices_of_a_case_in_another_are_one_fault_with_their_number() -> None:
    mine = slices(14)
    found = across([*stack("A", "train", mine), *stack("B", "val", [*mine[:12], *slices(2)])])
    (fault,) = found.faults
    assert (fault.code, fault.id) == ("leakage", "B")
    assert fault.reason == "in val, 12 of its 14 slices have the pixels of A in train"
    assert (found.equal_slices, found.warnings, found.near_duplicates) == (12, [], 0)


def test_a_single_slice_is_named_with_the_one_that_it_is() -> None:
    mine = slices(3)
    found = across([*stack("A", "train", mine), *stack("B", "val", [*slices(2), mine[1]])])
    (fault,) = found.faults
    assert (fault.id, fault.reason) == ("B_s002", "in val, with the pixels of A_s001 in train")


def test_each_pair_of_cases_has_a_fault_of_its_own() -> None:
    one, other = slices(3), slices(4)
    seen = [*stack("A", "train", one), *stack("B", "train", other), *stack("C", "val", one + other)]
    reasons = [fault.reason for fault in across(seen).faults]
    assert reasons == [
        "in val, 3 of its 7 slices have the pixels of A in train",
        "in val, 4 of its 7 slices have the pixels of B in train",
    ]


def test_pictures_of_a_stack_on_one_side_are_one_warning() -> None:
    mine = slices(5)
    found = duplicates([*stack("train/A", "train", mine), *stack("train/B", "train", mine)])
    (warning,) = found.warnings
    assert (warning.code, warning.id, found.faults) == ("duplicate", "train/B", [])
    assert warning.reason == "5 of its 5 slices have the pixels of train/A"


def test_pictures_that_are_numbered_for_a_whole_side_are_named_one_by_one() -> None:
    mine = slices(2)
    seen = [
        Seen.of(image, (f"{side}/{k:04d}", "", side, f"{k}.png"), with_picture=False)
        for side in ("train", "val")
        for k, image in enumerate(mine)
    ]
    assert [fault.id for fault in duplicates(seen).faults] == ["val/0000", "val/0001"]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("MR007_s001", "mr7_s002", ["mr 7"]),
        ("site/sub-07_t1", "other/sub-7_t2", ["sub 7"]),
        ("liver_ct12_s1", "liver_ct012_s2", ["liver_ct 12"]),
        ("P12_MR1_003", "P13_MR1_004", []),
        ("site1/case_001/a", "site2/case_001/b", []),
        ("train_ct_1_a", "val_ct_1_a", []),
        ("patient12_a", "patient121_a", []),
    ],
)
def test_names_of_one_patient_on_two_sides(one: str, other: str, told: list[str]) -> None:
    seen = [
        Seen(f"{side}/{name}", "", side, None, None)
        for side, name in (("train", one), ("val", other))
    ]
    assert [problem.id for problem in patients_by_name(seen)] == told
