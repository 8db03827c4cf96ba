"""One of several parts of a stage's cases, for machines that share nothing but a file system."""

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from chaosprep.dataset.manifest import OnDemand
from chaosprep.errors import UsageError

C = TypeVar("C")


class Part(msgspec.Struct, frozen=True):
    """The `index`-th of `count` parts, from 1.

    It takes every `count`-th case, not a block of neighbours: cases are sorted by patient, CT
    before MR, and a block would hold the large ones of one kind.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index} of {self.count}"

    def of(self, cases: Sequence[C]) -> Sequence[C]:
        """The part's cases."""
        return OnDemand(range(self.index - 1, len(cases), self.count), cases.__getitem__)


def parse_part(text: str) -> Part:
    """Read `I/N`.

    Raises:
        UsageError: it is not two numbers, or I is not one of 1 to N.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, flags=re.ASCII)
    part = Part(int(found[1]), int(found[2])) if found else Part(0, 0)
    if not 1 <= part.index <= part.count:
        raise UsageError(
            f"--shard: {text!r} is not I/N with I from 1 to N",
            "Give 1/4, 2/4, 3/4 and 4/4 to four machines.",
            code="shard",
        )
    return part
