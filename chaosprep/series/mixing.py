"""One case is one series of one person: what the headers say against it.

A UID is evidence, not the rule: some scanners and anonymisers give each slice a SeriesInstanceUID
of its own, and some give two contrasts one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chaosprep.errors import FileError, plural
from chaosprep.imaging.space.geometry import Order
from chaosprep.privacy.identity import (
    Identity,
    birth_date,
    normalized,
    patient_key,
    read_identity,
    tells_nobody,
)
from chaosprep.series.gathering import Shot, evidence_of
from chaosprep.series.groups import (
    KIND,
    LOOSE,
    SERIES,
    STRICT,
    TELLING,
    Groups,
    divides,
    groups_by,
    tells,
)

_SHOWN = 4  # numbers or keywords in a message
_SORT = "Sort the files by series, and give each series a folder of its own."
APART = "Move the files of each volume to a folder of its own."
_EXPORT = "Export each volume as a file of its own."  # frames cannot be moved


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
    evidence = evidence_of(shots)
    for keyword in ("PatientID", "PatientName", "PatientBirthDate"):
        groups = groups_by(evidence, keyword)
        if len(groups) > 1 and len(groups := _people(shots, groups, data, keyword)) > 1:
            sort = "Sort the files by patient, and give each patient a folder."
            return mixed_error(shots, groups, "people-mixed", "people", keyword, sort)
    for keyword in KIND:
        if len(groups := groups_by(evidence, keyword)) > 1:
            return mixed_error(shots, groups, "modality-mixed", "kinds of images", keyword, _SORT)
    for keyword in SERIES:
        if divides(groups := groups_by(evidence, keyword), keyword):
            return mixed_error(shots, groups, "series-mixed", "series", keyword, _SORT)
    return None


def untold_note(shots: Sequence[Shot]) -> str | None:
    """Say where slices do not tell whose they are, but others do; None where all are alike."""
    texts = Counter(shot.header.evidence.get("PatientID", "") for shot in shots)
    silent = sum(count for text, count in texts.items() if tells_nobody(normalized(text)))
    if silent in (0, len(shots)):
        return None
    return f"PatientID is empty or a placeholder in {silent} of {plural(len(shots), 'slice')}"


def find_contrasts(shots: Sequence[Shot]) -> Mixed | None:
    """Tell whether slices that UIDs leave together differ in what is physical."""
    evidence = evidence_of(shots)
    for keyword in (*STRICT, *LOOSE):
        if divides(groups := groups_by(evidence, keyword), keyword):
            return mixed_error(shots, groups, "series-mixed", "volumes", keyword, APART)
    return None


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
        FileError(reason, APART if _in_files(shots, doubled) else _EXPORT, "volumes"),
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
    remedy = "Keep one file for each position."
    if not _in_files(shots, doubled):
        remedy = "Export the file again, with one frame for each position."
    return Mixed(shots[doubled[0][-1]].path, FileError(reason, remedy, "position-twice"))


def mixed_error(
    shots: Sequence[Shot], groups: Groups, code: str, what: str, keyword: str, remedy: str
) -> Mixed:
    """The error of slices that are in several groups by a keyword."""
    files = [{shots[index].path for index in group} for group in groups]
    noun, sizes = "files", list(map(len, files))
    if sum(sizes) > len(set().union(*files)):  # the frames of a file are in several
        noun, sizes = "frames", list(map(len, groups))
    count, texts = sum(sizes), [f"{size:,}" for size in sizes]
    shown = f" ({', '.join(texts[:-1])} and {texts[-1]})" if len(texts) <= _SHOWN else ""
    evidence = evidence_of(shots)
    keywords = [keyword, *(k for k in TELLING if k != keyword and tells(evidence, groups, k))]
    if code == "people-mixed":
        keywords = [keyword]
    reason = (
        f"{count:,} {noun} are {len(groups)} {what}{shown}: they differ in "
        f"{', '.join(keywords[:_SHOWN])}"
    )
    return Mixed(
        shots[groups[-1][0]].path, FileError(reason, remedy if noun == "files" else _EXPORT, code)
    )


def _people(
    shots: Sequence[Shot], groups: Groups, data: Mapping[str, bytes], keyword: str
) -> Groups:
    """The groups of slices of one person: values that are written in several ways are one."""
    found: dict[str, list[int]] = {}
    for group in groups:
        key = _person(read_identity(data[shots[group[0]].path]), keyword)
        if key and not tells_nobody(key):
            found.setdefault(key, []).extend(group)
    return sorted(found.values(), key=lambda group: (-len(group), group))


def _person(identity: Identity, keyword: str) -> str:
    if keyword == "PatientBirthDate":
        return birth_date(identity)
    return patient_key(identity, "PatientID" if keyword == "PatientID" else "PatientName")


def _what_differs(shots: Sequence[Shot], doubled: Groups) -> str:
    """What differs wherever slices share a position."""
    keywords = [
        keyword
        for keyword in (*TELLING, "AcquisitionTime")
        if all(
            len({shots[index].header.evidence.get(keyword) for index in group}) > 1
            for group in doubled
        )
    ]
    keywords = [k for k in keywords if k != "AcquisitionTime" or len(keywords) == 1]
    if not keywords:
        return "nothing that is compared tells them apart"
    return f"they differ in {', '.join(keywords[:_SHOWN])}"


def _noun(shots: Sequence[Shot]) -> str:
    return "frames" if any(shot.frame is not None for shot in shots) else "files"


def _in_files(shots: Sequence[Shot], doubled: Groups) -> bool:
    """Whether what shares a position lies in different files, which can be moved apart."""
    return all(len({shots[index].path for index in group}) == len(group) for group in doubled)
