"""The command line: the first table, the second (`--networks`), or one run (`--demo`)."""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.page import block, put
from benchmarks.section import Part
from benchmarks.training import pages
from benchmarks.training.arms import NETWORKS, PREPARED, Arm, named
from benchmarks.training.budget import Budget
from benchmarks.training.folds import FEWEST, Fold, Grid, divided
from benchmarks.training.results import Folder, Settings
from chaosprep.cli.output import say
from chaosprep.errors import ChaosprepError

SAMPLES = Path(__file__).parents[2] / "sample_data" / "CHAOS_Train_Sets"


@dataclass(frozen=True)
class Table:
    """One of the tables: its part of the page, the titles of its first columns, its arms."""

    part: Part
    titles: tuple[str, str]
    groups: tuple[tuple[Arm, ...], ...]


FIRST = Table(pages.PREPARED, ("input", "augmentation"), (PREPARED,))
SECOND = Table(pages.NETWORKS, ("network", "masks"), tuple(NETWORKS.values()))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    add = made.add_argument
    add("data", nargs="?", type=Path, default=SAMPLES, help="a dataset root, as split takes it")
    add("--demo", action="store_true", help="one run beside an untrained network")
    add("--networks", action="store_true", help="compare networks, not ways to prepare")
    add("--out", type=Path, default=None, help="a folder for results; it goes on with them")
    add("--arms", nargs="+", default=(), metavar="ARM", help="only these lines of the table")
    add("--folds", type=int, default=FEWEST, help="at least %(default)s")
    add("--seeds", type=int, default=1, help="runs of each arm and fold (%(default)s)")
    add("--epochs", type=int, default=None, help="of an arm without offline copies")
    add("--batch", type=int, default=4, help="slices in a step (%(default)s)")
    add("--lr", type=float, default=0.002, help="learning rate at first (%(default)s)")
    add("--size", default="128", help="pixels a side, or none (%(default)s)")
    add("--spacing", default="2.5", help="mm, or none (%(default)s)")
    add("--network", default="unet", help="of arms that name none (%(default)s)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--jobs", type=int, default=2, help="trainings side by side (%(default)s)")
    add("--sequence", nargs="+", default=(), help="series to take, as split has it")
    add("--about", default="", help="what the data are, in a few words for the page")
    add("--write", type=Path, metavar="PAGE", help="bring this page up to date")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is asked for; the exit status."""
    asked = parser().parse_args(arguments)
    if find_spec("torch") is None:
        say("PyTorch is not installed: pip install 'chaosprep[train]'.")
        return 1
    if not asked.data.is_dir():
        say(f"{asked.data}: not there; the synthetic sample data are used")
        asked.data = SAMPLES
    if asked.data == SAMPLES:
        say("The figures of synthetic data mean nothing.")
    try:
        return _demo(asked) if asked.demo else _table(asked)
    except ChaosprepError as error:
        say(error.text)
        return error.exit_code


def grid_of(asked: argparse.Namespace) -> Grid:
    """The pixels that are asked for."""
    size = None if asked.size == "none" else asked.size
    return Grid(size, None if asked.spacing == "none" else float(asked.spacing))


def _demo(asked: argparse.Namespace) -> int:
    from benchmarks.training.demo import EPOCHS, demo

    with tempfile.TemporaryDirectory() as place:
        demo(asked.data, Path(place), grid_of(asked), asked.epochs or EPOCHS)
    return 0


def _table(asked: argparse.Namespace) -> int:
    from benchmarks.training.comparison import EPOCHS, Comparison

    table = SECOND if asked.networks else FIRST
    chosen = named(asked.arms, [arm for group in table.groups for arm in group])
    groups = [[arm for arm in group if arm in chosen] for group in table.groups]
    grid, sequence = grid_of(asked), tuple(asked.sequence)
    budget = Budget(
        epochs=asked.epochs or EPOCHS,
        batch=asked.batch,
        lr=asked.lr,
        network=asked.network,
        device=asked.device,
    )
    out = asked.out or Path(f"{table.part.name}-results")
    out.mkdir(parents=True, exist_ok=True)
    folds = divided(asked.data, out, asked.folds, sequence)
    settings = Settings(
        folds=folds, size=grid.size, spacing=grid.spacing, sequence=sequence, budget=budget
    )
    folder = Folder(out)
    folder.hold(settings)
    comparison = Comparison(
        data=asked.data,
        folder=folder,
        settings=settings,
        folds=tuple(
            Fold(number, unseen, out / f"fold{number}", grid) for number, unseen in enumerate(folds)
        ),
        groups=tuple(map(tuple, groups)),
        seeds=asked.seeds,
        jobs=asked.jobs,
    )
    failed = comparison.run()
    lines = comparison.lines(table.titles, asked.about)
    print(block(table.part, lines))
    if asked.write:
        page = put(asked.write.read_text(encoding="utf-8"), table.part, lines)
        asked.write.write_text(page, encoding="utf-8")
    return 1 if failed else 0
