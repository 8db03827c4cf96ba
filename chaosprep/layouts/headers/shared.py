"""Evidence of many pictures in little memory: what is equal in a series is kept once."""

from collections.abc import Iterator, Mapping

OWN = (
    "AcquisitionTime",
    "AcquisitionDateTime",
    "ContentTime",
    "TriggerTime",
    "FrameReferenceTime",
    "DimensionIndexValues",
)
"""What may be another value in each picture of a series."""
_PLACES = {keyword: place for place, keyword in enumerate(OWN)}
Own = tuple[str, ...]
"""The values of `OWN`, empty for what there is none of; nothing at all where there is none."""


class Evidence(Mapping[str, str]):
    """Keyword -> text: what a picture shares with others, and what is its own."""

    __slots__ = ("_own", "_shared")

    def __init__(self, shared: Mapping[str, str], own: Own) -> None:
        self._shared = shared
        self._own = own

    def with_own(self, own: Own) -> "Evidence":
        """The same, of a picture with values of its own."""
        return Evidence(self._shared, own)

    def __getitem__(self, keyword: str) -> str:
        """The text of a keyword; a KeyError where there is none."""
        place = _PLACES.get(keyword)
        if place is None or not self._own:
            return self._shared[keyword]
        if found := self._own[place]:
            return found
        raise KeyError(keyword)

    def __iter__(self) -> Iterator[str]:
        yield from self._shared
        yield from (keyword for keyword, text in zip(OWN, self._own, strict=False) if text)

    def __len__(self) -> int:
        return len(self._shared) + sum(map(bool, self._own))

    def __repr__(self) -> str:
        """No value of it: they identify."""
        return f"Evidence({', '.join(self)})"


def divided(evidence: Mapping[str, str]) -> tuple[dict[str, str], Own]:
    """What may be shared, and what is a picture's own."""
    own = tuple(evidence.get(keyword, "") for keyword in OWN)
    shared = {keyword: text for keyword, text in evidence.items() if keyword not in _PLACES}
    return shared, own if any(own) else ()
