"""A series of files on its way to become a case: found by a layout, then read, paired, ordered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError, Problem
from chaosprep.formats.images import image_format, is_named_whole, open_image
from chaosprep.formats.masks import Stack, cut_mask, slice_labels
from chaosprep.imaging.header import Header
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.space.geometry import Order, order_series
from chaosprep.privacy.identity import exposes, read_identity
from chaosprep.series.pairing import Pairs, pair
from chaosprep.series.source import Files, SourceCase


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
    header: Header
    mask: str | None
    mask_data: bytes | None
    mask_array: NDArray[Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A case that was read: slices in anatomical order, what is wrong, and what its files held.

    ``names`` are what the masks' values stand for, as far as a file says it.
    """

    slices: tuple[SourceSlice, ...]
    slice_spacing: float | None
    problems: tuple[Problem, ...]
    inputs: str
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shot:
    """One picture that may become a slice: a file, or one frame of it."""

    path: str
    frame: int | None
    header: Header

    @property
    def name(self) -> str:
        """Tells the shots of a series apart."""
        return self.path if self.frame is None else f"{self.path}#{self.frame}"


def read_series(case: SourceCase, *, max_pixels: int = MAX_PIXELS) -> Series:
    """Read a case's files, pair them by the case's rule, and order them by position.

    Every slice keeps the number of its place in the series, also where others have a problem. A
    file of more than `max_pixels` in all its frames is one.
    """
    files = Files(case)
    errors = list(files.errors.items())
    images = [path for path in case.images if path in files.data]
    strangers = [path for path in images if not _is_image(path, files.data[path])]
    errors += [(path, _not_dicom(files.data[path])) for path in strangers]
    # A damaged file keeps its rank, or every pair after it would be a wrong one.
    foreign = [path for path in strangers if not is_named_whole(path)]
    known = [path for path in case.images if path not in foreign]
    pairs = pair(known, case.masks, case.rule, case.keys)
    errors += [(path, error) for path, error in pairs.errors if path not in dict(errors)]
    shots: list[Shot] = []
    for path in images:
        if path not in strangers:
            try:
                shots += _shots(path, files.data[path], max_pixels)
            except FileError as error:
                errors.append((path, error))
    telling = _telling_names(case, files, {shot.path for shot in shots})
    # Without the name: it would go where it must not.
    named = FileError(
        "the name of an image's file stands in its header too and would identify it",
        "Use --pseudonymize KEYFILE, or rename the file.",
        code="name-identifies",
    )
    errors += [("", named)] * len(telling)
    pairs = replace(pairs, pairs=tuple(pair for pair in pairs.pairs if pair[0] not in telling))
    try:
        order = order_series([shot.header for shot in shots], _names(case, shots, telling))
    except FileError as error:
        errors.append((str(Path(case.images[0]).parent), error))
        order = Order((), None)
    count = len(known) + len(shots) - len({shot.path for shot in shots})
    stack = _cut(case, files, shots, order, count) if case.rule == "volume" else Stack()
    shots = [
        replace(shot, header=order.settled(index, shot.header)) for index, shot in enumerate(shots)
    ]
    if order.orientations and stack.errors:  # most tools write masks at right angles
        stack = _cut(case, files, shots, order, count)
    slices, more = _slices(case, files, shots, pairs, order, stack)
    problems = tuple(_problem(case, path, error) for path, error in [*errors, *stack.errors, *more])
    names = _sayable({**case.names, **stack.names}, files, shots)
    return Series(slices, order.slice_spacing, problems, files.digest, names)


def _is_image(path: str, data: bytes) -> bool:
    """Whether a file is of a kind that tells what a slice has to tell."""
    found = image_format(path, data)
    return found is not None and found.whole


def _shots(path: str, data: bytes, max_pixels: int) -> list[Shot]:
    headers = open_image(path, data, max_pixels).headers()
    if len(headers) == 1:
        return [Shot(path, None, headers[0])]
    return [Shot(path, frame, header) for frame, header in enumerate(headers)]


