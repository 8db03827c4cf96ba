"""The trainings of a comparison: several side by side, each kept as soon as it is judged."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import chaosprep
from benchmarks.training import nnunet_way, ours, tutorial_way
from benchmarks.training.arms import Arm
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold
from benchmarks.training.results import Done, Folder
from chaosprep.cli.output import say
from chaosprep.errors import ChaosprepError
from chaosprep.running.processes import end_with_parent

WAYS = {
    "ours": ours.predicted,
    "tutorial": tutorial_way.predicted,
    "nnunet": nnunet_way.predicted,
}


@dataclass(frozen=True)
class Task:
    """One training: an arm, without a fold's patients, from a seed."""

    arm: Arm
    fold: Fold
    seed: int
    budget: Budget
    place: Path

    @property
    def key(self) -> tuple[str, int, int]:
        """As the results have it."""
        return self.arm.name, self.fold.number, self.seed


def missing(arm: Arm) -> str | None:
    """Why an arm cannot be gone here; None where it can."""
    return arm.missing() or (nnunet_way.missing() if arm.way == "nnunet" else None)


def tasks(
    arms: Sequence[Arm], folds: Sequence[Fold], seeds: Iterable[int], budget: Budget, place: Path
) -> Iterator[Task]:
    """Every training, fold by fold, so that the arms of a fold are done together."""
    for seed in seeds:
        for fold in folds:
            for arm in arms:
                where = place / f"{arm.name}-{fold.number}-{seed}"
                yield Task(arm, fold, seed, budget, where)


def judged(task: Task) -> Done:
    """Train, predict the unseen, and compare in patient space with their masks as drawn.

    Raises:
        ChaosprepError: what train, predict and evaluate raise.
        RuntimeError: others than the fold's patients were judged.
    """
    start = time.perf_counter()
    task.place.mkdir(parents=True, exist_ok=True)
    work = WAYS[task.arm.way]
    masks = work(task.arm, task.fold, task.seed, task.budget, task.place)
    found = chaosprep.evaluate(masks, task.fold.masks(task.arm.organs), split="val").results
    if {row.patient for row in found} != set(task.fold.unseen):
        raise RuntimeError(f"{task.key}: others were judged than the fold's patients")
    seconds = round(time.perf_counter() - start, 1)
    name, fold, seed = task.key
    return Done(arm=name, fold=fold, seed=seed, seconds=seconds, results=found)


def run(todo: Sequence[Task], folder: Folder, jobs: int) -> int:
    """Go through the trainings, `jobs` side by side, the cores shared out; how many failed."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read where a process first imports torch
    failed = 0
    with ProcessPoolExecutor(jobs, get_context("spawn"), begin, (threads,)) as pool:
        work = {pool.submit(judged, task): task for task in todo}
        try:
            for count, future in enumerate(as_completed(work), start=1):
                task = work[future]
                failed += not kept(future, task, folder)
                say(f"{count} of {len(todo)}: {', '.join(map(str, task.key))}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def kept(future: Future[Done], task: Task, folder: Folder) -> bool:
    """Keep a result, and drop the files that led to it; whether there is one."""
    try:
        done = future.result()
    except ChaosprepError as error:
        say(f"{', '.join(map(str, task.key))}: {error}")
        return False
    folder.add(done)
    shutil.rmtree(task.place, ignore_errors=True)
    return True


def begin(threads: int) -> None:
    """Before a worker's first training; it ends with the process that started it."""
    import torch

    torch.set_num_threads(threads)
    Thread(target=end_with_parent, daemon=True).start()
