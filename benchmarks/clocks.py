"""A chaosprep command with a clock around its parts: python -m benchmarks.clocks REPORT ARGUMENTS.

REPORT becomes a JSON object, part -> seconds. Time counts for the innermost part only.
"""

import builtins
import json
import sys
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

PARTS: dict[str, tuple[str, ...]] = {
    "imports": ("builtins:__import__",),
    "open datasets": (
        "chaosprep.dataset.opening:open_dataset",
        "chaosprep.running.runner:open_output",
    ),
    "plan": ("chaosprep.running.runner:fresh_plan", "chaosprep.running.runner:compare"),
    "read files": ("chaosprep.dataset.store:read_regular",),
    "hash": ("chaosprep.dataset.store:sha256",),
    "DICOM": ("chaosprep.formats.dicom.file:DicomFile.read",),
    "window": (
        "chaosprep.stages.converting.values:find_window",
        "chaosprep.stages.converting.pixels:_shown",
    ),
    "PNG": ("chaosprep.formats.codecs:encode",),
    "write and link files": (
        "chaosprep.dataset.store:write_new",
        "chaosprep.dataset.store:hard_link",
    ),
    "journal": ("chaosprep.running.journal:Journal.append",),
    "commit": ("chaosprep.running.runner:commit",),
}
"""Part of `convert` -> the functions that are it, where they are called by these names."""

REST = "rest"


class Clocks:
    """The exclusive time of each part, in seconds: one that is entered stops the one around it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys([*PARTS, REST], 0.0)
        self._open = [REST]
        self._since = time.perf_counter()

    def switch(self) -> None:
        """Book the time since the last switch to the innermost part."""
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the clock of its part around it."""

        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            self.switch()
            self._open.append(part)
            try:
                return function(*arguments, **named)
            finally:
                self.switch()
                self._open.pop()

        return timed


def attach(clocks: Clocks) -> None:
    """Put the clocks around the functions of all parts; of imports first, as this imports them."""
    builtins.__import__ = clocks.around("imports", builtins.__import__)
    found = {place: find(place) for places in PARTS.values() for place in places}
    for part, places in PARTS.items():
        for place in places if part != "imports" else ():
            owner, name = found[place]
            setattr(owner, name, clocks.around(part, getattr(owner, name)))


def find(place: str) -> tuple[Any, str]:
    """What has the function of a place, and by which name.

    Raises:
        AttributeError: there is none: `PARTS` is not up to date.
    """
    module, _, path = place.partition(":")
    __import__(module)
    *outer, name = path.split(".")
    owner = reduce(getattr, outer, sys.modules[module])
    getattr(owner, name)
    return owner, name


def main(report: str, *arguments: str) -> None:
    """Run the command, and write the report however it ends."""
    clocks = Clocks()
    attach(clocks)
    from chaosprep.cli.main import main as command

    try:
        command(list(arguments))
    finally:
        clocks.switch()
        Path(report).write_text(json.dumps(clocks.seconds), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
