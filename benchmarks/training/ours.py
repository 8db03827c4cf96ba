"""An arm that chaosprep goes alone: `train`, and `predict` by the last epoch."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

import chaosprep
from benchmarks.training.arms import Arm
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold
from chaosprep.torch.parameters import TrainParams

LAST = "last.pt"


def predicted(arm: Arm, fold: Fold, seed: int, budget: Budget, place: Path) -> Path:
    """Masks of the fold's patients on the pixels of the scanner: volumes, in a folder.

    The last epoch predicts, not the best: the best would be chosen by those who judge. What `size`
    cut off is background.
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
    return assembled(made, place)


def assembled(made: "chaosprep.Dataset | Path", place: Path, **how: Any) -> Path:
    """A folder of volumes on the scanner's pixels, anew where an earlier run was interrupted."""
    shutil.rmtree(place / "assembled", ignore_errors=True)
    return chaosprep.assemble(made, place / "assembled", **how).path / "masks"
