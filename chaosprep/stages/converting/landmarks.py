"""The landmarks of `--normalize nyul`: learned, or taken from a directory or a file."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from chaosprep.dataset.decoding import decode_descriptor
from chaosprep.dataset.descriptor import Descriptor, Learned, PastStage, Provenance, StageRecord
from chaosprep.dataset.manifest import DESCRIPTOR
from chaosprep.errors import FileError, UsageError
from chaosprep.expected import explain
from chaosprep.files import read_regular
from chaosprep.imaging.intensity.nyul import NYUL

_REMEDY = (
    "Give a directory that convert made with --normalize nyul, or a JSON file of what it learned."
)
_DIRECTORY_REMEDY = "Give a directory that convert made with --normalize nyul."


class Landmarks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sequence -> where each percentile of the body lies on the common scale."""

    landmarks: dict[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        assert NYUL.learning is not None
        for sequence, scale in self.landmarks.items():
            try:
                NYUL.learning.check(scale)
            except ValueError as error:
                raise ValueError(f"{sequence}: {error}") from error

    def plain(self) -> Learned:
        """The same as JSON has it, sorted by sequence."""
        scales = sorted(self.landmarks.items())
        return {"landmarks": {sequence: list(scale) for sequence, scale in scales}}


def told_in(made: StageRecord) -> bytes | None:
    """What is said to be the landmarks of a stage, as JSON text; None where it has none."""
    learned = made.learned if isinstance(made, Provenance | PastStage) else UNSET
    given = made.parameters.get("landmarks")
    if learned is not UNSET and "landmarks" in learned:
        return msgspec.json.encode(learned)
    return given.encode() if made.stage == "convert" and isinstance(given, str) else None


def is_sound(learned: Learned) -> bool:
    """Whether a record can be landmarks that were learned."""
    try:
        return msgspec.convert(learned, Landmarks).plain() == learned
    except msgspec.ValidationError:
        return False


def landmarks_text(given: str) -> str:
    """Landmarks as JSON text: of a stage directory, of a JSON file, or such a text itself.

    Raises:
        UsageError: `landmarks`, there are none.
    """
    if given.startswith("{"):
        return msgspec.json.encode(_read("--landmarks", given.encode()).plain()).decode()
    path = Path(given)
    found = _learned_in(path) if path.is_dir() else _read(f"--landmarks: {path}", _bytes(path))
    return msgspec.json.encode(found.plain()).decode()


@lru_cache(maxsize=4)
def parsed(text: str) -> dict[str, tuple[float, ...]]:
    """The landmarks that `landmarks_text` gave, by sequence."""
    return msgspec.json.decode(text, type=Landmarks).landmarks


def _read(place: str, data: bytes) -> Landmarks:
    raw: Any = None
    try:
        raw = msgspec.json.decode(data)
        return msgspec.convert(raw, Landmarks)
    except msgspec.ValidationError as error:
        reason = f"{place}: {explain(error, Landmarks, raw)}"
        raise UsageError(reason, _REMEDY, code="landmarks") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{place}: it is not JSON", _REMEDY, code="landmarks") from error


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path, follow=True)
    except FileError as error:
        reason = f"--landmarks: {path}: {error.reason}"
        raise UsageError(reason, _REMEDY, code="landmarks") from error


def _learned_in(directory: Path) -> Landmarks:
    """What convert learned for a directory, or was given; it may be of a later stage.

    Raises:
        UsageError: `landmarks`; ManifestError: its descriptor is damaged.
    """
    path = directory / DESCRIPTOR
    tool = decode_descriptor(path, _bytes(path), Descriptor).tool
    stages: tuple[Provenance | PastStage, ...] = (tool, *tool.history)
    for made in stages:
        if (told := told_in(made)) is not None:
            return _read(f"--landmarks: {path}", told)
    reason = f"--landmarks: {directory}: nothing was learned for it"
    raise UsageError(reason, _DIRECTORY_REMEDY, code="landmarks")
