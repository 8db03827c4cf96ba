"""The parameters of a stage as they are read for a sentence, so that none of them goes unsaid."""

import json
from collections.abc import Iterator
from typing import Any

from chaosprep.dataset.descriptor import StageRecord
from chaosprep.markdown import inline
from chaosprep.stage_table import STAGES, load_stage
from chaosprep.words import shortened

_UNSAID = frozenset({"compression", "max_pixels", "link", "write_split", "device"})
"""Parameters that shape no data: how files are packed, written and worked on."""
_LONGEST = 200


class Settings:
    """What a stage was told; it remembers what was asked for.

    A parameter that the manifest does not have, as an earlier release wrote it, has its default;
    of a stage that is not known here only what the manifest has can be told.
    """

    def __init__(self, record: StageRecord) -> None:
        known = load_stage(record.stage).params if record.stage in STAGES else None
        self._defaults: dict[str, Any] = {} if known is None else known.completed({})
        self._given = self._defaults | record.parameters
        self._asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        self._asked.add(name)
        return self._given.get(name)

    def others(self) -> Iterator[str]:
        """Every parameter that is not its default and was not asked for: `name = value`."""
        for name, value in self._given.items():
            told = name in self._asked or name in _UNSAID
            if not told and (name not in self._defaults or value != self._defaults[name]):
                yield f"{name.replace('_', '-')} = {shown(value)}"


def shown(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A value in a sentence, as Markdown shows it; what is no text as JSON, not too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return inline(shortened(text, _LONGEST))


def gap(what: str) -> str:
    """The mark of what a manifest does not know, for the author to fill in."""
    return f"(NOT IN THE MANIFEST: {what})"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def have(count: int) -> str:
    """The verb behind so many."""
    return "has" if count == 1 else "have"


def percent(share: float) -> str:
    """A share to three digits: 0.125 is `12.5%`."""
    return f"{100 * float(share):.3g}%"
