"""The tutorial's whole way with our network and budget: figures, masks, offline copies."""

import random
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import chaosprep
from benchmarks import tutorial
from benchmarks.training.arms import COPIES, Arm
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold
from chaosprep.formats.png import decode_png, encode_png

if TYPE_CHECKING:
    from chaosprep.torch.epochs import Learner

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
"""An image of 0 to 1 and a mask of 0 and 1, both (rows, cols)."""


def predicted(arm: Arm, fold: Fold, seed: int, budget: Budget, place: Path) -> Path:
    """Masks of the fold's patients: volumes in patient space, in a folder."""
    place.mkdir(parents=True, exist_ok=True)
    size = int(fold.grid.size or 256)
    pairs = training_pairs(fold.pairs(), made_anew(place / "files"), size, seed)
    learner = learned(arm, pairs, seed, budget)
    drawn = made_anew(place / "drawn")
    tutorial.figure(fold.pairs(), drawn, "val", size)
    shown = made_anew(place / "shown")
    reference = chaosprep.open(fold.masks(arm.organs))
    for row in reference.slices:
        if row.split == "val":
            mask = found(learner, image_of(drawn / f"{row.id}.png"), (row.rows, row.cols))
            (shown / f"{row.id}.png").write_bytes(encode_png(mask))
    back = chaosprep.assemble(shown, place / "back", reference=reference, overwrite=True)
    return back.path / "masks"


def made_anew(folder: Path) -> Path:
    """An empty folder."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def training_pairs(source: Path, place: Path, size: int, seed: int) -> list[Pair]:
    """The side train as the tutorial has it, in files: drawn, masked by a loop, copied offline."""
    images, masks = place / "train/images", place / "train/masks"
    for folder in (images, masks):
        folder.mkdir(parents=True)
    tutorial.figure(source, images, "train", size)
    tutorial.mask(source, masks, "train")
    for path in masks.iterdir():  # Augmentor wants pairs of one size
        path.write_bytes(encode_png(resized(decode_png(path.read_bytes()), (size, size))))
    random.seed(seed)
    samples = COPIES * len(list(images.iterdir()))
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        tutorial.augment(place, place / "augmented", samples, threads=False)
    return [(image_of(image), mask_of(mask)) for image, mask in files_of(place)]


def files_of(place: Path) -> list[tuple[Path, Path]]:
    """The originals and the copies, in an order that their random names do not matter to."""
    originals = [
        (path, place / "train/masks" / path.name)
        for path in sorted((place / "train/images").iterdir())
    ]
    copies = []
    for mask in (place / "augmented").glob("_groundtruth_(1)_*"):
        name = mask.name.removeprefix("_groundtruth_(1)_")
        side, _, rest = name.partition("_")
        copies.append((place / "augmented" / f"{side}_original_{rest}", mask))
    return [*originals, *sorted(copies, key=lambda pair: sha256(pair[0].read_bytes()).digest())]


def image_of(path: Path) -> NDArray[np.float32]:
    """A figure as grey (ITU-R BT.601, as Pillow's L), 0 to 1."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)


def mask_of(path: Path) -> NDArray[np.float32]:
    """A mask with edges that were blurred, cut at the middle."""
    return (decode_png(path.read_bytes()) > 127).astype(np.float32)


def resized(mask: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """A mask of (rows, cols) by the nearest pixel."""
    import cv2

    return np.asarray(cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT))


def learned(arm: Arm, pairs: Sequence[Pair], seed: int, budget: Budget) -> "Learner":
    """Our network after as many slices as every other arm has seen."""
    import torch

    from chaosprep.torch.epochs import Learner
    from chaosprep.torch.networks import build, choose_device

    params = budget.of(arm, seed)
    torch.manual_seed(seed)
    learner = Learner(build(params.network, 1), 1, params, choose_device(params.device))
    order = np.random.default_rng(seed)
    for epoch in range(params.epochs):
        learner.train(batches(pairs, params.batch, order), epoch)
    return learner


def batches(
    pairs: Sequence[Pair], batch: int, order: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """One epoch, shuffled, in the form of our own batches."""
    from chaosprep.torch.batches import padded

    places = order.permutation(len(pairs))
    for start in range(0, len(places), batch):
        made = padded([item(*pairs[place]) for place in places[start : start + batch]])
        assert isinstance(made, dict)
        yield made


def item(image: NDArray[np.float32], mask: NDArray[np.float32] | None = None) -> dict[str, Any]:
    """A pair as `SliceDataset` gives it."""
    import torch

    shown = {"image": torch.from_numpy(image[None]), "id": "", "patient": ""}
    return shown if mask is None else {**shown, "mask": torch.from_numpy(mask[None])}


def found(
    learner: "Learner", image: NDArray[np.float32], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """The mask of a slice, 0 and 1, on its pixels (rows, cols)."""
    import torch

    from chaosprep.torch.batches import padded
    from chaosprep.torch.networks import predicted as labels

    batch = padded([item(image)])
    assert isinstance(batch, dict)
    device = next(learner.network.parameters()).device
    learner.network.eval()
    with torch.no_grad():
        mask = labels(learner.network(batch["image"].to(device))).cpu().numpy()[0]
    rows, cols = image.shape
    return resized(mask[:rows, :cols], shape).astype(np.uint8)
