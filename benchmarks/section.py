"""What a part of the benchmark is, and what it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    `most` is of slices, where the growth ends, `files` are those of the index.
    """

    slices: int = 640
    repeats: int = 3
    jobs: tuple[int, ...] = (1, 2)
    most: int = 64_000
    files: int = 100_000


@dataclass(frozen=True)
class Part:
    """One part of a page, and what it says before its figures."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Section(Part):
    """One part of docs/benchmarks.md, and what makes its lines."""

    measure: Callable[[Asked], list[str]]
