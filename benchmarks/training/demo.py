"""One run of the baseline beside an untrained network: `make train-demo`."""

from pathlib import Path

import chaosprep
from benchmarks.training.folds import Grid
from chaosprep import Dataset
from chaosprep.cli.output import say
from chaosprep.torch.parameters import TrainParams

UNSEEN = 0.34
"""Part of the patients that the network is not trained on: two of six."""

EPOCHS = 60


def demo(data: Path, place: Path, grid: Grid, epochs: int) -> None:
    """Print Dice of each unseen patient, untrained and trained."""
    pairs = chaosprep.split(data, place / "split", val=UNSEEN)
    masks = chaosprep.extract_liver(pairs, place / "liver")
    images = chaosprep.convert(masks, place / "images", size=grid.size, spacing=grid.spacing)
    before = untrained(images)
    made = chaosprep.train(
        images,
        place / "run",
        epochs=epochs,
        batch=4,
        lr=0.002,
        on_epoch=lambda score, best, total: say(
            f"epoch {score.epoch} of {total}: loss {score.train_loss:.3f}, Dice {score.mean:.3f}"
        ),
    )
    print("liver Dice of unseen patients   untrained   trained")
    for patient, dice in made.dice.items():
        print(f"{patient:<32}{before[patient]:>9.3f}{dice:>10.3f}")


def untrained(images: Dataset) -> dict[str, float]:
    """Dice of each unseen patient with the first weights."""
    import torch

    from chaosprep.torch import SliceDataset
    from chaosprep.torch.batches import Batches, CutOuts
    from chaosprep.torch.epochs import Learner
    from chaosprep.torch.networks import build

    torch.manual_seed(0)
    learner = Learner(build("unet", 1), 1, TrainParams(), torch.device("cpu"))
    items = CutOuts(SliceDataset(images, "val", labelled=True), None, 0)
    batches = Batches(items, batch=8, seed=0, shuffled=False)
    return learner.validate(batches.epoch(0))[1]
