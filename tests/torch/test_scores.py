"""Dice of a patient, and the two that a network's output is judged by: labels and loss."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from chaosprep.torch.losses import make_loss  # noqa: E402
from chaosprep.torch.networks import build, predicted  # noqa: E402
from chaosprep.torch.scores import PatientDice  # noqa: E402

planes = st.lists(st.integers(0, 2), min_size=6, max_size=6)


@given(st.lists(st.tuples(planes, planes), min_size=1, max_size=4))
def test_dice_of_a_patient_is_that_of_its_slices_as_one_volume(
    slices: Sequence[tuple[list[int], list[int]]],
) -> None:
    dice = PatientDice(2)
    for found, reference in slices:
        dice.add("MR001", np.reshape(found, (2, 3)), np.reshape(reference, (2, 3)))
    expected = []
    for organ in (1, 2):
        mine = {
            (i, p) for i, (found, _) in enumerate(slices) for p in range(6) if found[p] == organ
        }
        other = {(i, p) for i, (_, ref) in enumerate(slices) for p in range(6) if ref[p] == organ}
        both = len(mine) + len(other)
        expected.append(2 * len(mine & other) / both if both else 1)
    assert dice.by_patient() == {"MR001": pytest.approx(sum(expected) / 2)}


def test_patients_are_apart_and_sorted() -> None:
    dice = PatientDice(1)
    one, zero = np.ones((2, 2), int), np.zeros((2, 2), int)
    dice.add("MR002", one, one)
    dice.add("MR001", one, zero)
    assert list(dice.by_patient().items()) == [("MR001", 0.0), ("MR002", 1.0)]


def test_organs_that_a_patients_masks_cannot_show_do_not_count() -> None:
    dice = PatientDice(2, {"CT001": [1]})
    plane = np.array([[1, 1], [2, 0]])
    for patient in ("CT001", "MR001"):
        dice.add(patient, plane, np.array([[1, 0], [0, 0]]))
    assert dice.by_patient() == {
        "CT001": pytest.approx(2 / 3),
        "MR001": pytest.approx((2 / 3 + 0) / 2),
    }


def test_one_organ_is_where_its_probability_is_above_a_half() -> None:
    logits = torch.tensor([[[[-2.0, 0.0, 0.1]]]])
    assert (torch.sigmoid(logits) > 0.5).flatten().tolist() == [False, False, True]
    assert predicted(logits).tolist() == [[[0, 0, 1]]]


def test_of_several_organs_the_likeliest_is_taken() -> None:
    logits = torch.tensor([[[[3.0, 0.0]], [[1.0, 0.5]], [[2.0, 4.0]]]])
    assert predicted(logits).tolist() == [[[0, 2]]]


def test_the_loss_of_one_organ_is_dice_of_the_batch_plus_binary_cross_entropy() -> None:
    logits, mask = torch.tensor([[[[1.0, -2.0]]], [[[0.5, 0.0]]]]), torch.zeros(2, 1, 1, 2)
    mask[0, 0, 0, 0] = 1
    p, y = 1 / (1 + np.exp(-logits.numpy().ravel())), mask.numpy().ravel()
    dice = 1 - 2 * (p * y).sum() / (p.sum() + y.sum())
    entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    assert float(make_loss(1)(logits, mask)) == pytest.approx(dice + entropy, abs=1e-4)


def test_the_loss_of_several_organs_is_their_mean_dice_plus_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 2, 2))
    mask = rng.integers(0, 3, (2, 1, 2, 2))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = np.stack([mask[:, 0] == label for label in range(3)], 1)
    entropy = -np.log(p[y.nonzero()]).mean()
    dice = [1 - 2 * (p * y)[:, c].sum() / (p[:, c].sum() + y[:, c].sum()) for c in (1, 2)]
    found = make_loss(2)(torch.tensor(logits), torch.tensor(mask))
    assert float(found) == pytest.approx(np.mean(dice) + entropy, abs=1e-4)


@pytest.mark.parametrize("network", ["unet", "unet++"])
@pytest.mark.parametrize(("organs", "channels"), [(1, 1), (4, 5)])
def test_both_networks_give_logits_of_the_same_size_and_print_nothing(
    network: str, organs: int, channels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    made = build(network, organs)  # type: ignore[arg-type]
    assert made(torch.zeros(2, 1, 32, 48)).shape == (2, channels, 32, 48)
    assert capsys.readouterr().out == ""


def test_the_u_net_has_1_6_million_parameters() -> None:
    assert sum(one.numel() for one in build("unet", 1).parameters()) == 1_624_844
