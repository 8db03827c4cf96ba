"""What a stream is made of: parts, each read by one worker from its begin to its end."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import RECOPY, FileError, about
from chaosprep.files import sha256


class Source(Protocol):
    """Where the cases of a stream come from; it pickles, and holds no file open."""

    noun: str
    """What a part is called: `shard`, `case`."""
    more: str
    """How more parts could be had, where that is possible: a text that goes on from another."""
    labels: dict[str, int]
    """Organ -> label, from 1, over the whole dataset."""

    @property
    def parts(self) -> Sequence[Any]:
        """What one worker reads from begin to end."""
        ...

    def cases(self, part: Any) -> Iterator[Case]:  # noqa: ANN401 - one of `parts`
        """The cases of a part, whole, each with a store that reads its files.

        Raises:
            FileError: the part cannot be read, or is not as recorded.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Given(Store):
    """Files that something else brings, by their paths; each is compared with its hash."""

    get: Callable[[File], bytes]

    def read(self, file: File, *, check: bool = True) -> bytes:
        """A file's bytes; without `check` they are compared with its size alone.

        Raises:
            FileError: `hash`, or what `get` raises.
        """
        with about(file.path):
            data = self.get(file)
            if (check and sha256(data) != file.sha256) or len(data) != file.bytes:
                raise FileError("its bytes are not those of its recorded hash", RECOPY, "hash")
        return data

    def read_fresh(self, file: File, *, check: bool = True) -> bytes:
        """Do as `read`."""
        return self.read(file, check=check)


def given(get: Callable[[File], bytes]) -> Given:
    """A store of such files."""
    return Given(Path(os.devnull), get=get)
