"""What a series must be, as somebody wrote it: `KEY=PATTERN`, `KEY=LOW..HIGH`, `KEY!=PATTERN`."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from unicodedata import normalize

from chaosprep.errors import UsageError
from chaosprep.formats.dicom.tags import ATTRIBUTES
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.words import there_are

OWN = ("name", "slices", "plane", "rows", "cols", "spacing", "time", "volumes", "component")
"""The keys that are no DICOM keywords; `spacing` is that of the slices, in mm."""

NAMING = ("name", "SeriesDescription", "ProtocolName", "ImageType", "SeriesNumber")
"""The keys by which a series is asked for by name."""

_NUMBERS = frozenset({"slices", "rows", "cols", "spacing", "time", "volumes"})
_KINDS = frozenset({"DS", "IS", "FD", "FL", "US", "UL", "SS", "SL"})  # numbers: PS3.5 6.2
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")
_AXES = 3  # of a spacing; one with fewer does not tell that of the slices
_NEAR = 1e-4  # of a number: 4.6 is what another file writes as 4.5999999


@dataclass(frozen=True)
class Criterion:
    """One thing that a series must be, or must not be.

    ``ranges`` are the lowest and highest values of a key that is a number, ``patterns`` those of
    one that is text, folded; one of them must fit. ``told`` is the criterion as it was written.
    """

    key: str
    told: str
    patterns: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    negated: bool = False

    def holds(self, volume: Volume) -> bool:
        """Whether a volume is so; of one that does not say it, only `!=` holds."""
        value = fact(volume, self.key)
        return (bool(value) and self._fits(value)) is not self.negated

    @property
    def wanted(self) -> str:
        """What the key must be, as it was written."""
        return self.told.partition("=")[2]

    @property
    def names(self) -> bool:
        """Whether it asks for a series by what this is called."""
        return self.key in NAMING and not self.negated

    def _fits(self, value: str) -> bool:
        if self.ranges:
            number = first_number(value)
            return number is not None and any(_within(number, *one) for one in self.ranges)
        texts = {_folded(text) for text in (value, *value.split("\\"))}
        return any(text == one or fnmatchcase(text, one) for text in texts for one in self.patterns)


def fact(volume: Volume, key: str) -> str:
    """What a volume is by one of its facts, or is called; empty where it does not say."""
    value = volume.name if key == "name" else volume.facts.get(key, "")
    is_flat = key == "spacing" and value.count("x") < _AXES - 1
    return "" if is_flat else value


def first_number(text: str) -> float | None:
    """The number with which a text begins, where it is a finite one."""
    found = re.match(_NUMBER, text.strip())
    value = float(found[0]) if found else math.nan
    return value if math.isfinite(value) else None


def parse(text: str, place: str) -> Criterion:
    """Read `KEY=PATTERN`, `KEY=LOW..HIGH` or `KEY!=PATTERN`; alternatives are divided by `|`.

    ``place`` says in an error where it was written.

    Raises:
        UsageError: `select`, it is none of these.
    """
    key, equals, wanted = text.partition("=")
    negated = key.endswith("!")
    key, wanted = key.removesuffix("!").strip(), wanted.strip()
    if not (key and equals and wanted):
        raise UsageError(
            f"{place}: {text}: it is not KEY=PATTERN or KEY=LOW..HIGH",
            "Write 'SeriesDescription=*LAVA*', EchoTime=4..5 or plane=axial.",
            code="select",
        )
    parts = tuple(part.strip() for part in wanted.split("|"))
    if _is_number(key) and parts != ("*",):
        ranges = tuple(_range(part, f"{place}: {text}") for part in parts)
        return Criterion(key, text, ranges=ranges, negated=negated)
    if any(found := [part for part in parts if part != ".." and _RANGE.fullmatch(part)]):
        raise UsageError(
            f"{place}: {text}: {key} is text, but {found[0]} is a range of numbers",
            "Give a pattern, such as 'SeriesDescription=*LAVA*'.",
            code="select",
        )
    patterns = tuple(dict.fromkeys(map(_folded, (*parts, wanted))))
    return Criterion(key, text, patterns, negated=negated)


def check_keys(criteria: Collection[Criterion], volumes: Collection[Volume]) -> None:
    """Refuse a key that no volume has.

    Raises:
        UsageError: `select`, with the keys that there are.
    """
    known = sorted({*OWN, *(key for volume in volumes for key in volume.facts)}, key=str.casefold)
    for one in criteria:
        if one.key not in known:
            raise UsageError(
                f"{one.told}: no series here has {one.key}",
                there_are(known, [one.key]),
                code="select",
            )


def _is_number(key: str) -> bool:
    return key in _NUMBERS or ATTRIBUTES.get(key, (0, ""))[1] in _KINDS


def _range(text: str, place: str) -> tuple[float, float]:
    """A number, or a range of which one end may be open, as its lowest and highest value."""
    found = _RANGE.fullmatch(text)
    low, high = found.groups() if found else (text, text)
    try:
        ends = float(low or -math.inf), float(high or math.inf)
    except ValueError:
        ends = math.nan, math.nan
    if not (ends[0] <= ends[1] and (low or high)):
        whole = re.fullmatch(_NUMBER, text) or found
        wrong = f"nothing is in the range {text}" if whole else f"{text} is not a number"
        raise UsageError(
            f"{place}: {wrong}",
            "Give a number, or a range: EchoTime=4..5, slices=20.., EchoTime=..3.",
            code="select",
        )
    return ends


def _within(number: float, low: float, high: float) -> bool:
    near = _NEAR * abs(number)
    return low - near <= number <= high + near


def _folded(text: str) -> str:
    return normalize("NFKC", normalize("NFKC", text).casefold())
