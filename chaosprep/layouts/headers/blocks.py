"""Volumes one after the other, or one place after the other: told by times and numbers alone.

Nothing is guessed: the order must be that of whole volumes, or of all times of one place, from the
first picture to the last.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.moments import value_of

_TIMES = ("TriggerTime", "AcquisitionDateTime", "AcquisitionTime", "ContentTime")
_NUMBER = "InstanceNumber"
_SHORTEST = 3  # slices that go one way, to be a volume

Groups = list[list[int]]
Row = list[tuple[float, int, int]]
"""Value, place and index of each picture, in order."""


def in_order(heads: Sequence[Head], places: Sequence[int | None]) -> Groups | None:
    """The pictures by volume, as times or instance numbers put them; None where they do not."""
    placed = [(n, place) for n, place in enumerate(places) if place is not None]
    for keyword in (*_TIMES, _NUMBER):
        values = [value_of(heads[n], keyword) for n, _ in placed]
        row = sorted(
            (value, place, n)
            for value, (n, place) in zip(values, placed, strict=True)
            if value is not None
        )
        if len(row) < len(placed):
            continue
        groups = _divided(row, keyword)
        if groups is not None:
            groups[0] += [n for n, place in enumerate(places) if place is None]
            return groups
    return None


def _divided(row: Row, keyword: str) -> Groups | None:
    counts = Counter(place for _, place, _ in row)
    most, least = max(counts.values()), min(counts.values())
    if most == least:
        found = _whole(row, len(counts), most)
        if found is None and keyword == "TriggerTime":  # each slice has its own beats
            found = _by_rank(row, most)
        return found
    if keyword == _NUMBER and (found := _numbered(row, len(counts), most)):
        return found
    return _sweeps(row, most)


def _whole(row: Row, places: int, times: int) -> Groups | None:
    """Every place as often as any other: blocks of one volume each, or of one place each."""
    volumes = [row[n : n + places] for n in range(0, len(row), places)]
    if all(len({place for _, place, _ in one}) == places for one in volumes) and _rises(volumes):
        return [[n for _, _, n in one] for one in volumes]
    stays = [row[n : n + times] for n in range(0, len(row), times)]
    if all(len({place for _, place, _ in one}) == 1 for one in stays):
        return _by_rank(row, times)
    return None


def _rises(blocks: Sequence[Row]) -> bool:
    return all(before[-1][0] < after[0][0] for before, after in pairwise(blocks))


def _by_rank(row: Row, times: int) -> Groups | None:
    """The first picture of each place, the second of each, and so on."""
    groups: Groups = [[] for _ in range(times)]
    last: dict[int, float] = {}
    rank: dict[int, int] = defaultdict(int)
    for value, place, n in row:
        if last.get(place) == value:
            return None
        last[place] = value
        groups[rank[place]].append(n)
        rank[place] += 1
    return groups


def _sweeps(row: Row, times: int) -> Groups | None:
    """Volumes of which some lack slices: each goes through the stack in one way."""
    if any(one[0] == other[0] for one, other in pairwise(row)):
        return None
    for way in (1, -1):
        groups: Groups = [[]]
        for before, after in pairwise([(0.0, -way, -1), *row]):
            if groups[-1] and way * (after[1] - before[1]) <= 0:
                groups.append([])
            groups[-1].append(after[2])
        if len(groups) == times and min(map(len, groups)) >= _SHORTEST:
            return groups
    return None


def _numbered(row: Row, places: int, times: int) -> Groups | None:
    """Numbers that run on where slices are missing: time by time at a place, or place by place."""
    if len({value for value, _, _ in row}) < len(row):
        return None
    for first in dict.fromkeys((1, int(row[0][0]))):
        numbers = [(int(value) - first, place, n) for value, place, n in row]
        for step, is_time_last in ((times, True), (places, False)):
            pairs = [(*divmod(number, step), place, n) for number, place, n in numbers]
            at = [(high if is_time_last else low, place) for high, low, place, _ in pairs]
            if len(set(at)) != places or len({one for one, _ in at}) != places:
                continue
            if not is_time_last and row[0][0] != 1:
                continue  # where volumes begin is not known
            groups: dict[int, list[int]] = defaultdict(list)
            for high, low, _, n in pairs:
                groups[low if is_time_last else high].append(n)
            if len(groups) == times and all(number >= 0 for number, _, _ in numbers):
                return [groups[key] for key in sorted(groups)]
    return None
