"""The pictures of one series, divided into volumes: one stack of slices each.

What is divided here is what `series.reading` would refuse as several volumes: the same keywords,
by the same rules. What nothing tells apart stays together, and is refused there by name.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from chaosprep.layouts.headers.head import Head, mark_of
from chaosprep.layouts.headers.moments import in_time_order
from chaosprep.layouts.headers.passes import by_passes
from chaosprep.layouts.headers.places import Parts, by_orientation, by_pixel_spacing, find_places
from chaosprep.layouts.headers.repeats import by_repeats
from chaosprep.series.acquisitions import ACQUISITION, count_turns
from chaosprep.series.groups import KIND, LOOSE, SERIES, STRICT, divides, groups_by

_FEW = 3  # slices: a series of fewer in each of several orientations is a localizer
_LOCATED = ("SOPClassUID", "Modality", "ImageType")
# What two files of one image have in common.
_SAME = (*KIND, *STRICT, *LOOSE, ACQUISITION, "TriggerTime", "AcquisitionTime", "ContentTime")


def divide(heads: Sequence[Head]) -> list[tuple[Head, ...]]:
    """The volumes of a series in the order of time, the same for any order of its pictures."""
    singles, copies = _without_copies(sorted(heads, key=_name))
    found: list[tuple[Head, ...]] = []
    left: Parts = [singles]
    while left:
        part = left.pop()
        smaller = next((parts for rule in _RULES if len(parts := rule(part)) > 1), None)
        if smaller is None or is_scout(part):
            whole = [one for head in part for one in (head, *copies.get(_name(head), ()))]
            found.append(tuple(sorted(whole, key=_name)))
        else:
            left += smaller
    found.sort(key=lambda part: _name(part[0]))
    return [found[n] for n in in_time_order(found)]


def is_scout(heads: Sequence[Head]) -> bool:
    """Whether pictures are a few in each of several orientations, of one kind."""
    alike = {(*(head.evidence.get(keyword) for keyword in _LOCATED),) for head in heads}
    if len(alike) > 1 or len({head.orientation for head in heads}) < 2:
        return False
    parts = by_orientation(heads)
    return len(parts) > 1 and max(map(len, parts)) < _FEW


def _name(head: Head) -> tuple[str, int]:
    return head.path, head.frame or 0


def _without_copies(heads: Sequence[Head]) -> tuple[list[Head], dict[tuple[str, int], list[Head]]]:
    """The pictures, each once; and the others of each, which go where it goes."""
    kept: dict[Hashable, Head] = {}
    copies: dict[tuple[str, int], list[Head]] = defaultdict(list)
    for head in heads:
        first = kept.setdefault(mark_of(head), head)
        if first is not head:
            if _telling(first) == _telling(head):
                copies[_name(first)].append(head)
            else:
                kept[_name(head)] = head
    return list(kept.values()), copies


def _telling(head: Head) -> list[str | None]:
    return [head.evidence.get(keyword) for keyword in _SAME]


def _by_shape(heads: Sequence[Head]) -> Parts:
    groups: dict[tuple[int, int], list[Head]] = defaultdict(list)
    for head in heads:
        groups[head.rows, head.cols].append(head)
    return list(groups.values())


def _by_keyword(keyword: str) -> Callable[[Sequence[Head]], Parts]:
    """Groups by a keyword where `read_series` takes them for several volumes."""

    def rule(heads: Sequence[Head]) -> Parts:
        if len({head.evidence.get(keyword, "") for head in heads}) < 2:
            return [list(heads)]
        groups = groups_by([head.evidence for head in heads], keyword)
        apart = len(groups) > 1 if keyword in KIND else divides(groups, keyword)
        if not apart or _shreds(heads, groups):
            return [list(heads)]
        told = {n for group in groups for n in group}
        groups[0] += [n for n in range(len(heads)) if n not in told]
        return [[heads[n] for n in group] for group in groups]

    return rule


def _shreds(heads: Sequence[Head], groups: Sequence[Sequence[int]]) -> bool:
    """Whether each slice of one stack would be a volume: then it is measured, and stays."""
    if len(groups) < max(len(heads), _FEW):
        return False
    places = find_places(heads)
    return None not in places and len(set(places)) == len(heads)


def _by_turns(heads: Sequence[Head]) -> Parts:
    """CT slices of several acquisitions that lie between each other."""
    if heads[0].evidence.get("Modality") != "CT":
        return [list(heads)]
    places = find_places(heads)
    placed = sorted((place, n) for n, place in enumerate(places) if place is not None)
    if len({place for place, _ in placed}) < len(placed):
        return [list(heads)]
    if not count_turns([heads[n].evidence for _, n in placed]):
        return [list(heads)]
    groups: dict[str, list[Head]] = defaultdict(list)
    for head in heads:
        groups[head.evidence.get(ACQUISITION, "")].append(head)
    return list(groups.values())


_RULES: tuple[Callable[[Sequence[Head]], Parts], ...] = (
    _by_shape,
    *map(_by_keyword, (*KIND, *SERIES, *STRICT)),
    by_orientation,
    by_pixel_spacing,
    *map(_by_keyword, LOOSE),
    by_repeats,
    _by_turns,
    by_passes,
)
