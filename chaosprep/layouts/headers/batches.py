"""The entries of some files as bytes: between processes, and in what is kept between runs.

Both ways go through the same bytes, so that what was kept is never another than what is read.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import force_setattr, replace

from chaosprep.layouts.headers.head import Entry, Head
from chaosprep.layouts.headers.shared import OWN, Evidence, Own, divided

_Place = tuple[int, Own]
"""Which of the shared evidence it is, and what is its own."""


class _Batch(msgspec.Struct, array_like=True):
    """Entries without paths and evidence, which stand beside: those of each entry, then its heads'.

    Paths are bytes, as not all of them are UTF-8.
    """

    shared: list[dict[str, str]]
    paths: list[bytes]
    places: list[list[_Place]]
    entries: list[Entry]


_DECODER = msgspec.msgpack.Decoder(_Batch)


def pack(entries: Sequence[Entry]) -> bytes:
    """Some entries as bytes."""
    shared: dict[tuple[tuple[str, str], ...], int] = {}

    def place(evidence: Mapping[str, str]) -> _Place:
        common, own = divided(evidence)
        return shared.setdefault(tuple(common.items()), len(shared)), own

    batch = _Batch(
        [],
        [os.fsencode(entry.path) for entry in entries],
        [
            [place(entry.evidence), *(place(head.evidence) for head in entry.heads)]
            for entry in entries
        ],
        [replace(entry, path="", evidence={}, heads=_bare(entry.heads)) for entry in entries],
    )
    batch.shared = [dict(items) for items in shared]
    return msgspec.msgpack.encode(batch)


def _bare(heads: Sequence[Head]) -> tuple[Head, ...]:
    return tuple(replace(head, path="", evidence={}) for head in heads)


class Pool:
    """Entries from bytes, with all that is equal kept once."""

    def __init__(self) -> None:
        self._evidence: dict[tuple[tuple[str, str], ...], Evidence] = {}
        self._vectors: dict[Any, Any] = {}

    def unpack(self, data: bytes) -> list[Entry]:
        """The entries of a batch.

        Raises:
            ValueError: the bytes are none of `pack`.
        """
        try:
            batch = _DECODER.decode(data)
        except msgspec.MsgspecError as error:
            raise ValueError("no batch") from error
        shared = [self._shared(one) for one in batch.shared]
        rows = zip(batch.paths, batch.places, batch.entries, strict=True)
        for name, places, entry in rows:
            path = os.fsdecode(name)
            for one, (index, own) in zip((entry, *entry.heads), places, strict=True):
                force_setattr(one, "path", path)
                force_setattr(one, "evidence", _evidence(shared, index, own))
            for head in entry.heads:
                self._keep_once(head)
        return batch.entries

    def _shared(self, evidence: dict[str, str]) -> Evidence:
        items = tuple(evidence.items())
        return self._evidence.setdefault(items, Evidence(evidence, ()))

    def _keep_once(self, head: Head) -> None:
        for name in ("orientation", "pixel_spacing"):
            value = getattr(head, name)
            force_setattr(head, name, self._vectors.setdefault(value, value))


def _evidence(shared: list[Evidence], index: int, own: Own) -> Evidence:
    if not 0 <= index < len(shared) or len(own) not in (0, len(OWN)):
        raise ValueError("no evidence is there")
    return shared[index].with_own(own) if own else shared[index]
