"""What lies below a root and is not taken: counted by kind, and damaged files of what is taken."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from chaosprep.errors import Problem, plural
from chaosprep.layouts.headers.catalog import Catalog, Volume
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.listing import FOLDER
from chaosprep.privacy.pseudonyms import Key

_REMEDY = "Copy or export it again from its source, or leave it out with --on-error skip."


def damaged_in(chosen: Sequence[Chosen], catalog: Catalog) -> Mapping[Volume, tuple[str, ...]]:
    """The damaged files of the series of each volume that is taken; reading them tells why."""
    of_series: dict[str, list[str]] = defaultdict(list)
    for entry in _damaged(catalog):
        of_series[entry.evidence.get("SeriesInstanceUID", "")].append(entry.path)
    of_series.pop("", None)
    return {
        one.volume: tuple(of_series[one.volume.series])
        for one in chosen
        if one.volume.series in of_series
    }


def damaged_beside(chosen: Sequence[Chosen], catalog: Catalog, key: Key) -> list[Problem]:
    """The problems of what may be lost slices beside what is taken.

    These are damaged files that do not tell their series, and files that are no DICOM, but are
    called as the slices in their folder are: `IM0005` of no bytes, or of zeros.
    """
    called: dict[str, set[str]] = defaultdict(set)
    for path in (path for one in chosen for path in one.volume.paths):
        called[_folder(path)].add(_shape(path))
    damaged = [
        entry.path
        for entry in _damaged(catalog)
        if not entry.evidence.get("SeriesInstanceUID") and _folder(entry.path) in called
    ]
    foreign = [
        entry.path
        for entry in catalog.others
        if entry.kind == "foreign" and _shape(entry.path) in called.get(_folder(entry.path), ())
    ]
    found: list[Problem] = []
    if damaged:
        said, file = plural(len(damaged), "DICOM file"), key.path(damaged[0])
        reason = f"{said} next to the series taken cannot be read, and may belong to any of them"
        found.append(
            Problem(code="dicom-damaged", id="headers", file=file, reason=reason, remedy=_REMEDY)
        )
    if foreign:
        said, file = plural(len(foreign), "file"), key.path(foreign[0])
        reason = (
            f"{said} next to the series taken, named like the slices there, cannot be read as DICOM"
        )
        found.append(
            Problem(code="not-dicom", id="headers", file=file, reason=reason, remedy=_REMEDY)
        )
    return found


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _shape(path: str) -> str:
    """A file's name with one sign for any number."""
    return re.sub(r"\d+", "#", PurePosixPath(path).name)


def unlisted(catalog: Catalog, key: Key) -> list[Problem]:
    """The problem of folders that cannot be listed: nobody knows what they hold."""
    there = [entry.path for entry in _damaged(catalog) if entry.what == FOLDER]
    if not there:
        return []
    reason = f"{plural(len(there), 'folder')} below the root cannot be listed"
    remedy = "Make what is there readable, or leave it out with --on-error skip."
    file = key.path(there[0])
    return [Problem(code="folders-unlisted", id="headers", file=file, reason=reason, remedy=remedy)]


def notes_of(catalog: Catalog, masks: Collection[str]) -> tuple[str, ...]:
    """How many files and volumes of each kind are not taken, a line for each; but ``masks``."""
    left = Counter(volume.left_out for volume in catalog.volumes if volume.left_out)
    kinds = Counter(_kind(entry) for entry in catalog.others if entry.path not in masks)
    return (
        *(f"not taken: {plural(count, 'volume')} ({why})" for why, count in sorted(left.items())),
        *(
            f"passed over: {plural(count, 'file')} ({what})"
            for what, count in sorted(kinds.items())
        ),
    )


def _damaged(catalog: Catalog) -> list[Entry]:
    return [entry for entry in catalog.others if entry.kind == "unreadable"]


def _kind(entry: Entry) -> str:
    if entry.kind == "foreign":
        return "no DICOM"
    return f"damaged: {entry.what}" if entry.kind == "unreadable" else entry.what
