"""The two parts of docs/training.md that are made by the command, and what they say."""

from collections.abc import Sequence

from benchmarks.machine import describe
from benchmarks.section import Part
from benchmarks.tables import plural
from benchmarks.training.arms import COPIES
from benchmarks.training.results import Done, Settings

PREPARED = Part(
    "training",
    "Prepared how?",
    f"""\
What preparation is worth, and what augmentation: the same network, as many slices to learn from and
the same seeds in every line. Inputs are compared at one augmentation, augmentations at one input,
and the tutorial's way as a whole: figures of matplotlib, each slice from its least value to its
largest, masks by a loop over pixels, copies by Augmentor. Where {COPIES} copies of each slice are
made offline, an epoch has {1 + COPIES} times the slices, and a run so many times fewer epochs, in
which the learning rate falls in larger steps. `python -m benchmarks.training DATA --write
docs/training.md` makes this table.

- **Each patient is unseen once.** A fold is a split of its own: network and Nyul's landmarks are
  learned without its patients. With fewer than two patients for each fold, one at a time is left
  out.
- **The last epoch is judged**; a best one would be chosen by the patients who judge. `predict`
  makes the masks, and `evaluate` compares them with the reference masks, on the scanner's pixels.
- **Differences** are from the first line, patient by patient, a patient's seeds averaged. Interval
  and p are those of [`evaluate A B REF`](evaluation.md#which-of-two-predictions-is-better), and
  Holm's p counts all lines of the table. "Not significant" does not mean equally good.""",
)
NETWORKS = Part(
    "training-networks",
    "Which network?",
    """\
Folds and statistics are those above, each group of masks against its first line. Every network
sees the 16-bit slices and is judged by its last epoch. "Trained as nnU-Net's" is `--optimizer sgd
--flips left-right --foreground 0.33`, and `predict --mirror`. nnU-Net plans, preprocesses, augments
and predicts in its own way, on what `export nnunet` wrote, but learns from as many slices as the
others: far fewer than in the 1000 epochs of 250 steps that it is made for. "Four organs" is one
network for all of them, and its Dice the mean over organs. `make .venv-nnunet/ready`, then `python
-m benchmarks.training DATA --networks --write docs/training.md`, makes this table.""",
)


def conditions(
    settings: Settings, seeds: int, about: str, slices: int, done: Sequence[Done], jobs: int
) -> list[str]:
    """What the figures depend on, a line each."""
    patients, folds, budget = sum(map(len, settings.folds)), len(settings.folds), settings.budget
    left_out = " (one left out at a time)" if folds == patients else ""
    grid = [
        f"{settings.size} pixels" if settings.size else "pixels as scanned",
        f"{settings.spacing:g} mm" if settings.spacing else "spacing as scanned",
    ]
    minutes = round(sum(one.seconds for one in done) / 60)
    who = f"{plural(patients, 'patient')}, {plural(slices, 'slice')}"
    often = f"{plural(folds, 'fold')}{left_out}, {plural(seeds, 'seed')}"
    network = f"{budget.network} where the line names no other network"
    return [
        f"- {about + ': ' if about else ''}{who}; {often}; {', '.join(grid)}.",
        f"- {network}; {plural(budget.epochs, 'epoch')}, {plural(budget.batch, 'slice')} in a "
        f"step, learning rate {budget.lr:g}. {plural(len(done), 'training')} took "
        f"{plural(minutes, 'minute')} together, {jobs} side by side.",
        *describe(peers=True),
    ]
