"""Progress in notebooks: a verb that is called in one shows a bar below its cell while it runs.

Nothing is shown anywhere else, nor where the caller listens with a function of their own.
"""

import sys
from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from chaosprep import html
from chaosprep.errors import plural
from chaosprep.printable import printable

if TYPE_CHECKING:
    from chaosprep.running.options import Event
    from chaosprep.torch.checkpoint import EpochScore

_SOON: Final = 0.1  # seconds between two pictures of a bar, as the front end draws each anew


class Display(Protocol):
    """Gives a cell something to show, or something else in its place."""

    def __call__(self, page: str, plain: str) -> None:
        """Show a page of HTML; where only text is shown, `plain`."""


@cache
def with_progress(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function, which shows how far it is where it runs in a notebook; ``name`` is the verb's.

    Only what takes `on_event`, `on_case` or `on_epoch` can say how far it is.
    """
    listens = next((one for one in _LISTENERS if one in signature(function).parameters), None)
    if listens is None:
        return function

    @wraps(function)
    def verb(*values: Any, **named: Any) -> Any:  # noqa: ANN401 - what the function gives
        given = [named.get(listens), *(getattr(one, listens, None) for one in values)]
        given.append(getattr(named.get("options"), listens, None))
        show = None if any(one is not None for one in given) else display()
        if show is None:
            return function(*values, **named)
        bar = Bar(_COMMANDS.get(name, name).replace("_", "-"), show)
        try:
            return function(*values, **{**named, listens: getattr(bar, listens)})
        finally:
            bar.stop()

    return verb


_LISTENERS = ("on_event", "on_case", "on_epoch")
_COMMANDS = {"compare_predictions": "evaluate"}
"""Functions whose command has another name."""


def display() -> Display | None:
    """What shows something in the notebook that this process is the kernel of; None elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is None or getattr(ipython.get_ipython(), "kernel", None) is None:
        return None
    handles: list[Any] = []

    def show(page: str, plain: str) -> None:
        data = {"text/html": page, "text/plain": plain}
        if handles:
            handles[0].update(data, raw=True)
        else:
            handles.append(ipython.display.display(data, raw=True, display_id=True))

    return show


class Bar:
    """How far a verb is, with a line for each stage that is done."""

    def __init__(self, verb: str, show: Display) -> None:
        self._verb, self._show = verb, show
        self._done: list[str] = []
        self._told = self._case = ""
        self._of = (0, 0)
        self._last = float("-inf")

    def on_event(self, event: "Event") -> None:
        """Show an event of a stage."""
        if event.dataset is not None:
            self._done.append(event.closing)
            self._told = ""
        else:
            self._done += [f"Note: {note}" for note in event.notes]
            doing = "learns from " if event.kind == "seen" else ""
            self._told = f"{event.stage}: {doing}{_count(event.finished, event.total)}"
            self._case, self._of = event.case or "", (event.finished, event.total)
        self._draw(at_once=event.dataset is not None)

    def on_case(self, case: str, done: int = 0, total: int = 0) -> None:
        """Show a case that is done; verify does not know of how many."""
        self._case, self._of = case, (done or self._of[0] + 1, total)
        self._told = f"{self._verb}: {_count(*self._of)}"
        self._draw()

    def on_epoch(self, score: "EpochScore", is_best: bool, epochs: int) -> None:
        """Show an epoch."""
        self._told, self._of = score.told(is_best, epochs), (score.epoch, epochs)
        self._draw()

    def stop(self) -> None:
        """Take the bar away; what was done stays, and how far it came."""
        if self._done or self._told:
            self._draw(at_once=True, ended=True)

    def _draw(self, *, at_once: bool = False, ended: bool = False) -> None:
        now = monotonic()
        if not at_once and now - self._last < _SOON:
            return
        self._last = now
        case = f", {self._case}" if self._case and not ended else ""
        lines = [*self._done, *([f"{self._told}{case}"] if self._told else [])]
        finished, total = self._of
        value = f' value="{finished}" max="{total}"' if total else ""
        drawn = f'<progress{value} style="width:100%"></progress>'
        page = html.lines(lines) + (drawn if self._told and not ended else "")
        self._show(page, "\n".join(map(printable, lines)))


def _count(done: int, total: int) -> str:
    """`3 of 5 cases`; `3 cases` where nobody knows of how many."""
    return f"{done} of {plural(total, 'case')}" if total else plural(done, "case")
