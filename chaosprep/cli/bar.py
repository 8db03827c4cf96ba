"""The progress bar: n/N, the case at hand and the time that is left, in one line."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chaosprep.printable import printable
from chaosprep.words import shortened

_WIDEST = 24  # letters of a case: the line fits 80 columns


class Bar:
    """A bar on a terminal, and the lines that are printed above it."""

    def __init__(self, console: Console, title: str, total: int, finished: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[case]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(title, total=total, completed=finished, case="")
        self._progress.start()

    def advance(self, finished: int, case: str | None) -> None:
        """Show how many cases are done, and the last of them."""
        shown = shortened(printable(case or ""), _WIDEST)
        self._progress.update(self._task, completed=finished, case=shown)

    def print(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()
