"""The consensus of readers, beside numpy's majority, ITK's STAPLE and EM by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.evaluation.readers import consensus
from chaosprep.evaluation.readers.consensus import majority, staple

Masks = Sequence[NDArray[np.bool_]]


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


def noisy(seed: int) -> Masks:
    """Two to twelve readers who draw voxels wrong, each at a rate of their own."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 16, 3))
    true = rng.random(shape) < rng.uniform(0.02, 0.6)
    wrong = rng.uniform(0, 0.4, int(rng.integers(2, 13)))
    return [np.where(rng.random(shape) < rate, ~true, true) for rate in wrong]


def by_itk(masks: Masks) -> tuple[NDArray[np.float64], tuple[float, ...], tuple[float, ...]]:
    """How likely each voxel is foreground, and the sensitivity and specificity of each reader."""
    import SimpleITK

    staple = SimpleITK.STAPLEImageFilter()
    staple.SetForegroundValue(1.0)
    staple.SetMaximumIterations(10_000)
    found = staple.Execute([SimpleITK.GetImageFromArray(one.astype(np.uint8)) for one in masks])
    return SimpleITK.GetArrayFromImage(found), staple.GetSensitivity(), staple.GetSpecificity()


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


@pytest.mark.parametrize("seed", range(30))
def test_staple_is_that_of_itk(seed: int) -> None:
    masks = noisy(seed)
    likely, sensitivity, specificity = by_itk(masks)
    voxels, rates = staple([one.astype(np.uint8) for one in masks], 1)
    if not any(one.any() for one in masks):
        assert not rates
        return
    assert np.array_equal(voxels == 1, likely > 0.5)
    assert rates[1].settled
    assert np.allclose(rates[1].sensitivity, sensitivity, atol=1e-9)
    assert np.allclose(rates[1].specificity, specificity, atol=1e-9)


def test_staple_is_that_of_em_by_hand() -> None:
    drawn = [(one == 1).astype(np.uint8) for one in readers(3)]
    seen = np.stack([one.ravel() for one in drawn]).astype(bool)
    prior, weight = seen.mean(), seen.mean(axis=0)
    for _ in range(2000):
        p = (seen * weight).sum(1) / weight.sum()
        q = (~seen * (1 - weight)).sum(1) / (1 - weight).sum()
        yes = prior * np.where(seen, p[:, None], 1 - p[:, None]).prod(0)
        no = (1 - prior) * np.where(seen, 1 - q[:, None], q[:, None]).prod(0)
        weight = yes / (yes + no)
    voxels, rates = staple(drawn, 1)
    assert np.array_equal(voxels.ravel() == 1, weight > 0.5)
    assert np.allclose(rates[1].sensitivity, p, atol=1e-6)
    assert np.allclose(rates[1].specificity, q, atol=1e-6)


@pytest.mark.parametrize("method", ["majority", "staple"])
def test_the_order_of_readers_changes_no_voxel(method: str) -> None:
    drawn = readers(5)
    for order in ([4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        again = [drawn[place] for place in order]
        if method == "majority":
            assert np.array_equal(majority(again, 2), majority(drawn, 2))
        else:
            assert np.array_equal(staple(again, 2)[0], staple(drawn, 2)[0])


def test_the_likelier_of_two_labels_counts() -> None:
    """Readers 1 and 2 are the best of label 1, and reader 3 has all of label 2 to himself."""
    drawn = [np.zeros((1, 20, 20), np.uint8) for _ in range(3)]
    for one in drawn[:2]:
        one[0, :10, :10] = 1
    drawn[2][0, :10, :9] = 1
    drawn[2][0, :10, 9] = 2
    voxels, _ = staple(drawn, 2)
    assert (voxels[0, :10, :10] == 1).all()


def test_staple_leaves_what_all_readers_drew_alike() -> None:
    one = readers(1)[0]
    voxels, rates = staple([one, one, one], 2)
    assert np.array_equal(voxels, one)
    assert [rates[label].sensitivity for label in (1, 2)] == [pytest.approx((1, 1, 1))] * 2
    assert [rates[label].specificity for label in (1, 2)] == [pytest.approx((1, 1, 1))] * 2


def test_staple_of_nothing_is_nothing_and_of_everything_everything() -> None:
    empty = np.zeros((2, 3, 3), np.uint8)
    voxels, rates = staple([empty, empty], 1)
    assert not voxels.any()
    assert rates == {}
    voxels, rates = staple([empty + 1, empty + 1], 1)
    assert voxels.all()
    assert rates[1].sensitivity == pytest.approx((1, 1))
    assert rates[1].specificity == pytest.approx((1, 1))


def test_estimates_that_do_not_stand_still_are_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consensus, "_ROUNDS", 2)
    _, rates = staple(readers(4), 2)
    assert not rates[1].settled
