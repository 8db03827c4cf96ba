"""The same image twice in a series: one of its files is used."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chaosprep.errors import FileError
from chaosprep.formats.images import open_image
from chaosprep.imaging.header import Header
from chaosprep.series.gathering import Gathered, Shot, shown_names
from chaosprep.series.pairing import pair
from chaosprep.series.source import Files, SourceCase

Frames = Mapping[str, Sequence[Header]]


@dataclass(frozen=True)
class Single:
    """A case without its doubles: shots, images and masks to pair, and a note for what was kept.

    ``errors`` are those of damaged copies.
    """

    shots: list[Shot]
    known: list[str]
    masks: tuple[str, ...] | None
    notes: Mapping[str, str]
    errors: Sequence[tuple[str, FileError]] = ()


def without_doubles(case: SourceCase, files: Files, found: Gathered) -> Single:
    """Keep one file of each image: the first that has a mask, or the first of all.

    The masks of the others go with them where they are the same, byte for byte.
    """
    groups, damaged = find_doubles(found.shots, files.data)
    if not groups and not damaged:
        return Single(found.shots, found.known, case.masks, {})
    own = _masks(case, found.known, [path for group in groups for path in group])
    gone = set(damaged)
    notes: dict[str, str] = {}
    for group in groups:
        kept = next((path for path in group if path in own), group[0])
        others = [path for path in group if path != kept]
        names = shown_names(case, files, others, [kept])
        notes[kept] = f"a second copy of the same image is left out{names}"
        gone |= set(others)
        spare = [mask for path in others for mask in own.get(path, ())]
        same = {(case.organs.get(mask), files.data.get(mask)) for mask in own.get(kept, ())}
        gone |= {mask for mask in spare if (case.organs.get(mask), files.data.get(mask)) in same}
    return Single(
        [shot for shot in found.shots if shot.path not in gone],
        [path for path in found.known if path not in gone],
        case.masks and tuple(mask for mask in case.masks if mask not in gone),
        notes,
        [*damaged.items()],
    )


def _masks(
    case: SourceCase, known: Sequence[str], wanted: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The masks that each file has by the case's rule, were it alone of its image."""
    if case.masks is None or case.rule == "volume":
        return {}
    if case.rule == "rank":
        ranked = pair(known, case.masks, case.rule).pairs
        return {path: (mask,) for path, mask in ranked if mask is not None}
    single = (pair([path], case.masks, case.rule, case.keys, case.organs) for path in wanted)
    return {path: own for one in single if not one.note for path, own in one.masks().items()}


def find_doubles(
    shots: Sequence[Shot], data: Mapping[str, bytes]
) -> tuple[list[tuple[str, ...]], dict[str, FileError]]:
    """Groups of files that hold the same image, and what is wrong with damaged copies of one.

    Files are the same image by their SOPInstanceUID, or byte for byte. A UID on images that lie
    elsewhere or look otherwise is nobody's and tells nothing; equal bytes without a position may be
    two empty slices. Each group is in the order of ``shots``.
    """
    frames: dict[str, list[Header]] = {}
    for shot in shots:
        frames.setdefault(shot.path, []).append(shot.header)
    found: list[tuple[str, ...]] = []
    damaged: dict[str, FileError] = {}
    for uid, every in _grouped({path: some[0].sop_instance_uid for path, some in frames.items()}):
        if uid:
            damaged |= _damaged(every, frames, data)
        paths = tuple(path for path in every if path not in damaged)
        if uid and all(_same_image(paths[0], path, frames, data) for path in paths[1:]):
            found += [paths] if len(paths) > 1 else []
            continue
        placed = {path: data[path] for path in paths if frames[path][0].image_position_patient}
        found += [copies for _, copies in _grouped(placed)]
    return found, damaged


def _damaged(
    paths: Sequence[str], frames: Frames, data: Mapping[str, bytes]
) -> dict[str, FileError]:
    """Why files of one UID cannot be read of which a copy at the same place can."""
    found: dict[str, FileError] = {}
    for _, same in _grouped({path: tuple(_places(frames[path])) for path in paths}):
        if len({data[path] for path in same}) > 1:
            wrong = {path: error for path in same if (error := _fault(path, frames, data))}
            found |= wrong if len(wrong) < len(same) else {}
    return found


def _fault(path: str, frames: Frames, data: Mapping[str, bytes]) -> FileError | None:
    image = open_image(path, data[path])
    try:
        for frame in range(len(frames[path])) if len(frames[path]) > 1 else [None]:
            image.read(frame)
    except FileError as error:
        return error
    return None


def _grouped(marks: Mapping[str, Hashable]) -> Iterator[tuple[Hashable, tuple[str, ...]]]:
    """The groups of two files or more that share a mark."""
    groups: dict[Hashable, list[str]] = {}
    for path, mark in marks.items():
        groups.setdefault(mark, []).append(path)
    yield from ((mark, tuple(paths)) for mark, paths in groups.items() if len(paths) > 1)


def _same_image(one: str, other: str, frames: Frames, data: Mapping[str, bytes]) -> bool:
    """Whether two files show the same at the same place, whatever else differs in them."""
    if data[one] == data[other]:
        return True
    if _places(frames[one]) != _places(frames[other]):
        return False
    first, second = open_image(one, data[one]), open_image(other, data[other])
    several = len(frames[one]) > 1
    try:
        return all(
            np.array_equal(first.read(frame)[1], second.read(frame)[1])
            for frame in (range(len(frames[one])) if several else [None])
        )
    except FileError:
        return False  # whoever reads them says why


def _places(headers: Sequence[Header]) -> list[object]:
    return [(h.rows, h.cols, h.image_position_patient, h.instance_number) for h in headers]
