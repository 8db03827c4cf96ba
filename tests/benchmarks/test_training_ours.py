"""What an arm of ours asks of train and predict."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.training import ours
from benchmarks.training.arms import PREPARED
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold, Grid


@pytest.mark.parametrize(("name", "learned"), [("16-bit-mri", ""), ("16-bit-copies", "-copies")])
def test_the_last_epoch_predicts_the_unseen_on_what_is_not_augmented(
    name: str, learned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def train(source: Path, output: Path, **params: Any) -> SimpleNamespace:
        asked.update(source=source, params=params)
        return SimpleNamespace(path=output)

    def predict(checkpoint: Path, source: Path, output: Path, **params: Any) -> Path:
        asked.update(checkpoint=checkpoint, predicted=source, split=params["split"])
        return output

    def assemble(made: Path, output: Path) -> SimpleNamespace:
        asked["assembled"] = made
        return SimpleNamespace(path=output)

    verbs = SimpleNamespace(train=train, predict=predict, assemble=assemble)
    monkeypatch.setattr(ours, "chaosprep", verbs)
    arm = next(one for one in PREPARED if one.name == name)
    fold = Fold(2, ("MR003",), tmp_path / "fold", Grid("32", None))
    budget = Budget(epochs=6, batch=4, lr=0.002, network="unet", device="cpu")
    judged = ours.predicted(arm, fold, 7, budget, tmp_path / "run")
    assert judged == tmp_path / "run/assembled/masks"
    assert asked["assembled"] == tmp_path / "run/predicted"
    images = tmp_path / "fold/liver"
    assert asked["source"] == images / f"16-bit{learned}"
    assert asked["predicted"] == images / "16-bit"
    assert (asked["checkpoint"].name, asked["split"]) == ("last.pt", "val")
    params = {"epochs": 6} if not learned else {"epochs": 2, "augment": "none"}
    assert asked["params"] == {"batch": 4, "lr": 0.002, "seed": 7, "device": "cpu", **params}
