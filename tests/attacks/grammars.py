"""What the grammars share: how many files, made of which seeds, and how one is tried.

CHAOSPREP_MUTATIONS sets how many files each grammar makes (a few hundred unless told).
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from chaosprep.errors import ChaosprepError

T = TypeVar("T")
BATCH = 50
SECONDS = 5.0
"""Of processor time that a file of a few KiB may take in this process."""
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 17, 24, 32, 255, 256, 2**15, 2**16 - 1, 2**31 - 1)


def count(few: int) -> int:
    """How many files a grammar makes: ``few``, but for CHAOSPREP_MUTATIONS."""
    return int(os.environ.get("CHAOSPREP_MUTATIONS", few))


def batches(few: int) -> range:
    """The numbers of the batches of a grammar."""
    return range((count(few) + BATCH - 1) // BATCH)


def draws(name: str, batch: int, few: int) -> Iterator[random.Random]:
    """A source of numbers for each file of a batch; the same batch always gives the same files."""
    for at in range(batch * BATCH, min(count(few), (batch + 1) * BATCH)):
        yield random.Random(f"{name} {at}")


def tried(action: Callable[[], T], seconds: float = SECONDS) -> T | ChaosprepError:
    """What an action gives, or the one error that it may raise, in so much processor time."""
    begin = time.process_time()
    found: T | ChaosprepError
    try:
        found = action()
    except ChaosprepError as error:
        found = error
    assert time.process_time() - begin < seconds
    if isinstance(found, ChaosprepError):
        assert found.code
        assert found.reason
    return found


def scratched(data: bytes, draw: random.Random, begin: int = 0) -> bytes:
    """Bytes flipped, cut out, overwritten or put in, or the end cut off, behind ``begin``."""
    if len(data) <= begin:
        return data
    at = draw.randrange(begin, len(data))
    match draw.randrange(5):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        case 2:
            new = draw.choice([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f"])
            return data[:at] + new + data[at + 4 :]
        case 3:
            return data[:at] + data[at + draw.randrange(1, 64) :]
        case _:
            return data[:at] + draw.randbytes(draw.randrange(1, 16)) + data[at:]
