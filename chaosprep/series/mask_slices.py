"""Masks that are DICOM slices of their own: laid on the images of a case, by name and by place."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_headers
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.dicom_masks import is_image, labels_of, missing, notes_of, read_slice
from chaosprep.formats.masks import Stack
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels, check_same_size
from chaosprep.imaging.space.placing import Place
from chaosprep.imaging.space.planes import is_elsewhere, is_placed, lay, place_on, turned
from chaosprep.series.gathering import Shot
from chaosprep.series.pairing import Pairs, surplus_mask
from chaosprep.series.source import Files, SourceCase

_UNPLACED = "image or mask does not say where it lies: they are paired only by name"
_ELSEWHERE = (
    "image and mask name different frames of reference: they are paired by name, without "
    "comparing their places"
)


@dataclass(frozen=True)
class _Frame:
    """A slice of a mask: its file, its frame where there are several, and its header."""

    path: str
    frame: int | None
    header: Header


@dataclass
class _Found:
    """Labels on the images by their names, what is wrong, and what to say of it all."""

    stack: Stack = field(default_factory=Stack)
    notes: dict[str, None] = field(default_factory=dict)

    def put(self, shot: Shot, header: Header, labels: Labels, place: Place | None) -> None:
        """The labels of an image, as its pixels lie; as they are stored without a place."""
        self.stack.labels[shot.name] = labels if place is None else turned(labels, place)
        self.notes |= dict.fromkeys(notes_of(header))

    def said(self) -> Stack:
        """The stack with its notes."""
        return replace(self.stack, note="; ".join(self.notes) or None)


def lay_masks(
    case: SourceCase,
    files: Files,
    shots: Sequence[Shot],
    masks: Sequence[str] | None,
    pairs: Pairs,
    max_pixels: int,
) -> tuple[Pairs, Stack]:
    """Lay masks that are DICOM images on the images of a case; others are left to ``pairs``.

    By name, where names pair them and the case's rule is not `place`: what they say of their places
    must agree. Else each mask belongs to the image in whose plane it lies, in whatever order.

    Args:
        case: the case.
        files: its files.
        shots: its images.
        masks: those of its masks that count.
        pairs: what names make of them.
        max_pixels: of a file, in all its frames.

    Returns:
        The pairs with what became of the masks, and their labels on the images.
    """
    known = [mask for mask in masks or () if mask in files.data]
    if case.rule == "volume" or not any(is_dicom(files.data[mask]) for mask in known):
        return pairs, Stack()
    if case.rule != "place" and (pairs.pairs or any(shot.frame is not None for shot in shots)):
        return _by_name(files, shots, pairs, max_pixels)
    if strange := [mask for mask in known if not is_image(files.data[mask])]:
        return Pairs((), ((strange[0], _several()),)), Stack()
    frames, errors = _frames(files, known, max_pixels)
    if not frames or not all(map(is_placed, _headers(shots, frames))):
        return _by_name(files, shots, pairs, max_pixels)
    lost = bool(errors) or len(known) < len(masks or ())
    found = _by_place(files, shots, frames, lost, max_pixels)
    return replace(found[0], errors=(*errors, *found[0].errors)), found[1]


def _headers(shots: Sequence[Shot], frames: Sequence[_Frame]) -> list[Header]:
    return [*(shot.header for shot in shots), *(one.header for one in frames)]


def _by_name(
    files: Files, shots: Sequence[Shot], pairs: Pairs, max_pixels: int
) -> tuple[Pairs, Stack]:
    """The masks that names pair, each checked to lie where its image does."""
    shot_of = {shot.path: shot for shot in shots if shot.frame is None}
    kept: list[tuple[str, str | None]] = []
    found = _Found()
    for path, mask in pairs.pairs:
        shot = shot_of.get(path)
        if shot is None or mask is None or not is_image(files.data.get(mask, b"")):
            kept.append((path, mask))
            continue
        try:
            _check_other(files, path, mask)
            header, labels = read_slice(files.data[mask], max_pixels=max_pixels)
            place = _place(found, shot.header, header)
            if place is None:
                check_same_size(labels.shape, shot.header)
            found.put(shot, header, labels, place)
            kept.append((path, mask))
        except FileError as error:
            found.stack.errors.append((mask, error))
    return replace(pairs, pairs=tuple(kept)), found.said()


def _place(found: _Found, image: Header, mask: Header) -> Place | None:
    """Where the image lies in its mask; None where that cannot be told, which is noted."""
    if not (is_placed(image) and is_placed(mask)):
        found.notes[_UNPLACED] = None
    elif is_elsewhere(image, mask):
        found.notes[_ELSEWHERE] = None
    else:
        return place_on(image, mask)
    return None


def _by_place(
    files: Files,
    shots: Sequence[Shot],
    frames: Sequence[_Frame],
    lost: bool,
    max_pixels: int,
) -> tuple[Pairs, Stack]:
    """The masks as a series of their own: each belongs to the image in whose plane it lies.

    Where masks are ``lost``, as they cannot be read, an image without one is no news.
    """
    found = _Found()
    errors: list[tuple[str, FileError]] = []
    try:
        laid = lay([shot.header for shot in shots], [one.header for one in frames])
    except FileError as error:
        folder = PurePosixPath(frames[0].path).parent.as_posix()
        return Pairs((), ((folder, error),)), Stack()
    pairs: dict[str, str] = {}
    for at, shot in enumerate(shots):
        if at not in laid.places:
            if at in laid.errors or not lost:
                errors.append((shot.path, laid.errors.get(at, missing())))
            continue
        number, place = laid.places[at]
        one = frames[number]
        try:
            _check_other(files, shot.path, one.path)
            header, stored = read(files.data[one.path], one.frame, max_pixels=max_pixels)
            found.put(shot, header, labels_of(header, stored), place)
            pairs[shot.path] = one.path
        except FileError as error:
            errors.append((one.path, error))
    errors += [(frames[number].path, surplus_mask()) for number in laid.left]
    return Pairs(tuple(pairs.items()), tuple(errors)), found.said()


def _frames(
    files: Files, masks: Sequence[str], max_pixels: int
) -> tuple[list[_Frame], list[tuple[str, FileError]]]:
    """The slices of all masks, and what is wrong with those that cannot be read."""
    frames: list[_Frame] = []
    errors: list[tuple[str, FileError]] = []
    for mask in masks:
        try:
            headers = read_headers(files.data[mask], max_pixels=max_pixels)
        except FileError as error:
            errors.append((mask, error))
            continue
        make = partial(_Frame, mask)
        if len(headers) == 1:
            frames.append(make(None, headers[0]))
        else:
            frames += [make(number, header) for number, header in enumerate(headers)]
    return frames, errors


def _check_other(files: Files, image: str, mask: str) -> None:
    if files.data[image] == files.data[mask]:
        raise FileError(
            "the image itself is where its mask should be",
            "Check the pattern of masks.",
            code="mask-kind",
        )


def _several() -> FileError:
    return FileError(
        "several files are where one mask of the whole series should be",
        "Keep one of them, or put {slice} in the pattern of masks.",
        code="mask-several",
    )
