"""A trait: one thing that the sides are to have alike, and how a patient's is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase

Value = str | float


@dataclass(frozen=True)
class Evidence:
    """What was read of a case.

    ``areas`` has the pixels that each structure has in all masks, by its folded name, and None
    where there are no masks; ``volumes`` the same in ml, None where the spacing is unknown; and
    ``names`` how the structures are spelled. ``headers`` are values by keyword.
    """

    areas: Mapping[str, int] | None = None
    volumes: Mapping[str, float] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Trait:
    """What is to be alike.

    ``name`` stands for it in shares. ``of_case`` tells a case's, None where nothing does, and
    ``join`` what a patient has whose cases have these. ``structure`` is the one whose masks it asks
    for, ``keywords`` are the headers.
    """

    name: str
    of_case: Callable[[SourceCase, Evidence], Value | None]
    join: Callable[[Sequence[Value]], Value]
    structure: str | None = None
    keywords: tuple[str, ...] = ()


Make = Callable[[str, Root, Key | None], Trait | None]
"""Makes the trait of a wish, as a user wrote it; None where it is another kind of wish."""


def together(values: Sequence[Value]) -> str:
    """Everything that a patient has, `t1-in+t2-spir`."""
    texts = {one if isinstance(one, str) else f"{one:g}" for one in values}
    return "+".join(sorted(texts))
