"""When a picture was taken, as numbers that can be put in order."""

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from chaosprep.layouts.headers.head import Head
from chaosprep.series.groups import number

_DAY = 86_400.0  # s
_TIMES = ("AcquisitionDateTime", "AcquisitionTime", "ContentTime")
_NUMBERS = ("TriggerTime", "NominalPercentageOfCardiacPhase", "FrameReferenceTime")
_SERIES = ("SeriesTime", "SeriesNumber")  # where an anonymiser gave several series one UID
_COUNTED = "AcquisitionNumber"


@lru_cache(maxsize=4096)
def seconds(text: str) -> float | None:
    """Seconds of a TM (since midnight) or a DT (since the first day of the calendar; PS3.5 6.2)."""
    found = re.match(r"(\d{8})?(\d\d)(\d\d)?(\d\d)?(\.\d+)?(?![\d:])", text.replace(":", ""))
    if not found or not found[0].isascii():
        return None
    day, hours, minutes, whole, part = found.groups()
    time = 3600.0 * int(hours) + 60.0 * int(minutes or 0) + int(whole or 0) + float(part or 0)
    if day is None:
        return time
    try:
        days = date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal()
    except ValueError:
        return None
    return days * _DAY + time


def value_of(head: Head, keyword: str) -> float | None:
    """What a picture says to one of the keywords that count or measure time."""
    if keyword == "InstanceNumber":
        return None if head.instance_number is None else float(head.instance_number)
    text = head.evidence.get(keyword, "")
    if not text:
        return None
    return seconds(text) if keyword in (*_TIMES, _SERIES[0]) else number(text)


def begun(heads: Sequence[Head]) -> float:
    """When the first of some pictures was taken, s; infinite where none says it."""
    times = (_least(heads, keyword) for keyword in _TIMES)
    return next((time for time in times if time < math.inf), math.inf)


def in_time_order(volumes: Sequence[tuple[Head, ...]]) -> list[int]:
    """The indices of volumes in the order in which they were taken, whatever their files' names."""
    if len(volumes) == 1:
        return [0]
    keys = [_moment(heads) for heads in volumes]
    days = _on_two_days([key[1] for key in keys])
    keys = [(key[0], time, *key[2:]) for key, time in zip(keys, days, strict=True)]
    told = len(set(keys)) == len(keys)
    ranks = [(0.0, 0.0)] * len(keys) if told else _ranks(volumes)
    written = _on_two_days([_least(heads, _TIMES[2]) for heads in volumes])
    series = [tuple(_least(heads, keyword) for keyword in _SERIES) for heads in volumes]
    return sorted(
        range(len(volumes)),
        key=lambda n: (keys[n], ranks[n], written[n], series[n], min(map(_told, volumes[n]))),
    )


def _on_two_days(times: Sequence[float]) -> list[float]:
    """Times of the day in s, where those after midnight are of the next day."""
    known = [time for time in times if 0 <= time < _DAY]
    if not known or max(known) - min(known) <= _DAY / 2:
        return list(times)
    return [time + _DAY if 0 <= time < _DAY / 2 else time for time in times]


def _moment(heads: Sequence[Head]) -> tuple[float, ...]:
    times = next((t for keyword in _TIMES[:2] if (t := _least(heads, keyword)) < math.inf), -1.0)
    return (
        _least(heads, "TemporalPositionIdentifier"),
        times,
        *(_least(heads, keyword) for keyword in (*_NUMBERS, _COUNTED)),
    )


def _least(heads: Sequence[Head], keyword: str) -> float:
    values = (value_of(head, keyword) for head in heads)
    return min((value for value in values if value is not None), default=math.inf)


def _ranks(volumes: Sequence[tuple[Head, ...]]) -> list[tuple[float, float]]:
    """By InstanceNumber: which each volume is at the places of several, and its first number."""
    at: dict[object, list[tuple[float, int]]] = defaultdict(list)
    for n, heads in enumerate(volumes):
        for head in heads:
            value = value_of(head, "InstanceNumber")
            if value is not None and head.position:
                at[tuple(round(one, 2) for one in head.position)].append((value, n))
    ranks: list[list[int]] = [[] for _ in volumes]
    for numbers in at.values():
        ordered = sorted(value for value, _ in numbers)
        for value, n in numbers:
            ranks[n].append(bisect_left(ordered, value))  # the same where phases count anew
    means = [sum(one) / len(one) if one else 0.0 for one in ranks]
    return [
        (mean, _least(heads, "InstanceNumber")) for mean, heads in zip(means, volumes, strict=True)
    ]


def _told(head: Head) -> tuple[object, ...]:
    """What else puts volumes in an order, and does not differ from copy to copy."""
    direction = head.evidence.get("DiffusionGradientOrientation", "")
    return direction, head.position or (), head.sop_instance_uid, head.path, head.frame or 0
