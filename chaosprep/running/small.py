"""Jobs that one process has done before others have started."""

from collections.abc import Callable
from functools import partial

from chaosprep.dataset.case import Case
from chaosprep.running.executor import Executor
from chaosprep.running.executors import open_executor
from chaosprep.running.options import RunOptions
from chaosprep.running.planning import Plan
from chaosprep.running.stage import C

_MOST = 2**23
"""Pixels: 128 slices of 256 x 256, a fraction of a second of any stage's work."""
_LEAST = 2**14
"""Pixels that a slice counts as at least: its files take as long, however few it has."""


def opener(options: RunOptions, plan: Plan[C]) -> Callable[[int], Executor]:
    """What opens the executor for so many tasks: this process where nobody asked for others."""
    alone = options.jobs is None and is_small(plan)
    return partial(open_executor, 1 if alone else options.processes)


def is_small(plan: Plan[C]) -> bool:
    """Whether all slices of a plan, those to be made too, are few; not where it cannot tell."""
    left = _MOST
    for case in map(plan.complete, plan.cases):
        if not isinstance(case, Case):
            return False
        left -= sum(max(row.rows * row.cols, _LEAST) for row in case.slices)
        if left < 0:
            return False
    return True
