"""What can be known of a public data set before it is read, as data: series, levels, codes, scores.

A data set fills in one `Known`, and `chaosprep.known` lists it.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+\Z", max_length=200)]


class Organ(msgspec.Struct, frozen=True):
    """An organ: its grey levels in a mask (both ends included) and its value in a label map."""

    name: str
    low: int
    high: int
    label: int


class Levels(msgspec.Struct, frozen=True):
    """The grey levels of a release's masks.

    ``exact`` are those that clean masks hold, ``telling`` those of them that tell this release from
    the others, ``binary`` is the organ that a mask of 1 bit shows.
    """

    release: str
    organs: tuple[Organ, ...]
    exact: frozenset[int]
    telling: frozenset[int]
    binary: Organ


class Series(msgspec.Struct, frozen=True):
    """A sequence: its modality, and the suffix that BIDS has for its files."""

    name: str
    modality: Literal["MR", "CT"]
    bids: str


class Code(NamedTuple):
    """A concept of a terminology: SCT is SNOMED CT."""

    scheme: str
    value: str
    meaning: str


class Label(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a value of a mask stands for: a name, and a code of a terminology where one is known."""

    name: Name
    code: Code | None = None


Legend = dict[int, Label]
"""What the values of masks stand for: value -> label."""


class Scoring(msgspec.Struct, frozen=True):
    """Where a challenge's scores of Dice, RAVD (%), ASSD and MSSD (mm) fall to 0, and of what."""

    title: str
    dice: float
    ravd: float
    assd: float
    mssd: float
    organs: tuple[str, ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A data set that is known by name.

    Attributes:
        name: as it is written in messages.
        licenses: as Data Package v2 writes them.
        sources: the same.
        series: its sequences.
        usual: those that are taken where none is asked for.
        phases: in-phase and opposed-phase sequences of one scan: one grid, and channels of one
            case; the first has the longer echo.
        levels: the grey levels of its masks, by the name of the table.
        codes: organ -> its code.
        mirrored: organs of the right and the left side: each looks like the other in a mirror.
        scoring: of its challenge.
    """

    name: str
    licenses: tuple[Mapping[str, str], ...]
    sources: tuple[Mapping[str, str], ...]
    series: tuple[Series, ...]
    usual: tuple[str, ...]
    phases: tuple[tuple[str, str], ...]
    levels: Mapping[str, Levels]
    codes: Mapping[str, Code]
    mirrored: tuple[tuple[str, str], ...]
    scoring: Scoring | None = None
