"""What a person chose to leave out, in words."""

from collections.abc import Iterable

from chaosprep.dataset.descriptor import LeftOut
from chaosprep.errors import plural

_SHOWN = 10


def why(one: LeftOut) -> str:
    """`exclude: blurred`, or `exclude` without a reason."""
    return f"{one.option}: {one.reason}" if one.reason else one.option


def how_many(one: LeftOut) -> str:
    """`2 cases, 72 slices`; only that of which there are any."""
    cases = [plural(len(one.cases), "case")] if one.cases else []
    slices = [plural(one.slices, "slice")] if one.slices else []
    return ", ".join(cases + slices)


def told(left_out: Iterable[LeftOut], *, whole: bool = True) -> list[str]:
    """A line for each: `2 cases, 72 slices (where: rows >= 256)`; the first ten, or the whole."""
    lines = [f"{how_many(one)} ({why(one)})" for one in left_out]
    more = 0 if whole else len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"for {more} more reasons; -v shows all"] if more > 0 else lines
