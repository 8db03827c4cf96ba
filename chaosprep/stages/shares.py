"""Copies spread evenly over slices: how many of a total each gets."""

import hashlib
from collections.abc import Callable, Iterable

import numpy as np

from chaosprep.errors import UsageError


def shares(ids: Iterable[str], samples: int, seed: int) -> tuple[Callable[[str], int], int]:
    """How many copies a slice gets, by its id, and the most that one can.

    Where they cannot all get as many, the `seed` says who gets one more.

    Raises:
        UsageError: `samples`, there is no slice to copy.
    """
    ranks = np.sort(np.asarray([_rank(seed, id) for id in ids], dtype=np.uint64))
    if not ranks.size:
        reason = "--samples: there is no training slice to copy"
        raise UsageError(reason, "Split with patients to train on.", "samples")
    each, more = divmod(samples, ranks.size)
    limit = int(ranks[more - 1]) if more else -1
    return lambda id: each + (_rank(seed, id) <= limit), each + 1


def _rank(seed: int, id: str) -> int:
    digest = hashlib.sha256(f"chaosprep.samples.1\n{seed}\n{id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
