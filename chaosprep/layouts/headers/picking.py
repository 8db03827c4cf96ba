"""One of several volumes of a patient, by a rule; and words that tell them apart."""

import re
from collections.abc import Callable, Sequence

from chaosprep.errors import plural
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.criteria import first_number
from chaosprep.layouts.headers.head import count_pictures
from chaosprep.layouts.headers.moments import seconds
from chaosprep.layouts.layout import Pick
from chaosprep.printable import printable
from chaosprep.words import shortened

_SAME = ("EchoTime", "DiffusionBValue", "ImageType", "ConvolutionKernel", "plane")
_MOST_LETTERS = 40  # of a description


def pick_of(volumes: Sequence[Volume], pick: Pick | None) -> list[Volume]:
    """What a rule leaves: one volume, or those between which it cannot decide.

    `first` and `last` go by StudyDate and StudyTime, then by SeriesNumber, then, in one series, by
    the order of volumes that differ in time alone.
    """
    if pick == "most-slices":
        counts = [count_pictures(volume.heads) for volume in volumes]
        return [one for one, count in zip(volumes, counts, strict=True) if count == max(counts)]
    if pick not in ("first", "last"):
        return list(volumes)
    left = _end(list(volumes), _when, last=pick == "last")
    if len({volume.study for volume in left}) > 1:
        return left
    left = _end(left, _number, last=pick == "last")
    alike = {(one.series, *(one.facts.get(key, "") for key in _SAME)) for one in left}
    return left if len(alike) > 1 else _end(left, _time, last=pick == "last")


def _end(
    volumes: list[Volume], place: Callable[[Volume], tuple[float, ...] | None], *, last: bool
) -> list[Volume]:
    """Those that come first or last; all where one does not say its place."""
    places = [place(volume) for volume in volumes]
    known = [one for one in places if one is not None]
    if len(known) < len(places):
        return volumes
    end = max(known) if last else min(known)
    return [volume for volume, one in zip(volumes, known, strict=True) if one == end]


def _when(volume: Volume) -> tuple[float, ...] | None:
    """The date and time of its study (PS3.5 6.2: DA is YYYYMMDD)."""
    said = volume.heads[0].evidence
    date = re.sub(r"\D", "", said.get("StudyDate", ""))
    if len(date) != 8 or not date.isascii():
        return None
    return float(date), seconds(said.get("StudyTime", "")) or 0.0


def series_number(volume: Volume) -> tuple[float, ...]:
    """A key that puts series in order; those without a number come first."""
    return _number(volume) or ()


def _number(volume: Volume) -> tuple[float, ...] | None:
    number = first_number(volume.heads[0].evidence.get("SeriesNumber", ""))
    return None if number is None else (number,)


def _time(volume: Volume) -> tuple[float, ...] | None:
    number = first_number(volume.facts.get("time", ""))
    return None if number is None else (number,)


def identity(volume: Volume) -> str:
    """What tells a volume from all others, whatever else comes in: its first picture."""
    return min(f"{head.sop_instance_uid}/{head.frame or 0:09}" for head in volume.heads)


def told_apart(volumes: Sequence[Volume]) -> list[str]:
    """Each in quotes: its name, its slices, its description; where studies differ, which it is."""
    studies = sorted({volume.study for volume in volumes}, key=study_order(volumes))
    found = []
    for volume in sorted(volumes, key=lambda one: (studies.index(one.study), one.name)):
        said = [volume.name, plural(count_pictures(volume.heads), "slice")]
        description = printable(volume.description).replace("'", "")
        said += [f'"{shortened(description, _MOST_LETTERS)}"'] if description else []
        said += [f"study {studies.index(volume.study) + 1}"] if len(studies) > 1 else []
        found.append(f"'{', '.join(said)}'")
    return found


def study_order(volumes: Sequence[Volume]) -> Callable[[str], tuple[tuple[float, ...], str]]:
    """A key that puts the studies of some volumes in order: by date and time, then by their UID."""
    when = {volume.study: _when(volume) or () for volume in volumes}
    return lambda study: (when[study], study)
