"""CT of two passes under one UID, whose slices lie between each other, is two volumes."""

from random import Random

import pytest

from chaosprep.layouts.headers.dividing import divide
from chaosprep.layouts.headers.head import Head

Said = dict[str, object]


def ct(
    name: str, first: float, said: list[Said], step: float = 4.0, modality: str = "CT"
) -> list[Head]:
    """A stack from a height on; of each slice, what its header says, and its InstanceNumber."""
    return [
        Head(
            f"{name}{n:03}",
            None,
            4,
            5,
            (0.0, 0.0, first + step * n),
            (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            (1.0, 1.0),
            f"1.2.{ord(name)}.{n}",
            one.get("InstanceNumber"),  # type: ignore[arg-type]
            {"Modality": modality, **{k: str(v) for k, v in one.items() if k != "InstanceNumber"}},
        )
        for n, one in enumerate(said)
    ]


def divided(heads: list[Head]) -> list[str]:
    """The names of the stacks in each volume, and how many slices they have."""
    Random(1).shuffle(heads)
    return [
        "+".join(sorted({head.path[0] for head in part})) + f" {len(part)}"
        for part in divide(heads)
    ]


def times(minute: int) -> list[Said]:
    return [{"AcquisitionTime": f"10{minute}{n:02}.5"} for n in range(8)]


def numbers(*every: int) -> list[Said]:
    return [{"InstanceNumber": number} for number in every]


@pytest.mark.parametrize(
    "between", [2.0, 1.2, 26.0], ids=["half a step", "a third", "partly above"]
)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (times(10), times(11)),
        ([{"AcquisitionTime": "101000"}] * 8, [{"AcquisitionTime": "101100"}] * 8),
        (numbers(*range(1, 9)), numbers(*range(9, 17))),
        (numbers(*range(8, 0, -1)), numbers(*range(16, 8, -1))),
    ],
    ids=["a time for each slice", "a time for each pass", "numbers", "numbers downwards"],
)
def test_two_passes_are_two_volumes(first: list[Said], second: list[Said], between: float) -> None:
    assert divided(ct("a", 0, first) + ct("v", between, second)) == ["a 8", "v 8"]


def test_mr_scans_every_other_slice_in_turns() -> None:
    first, second = ct("a", 0, times(10), modality="MR"), ct("v", 2, times(11), modality="MR")
    assert divided(first + second) == ["a+v 16"]


def shuffled(count: int) -> list[int]:
    return Random(count).sample(range(1, count + 1), count)


def as_files_are_sorted(count: int) -> list[int]:
    """The numbers of `im1`, `im10`, `im11`, `im2` and so on."""
    names = sorted(map(str, range(1, count + 1)))
    return [names.index(str(n)) + 1 for n in range(1, count + 1)]


@pytest.mark.parametrize("made", [shuffled, as_files_are_sorted])
def test_one_pass_stays_one_however_it_is_numbered(made: object) -> None:
    for count in range(2, 260):
        assert divided(ct("a", 0, numbers(*made(count)))) == [f"a {count}"]  # type: ignore[operator]


def test_stations_one_above_the_other_stay_one() -> None:
    heads = ct("a", 0, numbers(*range(8, 0, -1))) + ct("b", 40, numbers(*range(16, 8, -1)))
    assert divided(heads) == ["a+b 16"]
