"""What is done, as JSON lines in a folder: an interrupted comparison goes on with the rest."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.training.budget import Budget
from chaosprep.errors import UsageError
from chaosprep.evaluation.results import OrganResult

SETTINGS, RESULTS = "settings.json", "results.jsonl"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What all results of a folder have in common."""

    folds: tuple[tuple[str, ...], ...]
    size: str | None
    spacing: float | None
    sequence: tuple[str, ...]
    budget: Budget


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One training: how the fold's unseen patients were judged, and the seconds it took."""

    arm: str
    fold: int
    seed: int
    seconds: float
    results: tuple[OrganResult, ...]

    @property
    def key(self) -> tuple[str, int, int]:
        """What it is the result of."""
        return self.arm, self.fold, self.seed


class Folder:
    """The folder of a comparison."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def hold(self, settings: Settings) -> None:
        """Take the folder for these settings, or go on with it.

        Raises:
            UsageError: `settings`, its results are of others.
        """
        file = self.path / SETTINGS
        if not file.exists():
            file.write_bytes(msgspec.json.format(msgspec.json.encode(settings)))
        found = msgspec.json.decode(file.read_bytes(), type=Settings)
        if found == settings:
            return
        names = [
            name
            for name in settings.__struct_fields__
            if getattr(found, name) != getattr(settings, name)
        ]
        raise UsageError(
            f"{self.path}: its results are of other settings ({', '.join(names)})",
            "Give another folder with --out.",
            code="settings",
        )

    def settings(self) -> Settings:
        """What the results have in common."""
        return msgspec.json.decode((self.path / SETTINGS).read_bytes(), type=Settings)

    def add(self, done: Done) -> None:
        """Keep a result; it is on the disk when this returns."""
        self._end_line()
        with (self.path / RESULTS).open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _end_line(self) -> None:
        """Take away what an interruption left behind the last whole line."""
        file = self.path / RESULTS
        if file.exists():
            data = file.read_bytes()
            os.truncate(file, data.rfind(b"\n") + 1)

    def done(self) -> dict[tuple[str, int, int], Done]:
        """Every result that is whole, by arm, fold and seed."""
        return {one.key: one for one in self._lines()}

    def _lines(self) -> Iterator[Done]:
        file = self.path / RESULTS
        lines: list[Any] = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        for line in lines:
            yield msgspec.json.decode(line, type=Done)
