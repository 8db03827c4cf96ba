"""Sides and folds of patients, as they are decided or were decided elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaosprep.dataset.records import Split

Side = tuple[Split, int | None]
"""A side, and a fold where there are any."""

Sides = dict[str, Side]
"""Patient id -> its side."""


def part_of(side: Side) -> Side:
    """The part that counts: a fold, whichever of them validates, or a side without folds."""
    return ("train", side[1]) if side[1] is not None else side


@dataclass(frozen=True)
class KnownSplit:
    """A split that was made before: by a stage, or by other people, as a file tells it.

    ``sides`` are by the names that the file has, of patients or of cases; of a stage directory,
    they are ids of patients; where they are ``of_patients``, no case is called so. ``key`` is the
    fingerprint of the key that made the ids, where a manifest records one. ``others`` tells the
    splits of the same file that were not chosen; where it is of a form that ``leaves_out_tests``,
    those it does not name may be a test set. Where it ``counts_from_1``, its fold 1 is fold 0.
    ``folds`` are those of each time, numbered on, of everybody who was divided several times.
    ``asked`` are the parameters of the split, where a manifest records them.
    """

    sides: Mapping[str, Side]
    key: str | None = None
    are_ids: bool = False
    of_patients: bool = False
    others: str = ""
    leaves_out_tests: bool = False
    counts_from_1: bool = False
    folds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    asked: Mapping[str, object] = field(default_factory=dict)
