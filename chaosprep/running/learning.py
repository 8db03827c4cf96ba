"""What a stage learns over some cases before it works on any, and where a run keeps it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from chaosprep.dataset.descriptor import Learned
from chaosprep.files import sha256, write_new
from chaosprep.params import P
from chaosprep.running.kept import read_kept

C = TypeVar("C")
LEARNED = "learned.json"
"""The file of a workspace with what an unfinished run has learned."""


class Learning(msgspec.Struct, Generic[C, P], frozen=True):
    """What a stage learns: seen in each of some cases, by workers, and concluded from all.

    `due` says whether the parameters ask for it, `takes` of which cases it is learned. `see` tells
    what there is to see of one, and pickles; `conclude` makes of all of it, in the order of the
    cases' ids, what is learned: plain values, as JSON has them, each under the name of the
    parameter that could have given it. `give` completes a case with it, so that it is part of the
    case's `content`. `sound` tells whether what a file of an unfinished run says can have been
    learned at all.
    """

    due: Callable[[P], bool]
    takes: Callable[[C], bool]
    see: Callable[[C, P], Any]
    conclude: Callable[[Sequence[Any], P], Learned]
    give: Callable[[C, Learned], C]
    sound: Callable[[Learned], bool]


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was learned, of what (`key`), and a hash of it that tells damage."""

    key: str
    learned_sha256: str
    learned: msgspec.Raw


def keep_learned(workspace: Path, key: str, learned: Learned) -> None:
    """Write down what was learned; `key` stands for the settings and the cases."""
    text = msgspec.json.encode(learned)
    kept = _Kept(key, sha256(text), msgspec.Raw(text))
    write_new(workspace / LEARNED, msgspec.json.encode(kept))


def kept_learned(workspace: Path, key: str) -> Learned | None:
    """What an unfinished run has learned of the same; None where it has not.

    Raises:
        ChaosprepError: `workspace`, what stands there is no file of a run.
    """
    data = read_kept(workspace / LEARNED)
    if data is None:
        return None
    try:
        kept = msgspec.json.decode(data, type=_Kept)
        same = kept.key == key and kept.learned_sha256 == sha256(bytes(kept.learned))
        return msgspec.json.decode(kept.learned, type=Learned) if same else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
