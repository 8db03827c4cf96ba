"""Numbers become kinds: bins of about equally many patients."""

from collections import Counter

import pytest

from chaosprep.division.kinds import kinds_of
from chaosprep.division.sides import Sides
from chaosprep.layouts.root import Traits


def kinds(numbers: list[float], val: int, wish: str = "volume:liver") -> list[str]:
    """The kinds of patients with these numbers, of whom so many validate."""
    traits: Traits = {f"P{at:03}": {wish: number} for at, number in enumerate(numbers)}
    sides: Sides = {
        one: ("val" if at < val else "train", None) for at, one in enumerate(sorted(traits))
    }
    return [kinds_of(traits, sides)[wish][one] for one in sorted(traits)]


def test_many_numbers_go_into_four_bins_of_equal_size() -> None:
    found = Counter(kinds([float(n) for n in range(40)], val=8))
    assert found == {"0..9": 10, "10..19": 10, "20..29": 10, "30..39": 10}


def test_equal_numbers_stay_together() -> None:
    found = kinds([0.0] * 15 + [float(n) for n in range(1, 26)], val=8)
    assert set(found[:15]) == {"0"}


@pytest.mark.parametrize(
    ("patients", "val", "bins"), [(40, 8, 4), (15, 3, 3), (10, 2, 2), (5, 1, 1)]
)
def test_a_small_part_makes_fewer_bins(patients: int, val: int, bins: int) -> None:
    assert len({*kinds([n + 0.5 for n in range(patients)], val)}) == bins


def test_every_bin_has_as_many_patients_as_there_are_parts() -> None:
    for count in range(2, 30):
        found = Counter(kinds([float(n * n % 17) for n in range(count)], val=max(1, count // 5)))
        assert min(found.values()) >= 2


def test_few_different_numbers_are_kinds_of_their_own() -> None:
    assert kinds([1.5, 3.0, 1.5, 3.0, 3.0], val=1) == ["1.5", "3", "1.5", "3", "3"]


def test_the_oldest_are_90_and_more() -> None:
    found = kinds([40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 90.0, 90.0], val=4, wish="age")
    assert found[-1].endswith("90+")
    assert "90+" not in found[0]


def test_bins_that_differ_in_late_digits_are_told_apart() -> None:
    assert {*kinds([127_740.1] * 8 + [127_740.2] * 8, val=2)} == {"127740.1", "127740.2"}
    assert len({*kinds([127_740 + n / 10 for n in range(40)], val=8)}) == 4
    assert len({*kinds([1.0] * 8 + [1.0 + 2**-52] * 8, val=2)}) == 2
