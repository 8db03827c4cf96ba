"""A stage learns: its cases are seen by the workers of the map, and it concludes from all."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.descriptor import Learned
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.errors import ChaosprepError, plural
from chaosprep.params import P
from chaosprep.running.boundary import tried
from chaosprep.running.claim import make_claim
from chaosprep.running.executor import Executor
from chaosprep.running.executors import WorkerDied, map_unordered
from chaosprep.running.learning import Learning, keep_learned, kept_learned
from chaosprep.running.options import Event, OnEvent, ignore
from chaosprep.running.planning import Plan
from chaosprep.running.stage import C, Stage
from chaosprep.running.tasks import starter


def with_learned(
    stage: Stage[C, P],
    params: P,
    plan: Plan[C],
    source: Path,
    opens: Callable[[int], Executor],
    scheduler: str | None = None,
    *,
    tell: OnEvent = ignore,
    dry: bool = False,
) -> Plan[C]:
    """The plan with what the stage learns, where it does; every case is completed with it.

    It is learned of all wanted cases, whatever part of them the plan has. A case of which something
    cannot be read is left out; what is wrong with it is told when it is worked on. What was learned
    of all is kept in the workspace, and not learned again there while settings and cases stay the
    same. A dry run keeps nothing.
    """
    learning = stage.learn
    if learning is None or not learning.due(params):
        return plan
    workspace, (key, count) = plan.output / WORKSPACE, _key_of(learning, plan)
    learned, taken = kept_learned(workspace, key), count
    if learned is None or not learning.sound(learned):
        with ExitStack() as ending:
            claim = None
            if scheduler is not None and count:
                claim = make_claim(workspace.absolute())
                ending.callback(claim.give_up)
            start = starter(opens, scheduler, claim, source, count)

            def told(finished: int, case: str) -> None:
                tell(Event("seen", stage.name, finished, count, case))

            seen = _seen(learning, params, plan, start, told) if count else {}
        learned = learning.conclude([seen[id] for id in sorted(seen)], params)
        taken = len(seen)
        if taken == count and not dry:
            keep_learned(workspace, key, learned)
    return msgspec.structs.replace(
        plan,
        complete=_Completed(plan.complete, learning, learned),
        learned=learned,
        notes=(*plan.notes, f"learned from {plural(taken, 'case')} of the training side"),
    )


class _Completed(msgspec.Struct, frozen=True):
    """Completes a case with what was planned of it, and what was learned."""

    planned: Callable[[Any], Any]
    learning: Learning[Any, Any]
    learned: Learned

    def __call__(self, case: Any) -> Any:  # noqa: ANN401 - of the stage's own kind
        return self.learning.give(self.planned(case), self.learned)


class _Task(msgspec.Struct, frozen=True):
    see: Callable[[Any, Any], Any]
    case: Any
    params: Any


def _seen(
    learning: Learning[C, P],
    params: P,
    plan: Plan[C],
    start: Callable[[], Executor],
    tell: Callable[[int, str], None],
) -> dict[str, Any]:
    """What was seen of each case, by its id, in whatever order; nothing of one with an error.

    `tell` is told how many cases are behind it, and the last.
    """
    seen = dict[str, Any]()
    tasks = (_Task(learning.see, case, params) for case in _cases(learning, plan))
    with closing(map_unordered(start, _see, tasks)) as results:
        for finished, (task, found) in enumerate(results, start=1):
            if not isinstance(found, WorkerDied | ChaosprepError):
                seen[task.case.id] = found
            tell(finished, task.case.id)
    return seen


def _see(task: _Task) -> Any:  # noqa: ANN401 - what the stage sees, or an error
    return tried(lambda one: one.see(one.case, one.params), task)


def _cases(learning: Learning[C, P], plan: Plan[C]) -> Iterator[C]:
    return filter(learning.takes, map(plan.complete, plan.every))


def _key_of(learning: Learning[C, P], plan: Plan[C]) -> tuple[str, int]:
    """What stands for the settings and the cases that are learned of, and how many those are."""
    digests = [hashlib.sha256(case.content()).digest() for case in _cases(learning, plan)]
    return hashlib.sha256(plan.settings + b"\n" + b"".join(digests)).hexdigest(), len(digests)
