"""A series of files on its way to become a case: found by a layout, then read, paired, ordered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError, Problem
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.masks import Stack
from chaosprep.imaging.header import Header
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.space.geometry import Order, order_series
from chaosprep.privacy.identity import exposes, identifies, read_identity
from chaosprep.series.acquisitions import acquisition_notes, find_striped
from chaosprep.series.doubles import Single, without_doubles
from chaosprep.series.gathering import Gathered, Shot, gather
from chaosprep.series.mask_slices import lay_masks
from chaosprep.series.mixing import (
    find_contrasts,
    find_mixed,
    find_volumes,
    position_twice,
    untold_note,
)
from chaosprep.series.pairing import Pairs, pair
from chaosprep.series.sharing import check_shared
from chaosprep.series.source import Files, SourceCase
from chaosprep.series.structures import SliceMasks, cut_structures
from chaosprep.series.uniform import find_spacings, thickness_note


@dataclass(frozen=True)
class SourceSlice:
    """An image with its mask, at its place in the series; both still as bytes.

    ``mask_array``, (rows, cols) labels, takes the place of ``mask_data`` where the mask's file is
    not a picture of this one slice. ``frame`` counts from 0 in a file of several frames.
    """

    id: str
    index: int
    image: str
    frame: int | None
    image_data: bytes
    image_sha256: str
    header: Header
    mask: str | None
    mask_data: bytes | None
    mask_array: NDArray[Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A case that was read: slices in anatomical order, what is wrong, and what its files held.

    ``names`` are what the masks' values stand for, as far as a file says it; ``overlaps`` has the
    values that stand for several of those that have names.
    """

    slices: tuple[SourceSlice, ...]
    slice_spacing: float | None
    problems: tuple[Problem, ...]
    inputs: str
    names: Mapping[int, str] = field(default_factory=dict)
    overlaps: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


def read_series(case: SourceCase, *, max_pixels: int = MAX_PIXELS) -> Series:
    """Read a case's files, pair them by the case's rule, and order them by position.

    Every slice keeps the number of its place in the series, also where others have a problem. A
    file of more than `max_pixels` in all its frames is one. Where the files are not one series of
    one person, or their masks may be those of a series on another grid, there are no slices.
    """
    files = Files(case)
    gathered = gather(case, files, max_pixels)
    single = without_doubles(case, files, gathered)
    shots = single.shots
    errors = [*files.errors.items(), *gathered.errors, *single.errors]
    pairs = pair(single.known, single.masks, case.rule, case.keys, case.organs)
    pairs, stack = lay_masks(case, files, shots, single.masks, pairs, max_pixels)
    errors += [(path, error) for path, error in pairs.errors if path not in dict(errors)]
    telling = _telling_names(case, files, {shot.path for shot in shots})
    # Without the name: it would go where it must not.
    named = FileError(
        "the name of an image's file also occurs in its header, and would identify the patient",
        "Use --pseudonymize KEYFILE, or rename the file.",
        code="name-identifies",
    )
    errors += [("", named)] * len(telling)
    pairs = replace(pairs, pairs=tuple(pair for pair in pairs.pairs if pair[0] not in telling))
    order, odd = _in_order(case, shots, files, _names(case, shots, telling))
    errors += odd
    count = len(single.known) + len(shots) - len({shot.path for shot in shots})
    if case.rule == "volume":
        stack = _cut(case, files, shots, order, count)
    shots = [
        replace(shot, header=order.settled(index, shot.header)) for index, shot in enumerate(shots)
    ]
    if case.rule == "volume" and order.orientations and stack.errors:
        stack = _cut(case, files, shots, order, count)  # most tools write masks at right angles
    notes = _notes(shots, order, gathered, single)
    masks = SliceMasks(case, files)
    slices, more = _slices(case, files, shots, pairs, order, stack, masks, notes)
    if case.beside and slices and not pairs.note and case.rule != "place":
        slices, of_all = _with_shared_masks(case, files, slices, max_pixels)
        more += of_all
    errors += [*stack.errors, *more]
    telling |= _telling_names(case, files, {path for path, _ in errors})
    problems = tuple(_problem(case, "" if path in telling else path, e) for path, e in errors)
    told = stack if case.rule == "volume" else masks
    names = _sayable(told.names, files, shots)
    spacing, inputs = order.slice_spacing, files.digest
    return Series(slices, spacing, problems, inputs, names, told.overlaps)


def _in_order(
    case: SourceCase, shots: list[Shot], files: Files, names: list[str]
) -> tuple[Order, list[tuple[str, FileError]]]:
    """The order of one series of one person; none of what is not, and why."""
    nothing = Order((), None)
    if mixed := find_mixed(shots, files.data) or find_spacings(shots):
        return nothing, [mixed]
    try:
        order = order_series([shot.header for shot in shots], names)
    except FileError as error:
        place = str(Path(case.images[0]).parent)
        return nothing, [find_contrasts(shots) or (place, error)]
    several = find_volumes(shots, order) or find_contrasts(shots) or find_striped(shots, order)
    if several:
        return nothing, [several]
    twice = position_twice(shots, order)
    return order, [twice] if twice else []


def _notes(
    shots: list[Shot], order: Order, gathered: Gathered, single: Single
) -> dict[str, tuple[str, ...]]:
    """File -> what to know of it, and of the series, besides its header's own notes."""
    said = filter(None, (untold_note(shots), thickness_note(shots)))
    every = (*gathered.notes, *said, *acquisition_notes(shots, order))
    own = {path: (note,) for path, note in single.notes.items()}
    return {shot.path: (*every, *own.get(shot.path, ())) for shot in shots}


