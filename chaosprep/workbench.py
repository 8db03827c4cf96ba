"""Where work is done, for what is kept between runs."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from chaosprep.errors import ChaosprepError

T = TypeVar("T")
R = TypeVar("R")


class Work(Protocol):
    """A way to do many tasks: gives each with what was made of it, in whatever order."""

    def __call__(
        self, function: Callable[[T], R], tasks: Sequence[T], jobs: int
    ) -> Iterator[tuple[T, R | ChaosprepError]]:
        """Do the tasks in so many processes; an error that belongs to one is in its place."""


def in_turn(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int
) -> Iterator[tuple[T, R | ChaosprepError]]:
    """One task after the other, in this process."""
    return ((task, function(task)) for task in tasks)


class Workbench(msgspec.Struct, frozen=True):
    """Where work is done.

    What is kept between runs (a key, an index of headers) goes into ``folder``, which is None where
    nothing is to be written; ``name`` is whose it is there. ``jobs`` processes may ``work``.
    ``reads`` is where earlier runs may have kept something, which is read only. Where it
    ``passes``, what is read is not kept for another run.
    """

    folder: Path | None = None
    name: str = ""
    jobs: int = 1
    reads: Path | None = None
    work: Work = in_turn
    passes: bool = False

    @classmethod
    def beside(cls, output: str | Path, jobs: int = 1, work: Work = in_turn) -> "Workbench":
        """The one of an output: the folder that it is in."""
        output = Path(output).absolute()
        return cls(output.parent, output.name, jobs, work=work)

    def only_reading(self) -> "Workbench":
        """The same, where nothing is written."""
        return msgspec.structs.replace(self, folder=None, reads=self.folder or self.reads)


ALONE = Workbench()
"""Nothing is kept."""
