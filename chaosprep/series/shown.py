"""What the mask of one slice shows: its labels, and how many pixels of each."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from chaosprep.dataset.organs import unnamed
from chaosprep.errors import FileError
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.labels import MAX_LABELS
from chaosprep.imaging.levels import areas, level_histogram
from chaosprep.known import LEVELS
from chaosprep.series.reading import Series, SourceSlice
from chaosprep.series.source import SourceCase

_NONE: Mapping[int, tuple[int, ...]] = {}


class Shown(NamedTuple):
    """What a mask shows, as the columns of its row."""

    labels: dict[int, str]
    pixels: dict[str, int]
    notes: tuple[str, ...] = ()
    overlaps: Mapping[int, tuple[int, ...]] = _NONE


def shown(found: SourceSlice, case: SourceCase, series: Series) -> Shown:
    """What the mask of a slice shows; judging is left to extract-liver.

    Raises:
        FileError: `mask-values`, it is not a label map; what `read_mask` raises.
    """
    if found.mask_array is not None:
        return _by_value(level_histogram(found.mask_array), series, case.shows)
    if found.mask_data is None:
        return Shown({}, {})
    try:
        mask = read_mask(found.mask_data)
    except FileError as error:
        if error.code != "mask-not-grey":
            raise
        return Shown({}, {}, (f"mask: {error.reason}",))
    histogram = level_histogram(mask.pixels, mask.part)
    levels = case.levels
    if levels is None:
        return _by_value(histogram, series, case.shows)
    if mask.binary:
        name = LEVELS[levels].binary.name
        return Shown({1: name}, {name: histogram.get(1, 0)})
    return _named(histogram, levels)


def _named(histogram: dict[int, int], table: str) -> Shown:
    organs = LEVELS[table].organs
    labels = {
        level: organ.name
        for level in histogram
        for organ in organs
        if organ.low <= level <= organ.high
    }
    found = areas(histogram, organs)
    return Shown(labels, {organ.name: found.get(organ.name, 0) for organ in organs})


def _by_value(
    histogram: Mapping[int, int],
    series: Series,
    can_show: Collection[int],
) -> Shown:
    """What the values stand for; where nobody says it, `label-1`, no organ that may be wrong."""
    names, overlaps = series.names, series.overlaps
    meeting = {value: overlaps[value] for value in histogram if value in overlaps}
    if len(histogram) - len(meeting) > MAX_LABELS:
        raise FileError(
            f"the mask is not a label map: it holds {len(histogram)} different values",
            "Save it with one whole number for each organ.",
            code="mask-values",
        )
    stands = {value: meeting.get(value, (value,)) for value in histogram if value}
    every = sorted({*can_show, *(label for labels in stands.values() for label in labels)})
    labels = {label: names.get(label, unnamed(label)) for label in every}
    pixels = dict.fromkeys(labels.values(), 0)
    for value, there in stands.items():
        for name in {labels[label] for label in there}:
            pixels[name] += histogram[value]
    return Shown(labels, pixels, overlaps=meeting)
