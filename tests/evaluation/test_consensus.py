"""The consensus of readers, beside numpy's majority and STAPLE's EM by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.evaluation.consensus import majority, staple


def readers(count: int) -> list[NDArray[np.uint8]]:
    """A block of label 1 and one of label 2, each voxel drawn wrong by some readers."""
    rng = np.random.default_rng(5)
    true = np.zeros((4, 12, 12), np.uint8)
    true[1:3, 2:7, 2:7] = 1
    true[1:3, 7:11, 6:11] = 2
    found = []
    for wrong in np.linspace(0.05, 0.3, count):
        drawn = true.copy()
        drawn[rng.random(true.shape) < wrong] = 0
        drawn[rng.random(true.shape) < wrong / 8] = 1
        found.append(drawn)
    return found


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_majority_is_the_label_of_more_than_half(count: int) -> None:
    drawn = readers(count)
    voted = majority(drawn, 2)
    for voxel in np.ndindex(voted.shape):
        votes = np.bincount([one[voxel] for one in drawn], minlength=3)
        label = int(votes[1:].argmax()) + 1
        assert voted[voxel] == (label if votes[label] * 2 > count else 0)


def test_a_tie_of_two_is_background() -> None:
    one, two = (np.array([[values]], np.uint8) for values in ([1, 1, 0, 2], [1, 0, 1, 1]))
    assert majority([one, two], 2).tolist() == [[[1, 0, 0, 0]]]


def test_staple_is_that_of_em_by_hand() -> None:
    drawn = [(one == 1).astype(np.uint8) for one in readers(3)]
    seen = np.stack([one.ravel() for one in drawn]).astype(bool)
    prior, p, q = seen.mean(), np.full(3, 0.99999), np.full(3, 0.99999)
    for _ in range(2000):
        yes = prior * np.where(seen, p[:, None], 1 - p[:, None]).prod(0)
        no = (1 - prior) * np.where(seen, 1 - q[:, None], q[:, None]).prod(0)
        weight = yes / (yes + no)
        p = (seen * weight).sum(1) / weight.sum()
        q = (~seen * (1 - weight)).sum(1) / (1 - weight).sum()
    agreed = staple(drawn, 1)
    assert np.array_equal(agreed.voxels.ravel() == 1, weight > 0.5)
    assert np.allclose(agreed.rates[1], np.stack([p, q], axis=1), atol=1e-4)


def test_staple_leaves_what_all_readers_drew_alike() -> None:
    one = readers(1)[0]
    agreed = staple([one, one, one], 2)
    assert np.array_equal(agreed.voxels, one)
    assert agreed.rates == {1: ((1.0, 1.0),) * 3, 2: ((1.0, 1.0),) * 3}


def test_staple_of_nothing_is_nothing() -> None:
    empty = np.zeros((2, 3, 3), np.uint8)
    agreed = staple([empty, empty], 1)
    assert not agreed.voxels.any()
    assert agreed.rates == {}
