"""Train the baseline on CHAOS: Dice of unseen patients, from 8-bit and 16-bit slices.

`python -m benchmarks.training DATA` makes the table of docs/training.md; with `--demo`, one run
beside an untrained network (`make train-demo`).
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.output import say
from chaosprep.torch.checkpoint import EpochScore
from chaosprep.torch.parameters import TrainParams

SAMPLES = Path(__file__).parents[1] / "sample_data" / "CHAOS_Train_Sets"
UNSEEN = 0.34
"""Part of the patients that no network is trained on: two of six."""

SPACING, SIZE = 2.5, "128"
DEMO_EPOCHS = 60


@dataclass(frozen=True)
class Result:
    """Dice of each unseen patient after the last epoch of a run."""

    bits: int
    augment: str
    seed: int
    dice: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.training", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=SAMPLES, help="a CHAOS folder")
    parser.add_argument("--demo", action="store_true", help="one run beside an untrained network")
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each kind")
    parser.add_argument("--size", default=SIZE)
    parser.add_argument("--spacing", type=float, default=SPACING)
    asked = parser.parse_args(arguments)
    data = asked.data
    if not data.is_dir():
        say(f"{data}: not there; the synthetic sample data are used, whose figures mean nothing")
        data = SAMPLES
    with tempfile.TemporaryDirectory() as place:
        stages = Stages(data, Path(place), asked.spacing, asked.size)
        if asked.demo:
            demo(stages, asked.epochs or DEMO_EPOCHS)
        else:
            results = list(compare(stages, asked.epochs or 30, range(asked.seeds)))
            print(table(results))


class Stages:
    """The data, prepared in 8 or 16 bits, with the same patients on the same sides."""

    def __init__(self, data: Path, place: Path, spacing: float, size: str) -> None:
        self.place = place
        self._spacing, self._size = spacing, size
        pairs = chaosprep.split(data, place / "split", val=UNSEEN)
        self._masks = chaosprep.extract_liver(pairs, place / "liver")

    def of(self, bits: int) -> Dataset:
        """The slices in 8 bits, windowed, or in 16 bits as stored."""
        return chaosprep.convert(
            self._masks,
            self.place / f"images{bits}",
            keep_16bit=bits == 16,
            spacing=self._spacing,
            size=self._size,
        )


def demo(stages: Stages, epochs: int) -> None:
    """Print Dice of each unseen patient, untrained and trained."""
    images = stages.of(8)
    before = untrained(images)
    made = chaosprep.train(
        images,
        stages.place / "run",
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


def compare(stages: Stages, epochs: int, seeds: Sequence[int]) -> Iterator[Result]:
    """Train in 8 and 16 bits, with and without augmentation: the same seeds, the same steps."""
    presets: tuple[Literal["none", "mri"], ...] = ("none", "mri")
    for seed, bits, augment in product(seeds, (8, 16), presets):
        scores: list[EpochScore] = []
        chaosprep.train(
            stages.of(bits),
            stages.place / f"run-{bits}-{augment}-{seed}",
            epochs=epochs,
            batch=4,
            lr=0.002,
            augment=augment,
            seed=seed,
            on_epoch=lambda score, best, total: scores.append(score),  # noqa: B023 - called here
        )
        say(f"seed {seed}, {bits} bits, {augment}: {scores[-1].dice}")
        yield Result(bits, augment, seed, scores[-1].dice)


def table(results: Sequence[Result]) -> str:
    """The results as Markdown, one line a run."""
    patients = list(results[0].dice)
    lines = [f"| input | augmentation | seed | {' | '.join(patients)} | mean |"]
    lines.append("|--|--|--:|" + "--:|" * (len(patients) + 1))
    for one in sorted(results, key=lambda one: (one.bits, one.augment != "none", one.seed)):
        cells = [f"{value:.3f}" for value in one.dice.values()]
        mean = sum(one.dice.values()) / len(patients)
        what = f"{one.bits}-bit | {one.augment} | {one.seed}"
        lines.append(f"| {what} | {' | '.join(cells)} | {mean:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
