"""Empty masks: right above and below a structure, odd between two slices that show it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import dropwhile

from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign.pairs import Looked, problem
from chaosprep.series.pairing import natural_key

FEW, SHARE = 2, 0.1
"""Odd ones that are told one by one: two on each side of the split, or one mask in ten."""


def empty_masks(looked: Sequence[Looked]) -> Findings:
    """Warn of empty masks where a structure should be; a note counts all others.

    A mask is as it should be where a table says that nothing is labelled, and at the two ends of a
    stack that shows something between. Of many others it cannot be told, but where no mask of a
    side shows anything.
    """
    found = Findings()
    masked = [one for one in looked if one.empty is not None]
    empty = {one.pair.id for one in masked if one.empty and not _is_said(one)}
    odd = [one for one in _odd(masked) if one.pair.id in empty]
    for side in {one.pair.side for one in odd}:
        mine = [one for one in odd if one.pair.side == side]
        masks = [one for one in masked if one.pair.side == side]
        if max(FEW, SHARE * len(masks)) < len(mine) and not all(one.empty for one in masks):
            continue
        empty -= {one.pair.id for one in mine}
        reason = "the mask is empty"
        found.warnings += (problem("mask-empty", m.pair.id, m.pair.mask, reason) for m in mine)
    if empty:
        found.notes.append(
            f"masks that show nothing: {len(empty)} of {len(masked)} (right above and below a "
            "structure, wrong where its value was lost)"
        )
    return found


def _is_said(one: Looked) -> bool:
    pixels = one.pair.said.pixels
    return pixels is not None and not any(pixels.values())


def _odd(masked: Sequence[Looked]) -> Iterator[Looked]:
    """The empty ones that are not at an end of a stack that shows something."""
    stacks: dict[str, list[Looked]] = defaultdict(list)
    for one in sorted(masked, key=lambda one: natural_key(one.pair.id)):
        stacks[one.seen[0].case if one.seen else one.pair.id].append(one)
    for stack in stacks.values():
        inner = list(dropwhile(lambda one: one.empty, stack))
        inner = list(dropwhile(lambda one: one.empty, reversed(inner)))
        yield from (one for one in inner or stack if one.empty)
