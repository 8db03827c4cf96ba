"""Pictures that lie at the same places several times over: what tells the volumes apart.

A header's value is trusted where its groups are whole volumes: together they repeat no more places
than the series does. What was measured anew for each slice shows by having too many groups.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence

from chaosprep.layouts.headers.blocks import in_order
from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.places import Parts, find_places, sides
from chaosprep.series.groups import groups_by

_LABELS = (
    *("TemporalPositionIdentifier", "DiffusionGradientOrientation"),
    *("NominalPercentageOfCardiacPhase", "TriggerTime", "FrameReferenceTime", "StackID"),
    *("InversionTime", "RepetitionTime", "FlipAngle", "KVP", "ContrastBolusAgent"),
    *("SequenceName", "AcquisitionNumber", "AcquisitionDateTime", "AcquisitionTime"),
    *("ContentTime", "SeriesTime", "SeriesDescription", "ProtocolName"),
)
_ROUNDED = ("TriggerTime", "InversionTime", "RepetitionTime", "FrameReferenceTime")
_DIMENSIONS = "DimensionIndexValues"


def by_repeats(heads: Sequence[Head]) -> Parts:
    """Divide a stack whose places are there several times; one part where nothing tells them apart.

    A single place at several times is no stack, and stays together.
    """
    places = find_places(heads)
    counts = Counter(place for place in places if place is not None)
    most = max(counts.values(), default=0)
    if most < 2 or len(counts) < 2:
        return [list(heads)]
    partly: list[list[int]] | None = None
    for groups in _labelled(heads):
        size = _repeats(groups, places, most)
        if size == 1:
            return _parts(heads, groups)
        if size and partly is None:
            partly = groups
    found = partly or in_order(heads, places)
    return _parts(heads, found) if found else [list(heads)]


def _repeats(groups: Sequence[Sequence[int]], places: Sequence[int | None], most: int) -> int:
    """How often the groups repeat a place at most; 0 where they are not whole volumes."""
    if not 1 < len(groups) <= most:
        return 0
    sizes = []
    for group in groups:
        counts = Counter(places[n] for n in group if places[n] is not None)
        sizes.append(max(counts.values(), default=0))
    return max(sizes) if sum(sizes) == most and min(sizes) else 0


def _labelled(heads: Sequence[Head]) -> Iterator[list[list[int]]]:
    """Groups of the pictures by each value that may tell volumes apart."""
    evidence = [head.evidence for head in heads]
    for keyword in _LABELS:
        yield _grouped([said.get(keyword, "") for said in evidence])
        if keyword in _ROUNDED:
            rounded = groups_by(evidence, keyword)
            if sum(map(len, rounded)) == len(heads):
                yield rounded
    yield _grouped(sides(heads))
    indices = [said.get(_DIMENSIONS, "").split("\\") for said in evidence]
    if len(sizes := {len(one) for one in indices}) == 1:
        yield from (_grouped([one[n] for one in indices]) for n in range(*sizes))
    if any(head.frame is not None for head in heads):
        yield _grouped([head.path for head in heads])


def _grouped(marks: Sequence[Hashable]) -> list[list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, mark in enumerate(marks):
        groups[mark].append(index)
    return list(groups.values())


def _parts(heads: Sequence[Head], groups: Sequence[Sequence[int]]) -> Parts:
    return [[heads[n] for n in group] for group in groups]