def _slices(
    case: SourceCase,
    files: Files,
    shots: list[Shot],
    pairs: Pairs,
    order: Order,
    stack: Stack,
    masks: SliceMasks,
    notes: Mapping[str, tuple[str, ...]],
) -> tuple[tuple[SourceSlice, ...], list[tuple[str, FileError]]]:
    mask_of, own = dict(pairs.pairs), pairs.masks()
    width = max(3, len(str(len(shots) - 1)))
    doubled = _doubles(order)
    # The shape of most; the first of these, where it is a draw.
    shapes = Counter((shot.header.rows, shot.header.cols) for shot in shots)
    shape = shapes.most_common(1)[0][0] if shapes else (0, 0)
    slices: list[SourceSlice] = []
    cut = {shot.path for shot in shots if shot.name in stack.labels}  # what it lacks is told
    errors = [(path, _unplaced()) for path in {shots[index].path: None for index in order.unplaced}]
    for place, index in enumerate(order.indices):
        shot = shots[index]
        path, header = shot.path, shot.header
        mask = mask_of.get(path)
        if index in doubled:
            continue
        if (header.rows, header.cols) != shape:
            errors.append((path, _other_shape(header, *shape)))
            continue
        if path not in mask_of or files.errors.keys() & own.get(path, ()):
            continue
        if (case.rule == "volume" or path in cut) and shot.name not in stack.labels:
            continue
        array, data = stack.labels.get(shot.name), None
        try:
            if mask is not None and case.rule != "volume":
                array = masks.read(shot, own[path], array)
                data = files.data[mask] if array is None else None
        except FileError as error:
            file, error.file = error.file or mask or path, None  # its name may identify
            errors.append((file, error))
            continue
        id = f"{case.id}_s{place:0{width}}"
        said = [note for note in (*case.notes, pairs.note, stack.note) if note]
        said += [*notes[path], *header.notes]
        if header.burned_in_annotation:
            said.append("the header says that text is burned into the picture: look at it")
        warnings = (*order.warnings, *said)
        image = (path, shot.frame, files.data[path], files.sha256(path), header)
        slices.append(SourceSlice(id, place, *image, mask, data, array, warnings))
    return tuple(slices), errors


def _with_shared_masks(
    case: SourceCase, files: Files, slices: tuple[SourceSlice, ...], max_pixels: int
) -> tuple[tuple[SourceSlice, ...], list[tuple[str, FileError]]]:
    """The slices with what is to be said of their masks; none where they may be another's."""
    of_all = case.rule == "volume"
    planes = {
        (None, one.index) if of_all else (one.mask, one.frame or 0): one.header for one in slices
    }
    try:
        said = check_shared(case, files, planes, max_pixels)
    except FileError as error:
        return (), [("", error)]
    return tuple(replace(one, warnings=(*one.warnings, *said)) for one in slices), []


def _cut(case: SourceCase, files: Files, shots: list[Shot], order: Order, count: int) -> Stack:
    """Cut the masks of a whole series."""
    doubled = _doubles(order)
    ordered = [shots[index] for index in order.indices if index not in doubled]
    images = {shot.name: shot.header for shot in ordered}
    return cut_structures(
        case, files, images, count, lambda text: _sayable({0: text}, files, ordered) != {}
    )


def _doubles(order: Order) -> set[int]:
    """The shots that share a position."""
    return {index for group in order.duplicates for index in group}


def _telling_names(case: SourceCase, files: Files, paths: set[str]) -> set[str]:
    """The files whose names would carry what identifies into the table, or into a message.

    A picture, or what cannot be read, is compared with the header of the first image that can.
    """
    if case.aliases:
        return set()
    texts = {path: case.keys.get(path) or PurePosixPath(path).stem for path in paths if path}
    with silent():
        people = {path: read_identity(files.data.get(path, b"")) for path in texts}
        known = (read_identity(files.data[path]) for path in case.images if path in files.data)
        first = {} if all(people.values()) else next(filter(None, known), {})
    return {path for path, text in texts.items() if exposes(text, people[path] or first)}


def _names(case: SourceCase, shots: list[Shot], telling: set[str]) -> list[str]:
    """What to call the shots in a message; empty where a name would identify."""
    shown = [None if shot.path in telling else case.shown(shot.path) for shot in shots]
    return [Path(path).name if path else "" for path in shown]


def _sayable(names: Mapping[int, str], files: Files, shots: list[Shot]) -> dict[int, str]:
    """The names of labels that hold nothing of what identifies in the images' headers."""
    identity = read_identity(files.data[shots[0].path]) if names and shots else {}
    return {value: name for value, name in names.items() if not identifies(name, identity)}


def _other_shape(header: Header, rows: int, cols: int) -> FileError:
    return FileError(
        f"the slice is {header.rows}x{header.cols}, the others of the series {rows}x{cols}",
        "Keep one series in a folder.",
        code="shape-mixed",
    )


def _unplaced() -> FileError:
    return FileError(
        "it has no position or orientation, but others of the series do",
        "Move it out of the folder if it is not a slice (a report, a screenshot), else export it "
        "again; or leave it out with --on-error skip.",
        code="position-missing",
    )


def _problem(case: SourceCase, path: str, error: FileError) -> Problem:
    shown = case.shown(path) or None
    return Problem.of(error, case.id, shown and shown.encode("utf-8", "backslashreplace").decode())
