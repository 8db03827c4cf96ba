"""Where work is done, for what is kept between runs."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Workbench:
    """Where work is done.

    What is kept between runs (a key, an index of headers) goes into ``folder``, which is None where
    nothing is to be written; ``name`` is whose it is there. ``jobs`` processes may work. ``reads``
    is where earlier runs may have kept something, which is read only.
    """

    folder: Path | None = None
    name: str = ""
    jobs: int = 1
    reads: Path | None = None

    @classmethod
    def beside(cls, output: str | Path, jobs: int = 1) -> "Workbench":
        """The one of an output: the folder that it is in."""
        output = Path(output).absolute()
        return cls(output.parent, output.name, jobs)

    def only_reading(self) -> "Workbench":
        """The same, where nothing is written."""
        return replace(self, folder=None, reads=self.folder or self.reads)


ALONE = Workbench()
"""Nothing is kept."""