def _slices(
    case: SourceCase, files: Files, shots: list[Shot], pairs: Pairs, order: Order, stack: Stack
) -> tuple[tuple[SourceSlice, ...], list[tuple[str, FileError]]]:
    mask_of = dict(pairs.pairs)
    width = max(3, len(str(len(shots) - 1)))
    doubled = _doubles(order)
    # The shape of most; the first of these, where it is a draw.
    shapes = Counter((shot.header.rows, shot.header.cols) for shot in shots)
    shape = shapes.most_common(1)[0][0] if shapes else (0, 0)
    slices: list[SourceSlice] = []
    errors = [(path, _unplaced()) for path in {shots[index].path: None for index in order.unplaced}]
    for place, index in enumerate(order.indices):
        shot = shots[index]
        path, header = shot.path, shot.header
        mask = mask_of.get(path)
        if index in doubled:
            echoes = {shots[twin].header.echo_time for twin in doubled[index]}
            errors.append((path, _doubled(echoes)))
        elif (header.rows, header.cols) != shape:
            errors.append((path, _other_shape(header, *shape)))
            continue
        if path not in mask_of or mask in files.errors or index in doubled:
            continue
        if case.rule == "volume" and shot.name not in stack.labels:
            continue
        array, data = stack.labels.get(shot.name), None
        try:
            if mask is not None and array is None:
                array = _labels(shot, mask, files.data[mask])
                data = files.data[mask] if array is None else None
        except FileError as error:
            errors.append((mask or path, error))
            continue
        id = f"{case.id}_s{place:0{width}}"
        notes = [note for note in (pairs.note, stack.note) if note] + [*header.notes]
        if header.burned_in_annotation:
            notes.append("the header says that text is burned into the picture: look at it")
        warnings = (*order.warnings, *notes)
        image = (path, shot.frame, files.data[path], header)
        slices.append(SourceSlice(id, place, *image, mask, data, array, warnings))
    return tuple(slices), errors


def _labels(shot: Shot, mask: str, data: bytes) -> NDArray[Any] | None:
    """The labels of one slice, (rows, cols), from a file of its own; None for a picture."""
    if shot.frame is not None:
        raise FileError(
            f"its image has {shot.header.frames} frames, and one mask cannot be that of all",
            "Give the masks of a multi-frame image as one NIfTI volume.",
            code="mask-frames",
        )
    return slice_labels(mask, data, shot.header)


def _cut(case: SourceCase, files: Files, shots: list[Shot], order: Order, count: int) -> Stack:
    """Cut the one mask of a whole series."""
    (mask,) = case.masks or ("",)
    doubled = _doubles(order)
    ordered = [shots[index] for index in order.indices if index not in doubled]
    if mask not in files.data or not ordered:
        return Stack()
    images = {shot.name: shot.header for shot in ordered}
    return cut_mask(Path(case.root), mask, files.data[mask], images, count)


def _doubles(order: Order) -> dict[int, tuple[int, ...]]:
    """Each shot that shares its position, with all that do."""
    return {index: group for group in order.duplicates for index in group}


def _telling_names(case: SourceCase, files: Files, paths: set[str]) -> set[str]:
    """The images whose names would carry what identifies into the table."""
    if case.aliases or not case.keys:
        return set()
    return {path for path in paths if exposes(case.keys[path], read_identity(files.data[path]))}


def _names(case: SourceCase, shots: list[Shot], telling: set[str]) -> list[str]:
    """What to call the shots in a message; empty where a name would identify."""
    shown = [None if shot.path in telling else case.shown(shot.path) for shot in shots]
    return [Path(path).name if path else "" for path in shown]


def _sayable(names: Mapping[int, str], files: Files, shots: list[Shot]) -> dict[int, str]:
    """The names of labels that hold nothing of what identifies in the images' headers."""
    identity = read_identity(files.data[shots[0].path]) if names and shots else {}
    return {value: name for value, name in names.items() if not exposes(name, identity)}


def _not_dicom(data: bytes) -> FileError:
    if not data:
        return FileError("the file is empty", "Copy it again from its source.", code="not-dicom")
    return FileError("it is not a DICOM file", "Move it out of the folder.", code="not-dicom")


def _other_shape(header: Header, rows: int, cols: int) -> FileError:
    return FileError(
        f"the slice is {header.rows}x{header.cols}, the others of the series {rows}x{cols}",
        "Keep one series in a folder.",
        code="shape-mixed",
    )


def _unplaced() -> FileError:
    return FileError(
        "it has no position or orientation, and others of the series have",
        "Move it out of the folder if it is no slice (a report, a screenshot), else export it "
        "again; or leave it out with --on-error skip.",
        code="position-missing",
    )


def _doubled(echoes: set[float | None]) -> FileError:
    echo = " at another echo time" if len(echoes) > 1 else ""
    return FileError(
        f"another slice of the series has the same position{echo}",
        "Keep one series in a folder.",
        code="position-twice",
    )


def _problem(case: SourceCase, path: str, error: FileError) -> Problem:
    shown = case.shown(path) or None
    return Problem.of(error, case.id, shown and shown.encode("utf-8", "backslashreplace").decode())
