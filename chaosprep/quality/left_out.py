"""What a person chose to leave out, stage by stage: it is said, and must not be there."""

from collections.abc import Iterator
from itertools import islice

from chaosprep.dataset.descriptor import LeftOut
from chaosprep.dataset.left_out import how_many, why
from chaosprep.dataset.manifest import DESCRIPTOR, Dataset
from chaosprep.errors import Problem, plural
from chaosprep.words import shortened

_SHOWN = 10
_LONGEST = 600  # letters of a reason; a table's have no more than 500


def every(dataset: Dataset) -> Iterator[tuple[str, LeftOut]]:
    """Each thing that was left out, with the stage that did it."""
    for past in dataset.history:
        for one in past.left_out:
            yield past.stage, one


def left_out_faults(dataset: Dataset) -> Iterator[Problem]:
    """Cases that were left out and are in the table nevertheless."""
    there = {*dataset.case_ids}
    for stage, one in every(dataset):
        for case in one.cases:
            if case in there:
                yield Problem(
                    code="left-out",
                    id=case,
                    file=DESCRIPTOR,
                    reason=f"{stage} left it out ({why(one)}), but it is in the table",
                    remedy=f"Run {stage} and what follows it again with --overwrite.",
                )


def left_out_notes(dataset: Dataset) -> tuple[str, ...]:
    """A line for each thing that was left out, with its count; the first ten of all."""
    told = [
        f"{stage} left out {how_many(one)} ({shortened(why(one), _LONGEST)})"
        for stage, one in islice(every(dataset), _SHOWN)
    ]
    more = sum(1 for _ in every(dataset)) - len(told)
    if more:
        told.append(f"more was left out for {plural(more, 'reason')}: {DESCRIPTOR} has them all")
    return tuple(told)
