"""An arm that chaosprep goes alone: `train`, and `predict` by the last epoch."""

from pathlib import Path

import msgspec

import chaosprep
from benchmarks.training.arms import Arm
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold
from chaosprep.torch.parameters import TrainParams

LAST = "last.pt"


def predicted(arm: Arm, fold: Fold, seed: int, budget: Budget, place: Path) -> Path:
    """Masks of the fold's patients: a stage directory.

    The last epoch predicts, not the best: the best would be chosen by those who judge.
    """
    images = fold.images(arm.input, arm.organs)
    learned = fold.copies(arm.input, arm.organs) if arm.augment == "copies" else images
    asked, usual = budget.of(arm, seed), TrainParams()
    given = {
        name: value
        for name, value in msgspec.structs.asdict(asked).items()
        if value != getattr(usual, name)
    }
    run = chaosprep.train(learned, place / "run", **given)
    made = chaosprep.predict(
        run.path / LAST,
        images,
        place / "predicted",
        split="val",
        device=budget.device,
        **arm.predict,
    )
    return made.directory
