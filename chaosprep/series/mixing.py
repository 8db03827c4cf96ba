"""One case is one series of one person: what the headers say against it.

A UID is evidence, not the rule: some scanners and anonymisers give each slice a SeriesInstanceUID
of its own, and some give two contrasts one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chaosprep.errors import FileError, plural
from chaosprep.imaging.space.geometry import Order
from chaosprep.privacy.identity import normalized, patient_key, read_identity, tells_nobody
from chaosprep.series.gathering import Shot

_KIND = ("Modality", "SOPClassUID")
_SERIES = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SeriesNumber")
# No two slices of one volume differ in these.
_STRICT = ("EchoTime", "EchoNumbers", "DiffusionBValue", "ImageType", "ConvolutionKernel")
# These may be measured anew for each slice: they tell where groups of several slices share them.
_LOOSE = (
    *("TemporalPositionIdentifier", "RepetitionTime", "InversionTime", "FlipAngle"),
    *("StackID", "ContrastBolusAgent"),
)
_TELLING = (*_STRICT, *_LOOSE, "AcquisitionNumber", "TriggerTime", *_SERIES)
_MEASURED = frozenset(
    ("EchoTime", "DiffusionBValue", "RepetitionTime", "InversionTime", "FlipAngle", "TriggerTime")
)
_SAME = 0.02  # of what is measured: above the rounding of headers, below the step to another echo
_SHOWN = 4  # numbers or keywords in a message
_SORT = "Sort the files by series, and give each series a folder of its own."
_APART = "Move the files of each volume to a folder of its own."
_EXPORT = "Export each volume as a file of its own."  # frames cannot be moved

Groups = list[list[int]]
"""Slices that share a value, each by its index; the largest group first."""


class Mixed(NamedTuple):
    """What stands against a case, and a file of the smallest part of it."""

    path: str
    error: FileError


def find_mixed(shots: Sequence[Shot], data: Mapping[str, bytes]) -> Mixed | None:
    """Tell whether slices are of several people, modalities or series; None where they are not.

    Args:
        shots: the slices.
        data: the bytes of their files: a name is read from there, in its own character set, where
            two headers do not have it in the same bytes.
    """
    for keyword in ("PatientID", "PatientName", "PatientBirthDate"):
        groups = _groups(shots, keyword)
        if len(groups) > 1 and len(groups := _people(shots, groups, data, keyword)) > 1:
            sort = "Sort the files by patient, and give each patient a folder."
            return _mixed(shots, groups, "people-mixed", "people", keyword, sort)
    for keyword in _KIND:
        if len(groups := _groups(shots, keyword)) > 1:
            return _mixed(shots, groups, "modality-mixed", "kinds of images", keyword, _SORT)
    for keyword in (*_SERIES, *_STRICT, *_LOOSE):
        if _divides(groups := _groups(shots, keyword), keyword):
            return _mixed(shots, groups, "series-mixed", "series", keyword, _SORT)
    return None


def untold_note(shots: Sequence[Shot]) -> str | None:
    """Say where slices do not tell whose they are, but others do; None where all are alike."""
    texts = Counter(shot.header.evidence.get("PatientID", "") for shot in shots)
    silent = sum(count for text, count in texts.items() if tells_nobody(normalized(text)))
    if silent in (0, len(shots)):
        return None
    return f"PatientID is empty or a placeholder in {silent} of {plural(len(shots), 'slice')}"


def _divides(groups: Groups, keyword: str) -> bool:
    """Whether groups by this keyword are series, not slices that each have a value of their own."""
    if len(groups) < 2:
        return False
    if keyword in _SERIES:
        return len(groups[0]) > 1
    return keyword in _STRICT or len(groups[-1]) > 1


def find_volumes(shots: Sequence[Shot], order: Order) -> Mixed | None:
    """Tell whether the positions are there several times over: as many volumes in one series.

    None where most are there once; what shares a position is then no slice, but others are.
    """
    doubled = [list(group) for group in order.duplicates]
    count = len(order.indices)
    positions = count - sum(map(len, doubled)) + len(doubled)
    if 2 * len(doubled) <= positions:
        return None
    most = max(map(len, doubled))
    are = f"are {positions} positions x {most} volumes"
    if count < positions * most:
        are = f"lie at {positions} positions, up to {most} at one"
    noun, difference = _noun(shots), _what_differs(shots, doubled)
    reason = f"{count:,} {noun} {are}; {difference}"
    return Mixed(
        shots[doubled[0][-1]].path,
        FileError(reason, _APART if noun == "files" else _EXPORT, "volumes"),
    )


def position_twice(shots: Sequence[Shot], order: Order) -> Mixed | None:
    """The error of the slices that share a position with others, where any do."""
    doubled = [list(group) for group in order.duplicates]
    if not doubled:
        return None
    count = sum(map(len, doubled))
    places = "1 position" if len(doubled) == 1 else f"{len(doubled)} positions"
    noun, difference = _noun(shots), _what_differs(shots, doubled)
    reason = f"{count} {noun} lie at {places}; {difference}"
    remedy = "Keep one file for each position." if noun == "files" else _EXPORT
    return Mixed(shots[doubled[0][-1]].path, FileError(reason, remedy, "position-twice"))


def _groups(shots: Sequence[Shot], keyword: str) -> Groups:
    """The slices by what they say to a keyword.

    Several that say nothing of what is physical, where others do, are a group as well.
    """
    texts: dict[str, list[int]] = {}
    silent: list[int] = []
    for index, shot in enumerate(shots):
        text = shot.header.evidence.get(keyword, "")
        if keyword == "ImageType":  # PS3.3 C.7.6.1.1.2: what comes from value 3 on is the image's
            text = "\\".join(text.split("\\")[2:])
        if text:
            texts.setdefault(text, []).append(index)
        else:
            silent.append(index)
    found = list(texts.values()) if keyword not in _MEASURED else _clusters(texts)
    if found and len(silent) > 1 and keyword in (*_STRICT, *_LOOSE):
        found.append(silent)
    return sorted(found, key=lambda group: (-len(group), group))


def _clusters(texts: Mapping[str, list[int]]) -> Groups:
    """Groups of numbers that are the same but for `_SAME`; what is no number says nothing."""
    numbers = sorted((value, text) for text in texts if (value := _number(text)) is not None)
    found: Groups = []
    last = float("-inf")
    for value, text in numbers:
        if not found or value - last > _SAME * abs(value):
            found.append([])
        found[-1] += texts[text]
        last = value
    return found


def _number(text: str) -> float | None:
    try:
        return float(text.partition("\\")[0])
    except ValueError:
        return None


def _people(
    shots: Sequence[Shot], groups: Groups, data: Mapping[str, bytes], keyword: str
) -> Groups:
    """The groups of slices of one person: names that are written in several ways are one."""
    if keyword == "PatientBirthDate":
        return groups
    found: dict[str, list[int]] = {}
    for group in groups:
        identity = read_identity(data[shots[group[0]].path])
        key = patient_key(identity, "PatientID" if keyword == "PatientID" else "PatientName")
        if key:  # a placeholder is nobody's
            found.setdefault(key, []).extend(group)
    return sorted(found.values(), key=lambda group: (-len(group), group))


def _mixed(
    shots: Sequence[Shot], groups: Groups, code: str, what: str, keyword: str, remedy: str
) -> Mixed:
    sizes = [f"{len(group):,}" for group in groups]
    shown = f" ({', '.join(sizes[:-1])} and {sizes[-1]})" if len(sizes) <= _SHOWN else ""
    count, noun = sum(map(len, groups)), _noun(shots)
    keywords = [keyword, *(k for k in _TELLING if k != keyword and _tells(shots, groups, k))]
    if code == "people-mixed":
        keywords = [keyword]
    reason = (
        f"{count:,} {noun} are {len(groups)} {what}{shown}: they differ in "
        f"{', '.join(keywords[:_SHOWN])}"
    )
    return Mixed(
        shots[groups[-1][0]].path, FileError(reason, remedy if noun == "files" else _EXPORT, code)
    )


def _tells(shots: Sequence[Shot], groups: Groups, keyword: str) -> bool:
    """Whether a keyword tells whole groups apart."""
    owner = {index: number for number, group in enumerate(groups) for index in group}
    parts = [{owner[i] for i in group if i in owner} for group in _groups(shots, keyword)]
    return 1 < len(parts) < len(owner) and all(len(part) == 1 for part in parts)


def _what_differs(shots: Sequence[Shot], doubled: Groups) -> str:
    """What differs wherever slices share a position."""
    keywords = [
        keyword
        for keyword in (*_TELLING, "AcquisitionTime")
        if all(_differs([shots[index] for index in group], keyword) for group in doubled)
    ]
    keywords = [k for k in keywords if k != "AcquisitionTime" or len(keywords) == 1]
    if not keywords:
        return "no header tells them apart"
    return f"they differ in {', '.join(keywords[:_SHOWN])}"


def _differs(shots: Sequence[Shot], keyword: str) -> bool:
    groups = _groups(shots, keyword)
    return len(groups) > 1 or 0 < sum(map(len, groups)) < len(shots)


def _noun(shots: Sequence[Shot]) -> str:
    return "frames" if len({shot.path for shot in shots}) == 1 else "files"
