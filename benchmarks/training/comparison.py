"""A comparison from the data to the lines of its table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import chaosprep
from benchmarks.training import nnunet_way, pages
from benchmarks.training.arms import Arm
from benchmarks.training.folds import Fold
from benchmarks.training.results import Folder, Settings
from benchmarks.training.runs import Task, missing, run, tasks
from benchmarks.training.table import compared, said, shown
from chaosprep.cli.output import say

EPOCHS = 18
"""Forty minutes on two cores, for the first table on six patients at 128 pixels."""


@dataclass(frozen=True)
class Comparison:
    """Arms in groups, on the same folds and seeds; what is done stands in the folder."""

    data: Path
    folder: Folder
    settings: Settings
    folds: tuple[Fold, ...]
    groups: tuple[tuple[Arm, ...], ...]
    seeds: int
    jobs: int

    def run(self) -> int:
        """Do what is not done yet; how many trainings failed.

        Raises:
            ChaosprepError: the data cannot be prepared.
        """
        absent = self.missing()
        for name, reason in absent.items():
            say(f"{name} is left out: {reason}")
        todo = self.todo()
        for fold in self.folds:
            arms = [task.arm for task in todo if task.fold == fold]
            if arms:
                say(f"fold {fold.number}: preparing")
                fold.prepare(self.data, arms, self.settings.sequence, self.jobs)
        return run(todo, self.folder, self.jobs) if todo else 0

    def missing(self) -> dict[str, str]:
        """Arm -> why it cannot be gone."""
        found = {arm.name: missing(arm) for arm in self.arms()}
        return {name: reason for name, reason in found.items() if reason}

    def arms(self) -> Iterator[Arm]:
        """All of them, in the order of the table."""
        yield from (arm for group in self.groups for arm in group)

    def todo(self) -> list[Task]:
        """The trainings that have no result yet."""
        absent, done = self.missing(), self.folder.done()
        arms = [arm for arm in self.arms() if arm.name not in absent]
        place = self.folder.path / "runs"
        every = tasks(arms, self.folds, range(self.seeds), self.settings.budget, place)
        return [task for task in every if task.key not in done]

    def lines(self, titles: tuple[str, str], about: str) -> list[str]:
        """The table, what is significant, and what the figures depend on."""
        done = self.folder.done()
        runs = {(fold.number, seed) for fold in self.folds for seed in range(self.seeds)}
        names = {arm.name for arm in self.arms()}
        used = [one for key, one in done.items() if key[0] in names and (key[1], key[2]) in runs]
        found = compared(self.groups, done, runs, self.missing())
        slices = len(chaosprep.open(self.folder.path / "folds").slices)
        told = pages.conditions(self.settings, self.seeds, about, slices, used, self.jobs)
        names = {one.arm for one in used}
        nnunet = any(arm.way == "nnunet" and arm.name in names for arm in self.arms())
        theirs = [f"- {nnunet_way.version()}, in a Python of its own."] if nnunet else []
        return [*shown(found, titles), "", *said(found), *told, *theirs]
