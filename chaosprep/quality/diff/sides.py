"""One side of a comparison: its cases, each read when its turn comes, and what is said of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.organs import unnamed

Plane = NDArray[Any]
Hashes = tuple[str | None, str | None]
Structures = Mapping[str, NDArray[np.bool_]]
GEOMETRY = ("spacing", "position", "orientation")
"""The columns of a row that files without a table tell as well."""

BORROWED = "nothing says what its mask values stand for: names of the other side are taken"

_ONE = "mask"  # what `name_values` calls the only value


def unchecked() -> None:
    """Nothing: the bytes are those that were read."""


@dataclass(frozen=True, eq=False)
class One:
    """A slice of a side. ``image`` gives its values in modality units, ``mask`` its structures.

    ``bytes_`` are hashes of its image's and its mask's file, of each that is one: those that are
    equal are not opened, unless both sides say how they are to be read, ``reading``, and it
    differs. ``check`` raises `FileError` where files that nobody opens have other bytes than their
    hashes say. ``row`` is what a table, or the files themselves, say of it besides.
    """

    id: str
    bytes_: Hashes | None
    image: Callable[[], Plane | None]
    mask: Callable[[], Structures | None]
    row: Mapping[str, Any] = field(default_factory=dict)
    reading: object = None
    check: Callable[[], None] = unchecked


class Read(NamedTuple):
    """The slices of a case, and how many problems keep others of it from being compared."""

    slices: Sequence[One]
    problems: int = 0


@dataclass(frozen=True)
class Member:
    """A case of a side; it pickles. ``read`` raises `FileError`.

    ``patient`` is empty where nothing tells whose the case is; so are ``side`` and ``fold``.
    """

    id: str
    patient: str
    side: str
    fold: str
    read: Callable[[], Read]


@dataclass(frozen=True)
class Side:
    """What is compared: A or B.

    ``has_table``: it is a stage directory, whose rows, sides and stages can be compared with
    another's. ``has_images``: it is more than masks. ``labels`` are what mask values stand for, as
    far as it says so itself. ``notes`` say what is not compared of it.
    """

    kind: str
    members: Mapping[str, Member]
    labels: Mapping[str, str]
    stages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    has_table: bool = False
    has_images: bool = True
    notes: tuple[str, ...] = ()


def is_told(value: int, name: str) -> bool:
    """Whether somebody gave a mask value this name: it was not made up for want of one."""
    return name not in (_ONE, unnamed(value))


def names_for(
    values: Sequence[int], own: Mapping[int, str], other: Mapping[str, str]
) -> dict[int, str]:
    """Names for mask values: their own, else those that the other side has for them.

    Where the other side has one name alone, an only value, whichever, is that: 1 is what 255 is.
    """
    found = {}
    sole = next(iter(other.values())) if len({*other.values()}) == 1 else None
    for value in values:
        name = own.get(value, unnamed(value))
        if not is_told(value, name):
            name = other.get(str(value)) or (sole if sole and len(values) == 1 else name)
        found[value] = name
    return found
