"""The networks: their sizes and outputs, what they learn from, mirrored predictions."""

from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest

from chaosprep.augmentation import preset
from chaosprep.augmentation.recipe import Recipe
from chaosprep.augmentation.symmetry import Flip, FlipUpDown
from chaosprep.errors import UsageError

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from chaosprep.torch.losses import make_loss, supervised  # noqa: E402
from chaosprep.torch.mirroring import Mirrored, mirrors_of  # noqa: E402
from chaosprep.torch.networks import NETWORKS, build, halvings_for, padded_side  # noqa: E402
from chaosprep.torch.parameters import Network  # noqa: E402

KIDNEYS = {"liver": 1, "right-kidney": 2, "left-kidney": 3}
FLIPS = Recipe(flip=Flip(probability=0.5), flip_up_down=FlipUpDown(probability=0.5))


def parameters(network: Any) -> int:  # noqa: ANN401 - a module
    return sum(one.numel() for one in network.parameters())


def convolution(inputs: int, outputs: int, side: int = 3) -> int:
    return inputs * outputs * side * side


def block(inputs: int, outputs: int) -> int:
    """Two convolutions without bias, each with scale and shift of its normalization."""
    return convolution(inputs, outputs) + convolution(outputs, outputs) + 4 * outputs


def test_the_table_has_the_networks_that_can_be_asked_for() -> None:
    assert tuple(NETWORKS) == get_args(Network)


@pytest.mark.parametrize("network", [*NETWORKS])
@pytest.mark.parametrize(("organs", "channels", "outputs"), [(1, 3, 1), (4, 6, 5)])
def test_every_network_takes_several_channels(
    network: Network, organs: int, channels: int, outputs: int
) -> None:
    made = build(network, organs, channels).eval()
    assert made(torch.zeros(2, channels, 32, 48)).shape == (2, outputs, 32, 48)


def test_in_training_dynunet_gives_all_resolutions_but_the_two_lowest() -> None:
    made = build("dynunet", 2, 1, 5).train()
    shapes = [tuple(one.shape) for one in made(torch.zeros(2, 1, 64, 96))]
    assert shapes == [(2, 3, 64 >> level, 96 >> level) for level in range(4)]


def test_dynunet_has_the_parameters_of_the_plain_u_net_of_nnu_net() -> None:
    features = [32, 64, 128, 256, 512]
    down = block(1, 32) + sum(block(a, b) for a, b in pairwise(features))
    up = sum(convolution(b, a, 2) + block(2 * a, a) for a, b in pairwise(features))
    heads = sum(features[level] + 1 for level in (0, 1, 2))  # the full size, and two below
    assert parameters(build("dynunet", 1, 1, 4)) == down + up + heads


@pytest.mark.parametrize(
    ("shape", "halvings"),
    [((256, 256), 6), ((128, 160), 5), ((320, 256), 6), ((40, 64), 3), ((32, 32), 3), ((8, 9), 2)],
)
def test_dynunet_halves_until_4_to_7_pixels_are_left(shape: tuple[int, int], halvings: int) -> None:
    assert halvings_for("dynunet", shape) == halvings
    assert halvings_for("unet", shape) == halvings_for("unet++", shape) == 4


def test_a_side_is_padded_to_what_can_be_halved_so_often() -> None:
    assert [padded_side(side) for side in (5, 32, 33, 128)] == [32, 32, 48, 128]
    assert [padded_side(side, 6) for side in (5, 128, 129, 256)] == [128, 128, 192, 256]


def test_lower_outputs_count_half_as_much_and_see_the_nearest_pixels() -> None:
    rng = np.random.default_rng(0)
    mask = torch.tensor(rng.integers(0, 2, (2, 1, 8, 8)).astype(np.float32))
    outputs = [torch.tensor(rng.normal(size=(2, 1, n, n)).astype(np.float32)) for n in (8, 4, 2)]
    loss = make_loss(1)
    parts = [loss(outputs[0], mask)]
    parts += [loss(outputs[1], mask[:, :, 1::2, 1::2]), loss(outputs[2], mask[:, :, 2::4, 2::4])]
    expected = (parts[0] + parts[1] / 2 + parts[2] / 4) / 1.75
    assert float(supervised(loss, outputs, mask)) == pytest.approx(float(expected))


def test_several_organs_are_learned_from_at_every_resolution() -> None:
    mask = torch.randint(0, 5, (2, 1, 32, 32))
    outputs = build("dynunet", 4, 1, 3).train()(torch.rand(2, 1, 32, 32))
    supervised(make_loss(4), outputs, mask).backward()


class Halves(nn.Module):  # type: ignore[misc]
    """A network without any context: three logits of a picture's grey value."""

    def forward(self, image: Any) -> Any:  # noqa: ANN401 - tensors
        return torch.cat([image, 2 * image, 3 * image, 5 * image], 1)


class Sides(nn.Module):  # type: ignore[misc]
    """A network that calls what lies in the left half a right kidney, in the right a left one."""

    def forward(self, image: Any) -> Any:  # noqa: ANN401 - tensors
        logits = torch.zeros(len(image), 4, *image.shape[2:])
        middle = image.shape[3] // 2
        logits[:, 2, :, :middle] = image[:, 0, :, :middle]
        logits[:, 3, :, middle:] = image[:, 0, :, middle:]
        return logits


def test_what_does_not_depend_on_the_side_is_the_same_mirrored() -> None:
    image = torch.rand(2, 1, 8, 8)
    labels = {"liver": 1, "spleen": 2, "aorta": 3}
    made = Mirrored(Halves(), mirrors_of(FLIPS, labels), labels)
    assert torch.allclose(made(image), Halves()(image))


def test_right_and_left_organs_change_places_in_a_mirror_image() -> None:
    image = torch.rand(2, 1, 8, 8)
    made = Mirrored(Sides(), mirrors_of(Recipe(flip=Flip()), KIDNEYS), KIDNEYS)
    assert torch.allclose(made(image), Sides()(image))
    kept = Mirrored(Sides(), [(-1,)], {"liver": 1, "spleen": 2, "aorta": 3})
    assert not torch.allclose(kept(image), Sides()(image))


def test_the_mean_is_that_of_the_logits_of_all_mirror_images() -> None:
    network, image = build("unet", 1).eval(), torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        found = Mirrored(network, mirrors_of(FLIPS, {"liver": 1}), {"liver": 1})(image)
        turned = [network(image.flip(a)).flip(a) for a in ((), (2,), (3,), (2, 3))]
    assert torch.allclose(found, torch.stack(turned).mean(0), atol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "mirrors"),
    [
        (preset("medium"), {(-1,)}),
        (preset("heavy"), {(-1,), (-2,), (-2, -1)}),
        (FLIPS, {(-1,), (-2,), (-2, -1)}),
    ],
)
def test_mirror_images_are_those_that_the_network_learned_on(
    recipe: Recipe, mirrors: set[tuple[int, ...]]
) -> None:
    assert {*mirrors_of(recipe, KIDNEYS)} == mirrors


@pytest.mark.parametrize(
    ("recipe", "labels", "text"),
    [
        (None, {"liver": 1}, "not trained on mirror images"),
        (preset("mri"), {"liver": 1}, "not trained on mirror images"),
        (FLIPS, {"liver": 1, "left-kidney": 2}, "mirrored left-kidney would carry the wrong name"),
    ],
)
def test_mirror_images_that_mean_nothing_are_refused(
    recipe: Recipe | None, labels: dict[str, int], text: str
) -> None:
    with pytest.raises(UsageError, match=text) as error:
        mirrors_of(recipe, labels)
    assert error.value.code == "mirror"
