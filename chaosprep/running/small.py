"""Jobs that one process has done before others have started."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.running.executor import Executor
from chaosprep.running.executors import open_executor
from chaosprep.running.options import RunOptions
from chaosprep.running.planning import Plan
from chaosprep.running.stage import AnyCase, C

_MOST = 2**23
"""Pixels: 128 slices of 256 x 256, a fraction of a second of any stage's work."""
_LEAST = 2**14
"""Pixels that a slice counts as at least: its files take as long, however few it has."""


def opener(
    options: RunOptions, plan: Plan[C], workers: Callable[[int], Executor] | None = None
) -> Callable[[int], Executor]:
    """What opens the executor for so many tasks: this process where nobody asked for others.

    Others are those of `workers`, where there are some for several runs.
    """
    if options.jobs is None and is_small(plan):
        return partial(open_executor, 1)
    return workers or partial(open_executor, options.processes)


def is_small(plan: Plan[C]) -> bool:
    """Whether all slices of a plan, those to be made too, are few; not where it cannot tell."""
    left = _MOST
    for case in map(plan.complete, plan.cases):
        for pixels in _pixels(case):
            left -= max(pixels, _LEAST)
            if left < 0:
                return False
    return True


def _pixels(case: AnyCase) -> Iterator[int]:
    """Those of each slice; before any file is opened, a byte of it stands for one."""
    if isinstance(case, Case):
        yield from (row.rows * row.cols for row in case.slices)
        return
    from chaosprep.series.source import SourceCase

    if isinstance(case, SourceCase):
        yield from (_bytes(Path(case.root, path)) for path in case.images)
    else:
        yield _MOST + 1


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is told of where it is read
        return 0
