"""Several masks of a whole series, each with structures of its own, as one."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np

from chaosprep.errors import FileError
from chaosprep.formats.legend import named
from chaosprep.formats.masks import Stack, cut_mask, once
from chaosprep.formats.tabled import labels_by_value
from chaosprep.imaging.header import Header
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.series.renumbering import Planes, smallest, values_of
from chaosprep.series.source import Files, SourceCase
from chaosprep.structures import folded


def cut_several(
    case: SourceCase,
    files: Files,
    images: Mapping[str, Header],
    count: int,
    may_say: Callable[[str], bool],
) -> Stack:
    """Cut several masks of a series, and paint them on each other by the names of their structures.

    Args:
        case: the case.
        files: its files, with all of its masks.
        images: the images in anatomical order, as far as they can be read.
        count: how many there should be.
        may_say: whether a text of a file holds nothing that identifies the patient.

    Returns:
        The planes of the images that every mask has one for, numbered by the names' order.
    """
    stacks: dict[str, Stack] = {}
    for mask in case.wanted:
        place, data, limit = Path(case.root), files.data[mask], case.threshold
        cut = cut_mask(place, mask, data, images, count, may_say, case.takes, threshold=limit)
        try:
            stacks[mask] = _named(case, cut)
        except FileError as error:
            stacks[mask] = Stack(errors=[*cut.errors, (mask, error)])
    errors = [(mask, error) for mask, one in stacks.items() for _, error in one.errors]
    if twice := _twice(stacks.values(), may_say):
        return Stack(errors=[(case.wanted[0], twice)])
    spelled = {folded(name): name for one in stacks.values() for name in one.names.values()}
    numbers = {name: at for at, name in enumerate(sorted(spelled), start=1)}
    kept = [image for image in images if all(image in one.labels for one in stacks.values())]
    planes: Planes = {
        image: np.zeros((images[image].rows, images[image].cols), np.uint16) for image in kept
    }
    overlaps = Overlaps(numbers.values())
    try:
        for one in stacks.values():
            _paint(one, numbers, planes, overlaps)
    except FileError as error:
        return Stack(errors=[*errors, (case.wanted[0], error)])
    notes = dict.fromkeys(filter(None, (one.note for one in stacks.values())))
    names = {at: spelled[name] for name, at in numbers.items()}
    told = [*once(errors, "files")]
    return Stack(smallest(planes), told, "; ".join(notes) or None, names, overlaps.values)


def _named(case: SourceCase, cut: Stack) -> Stack:
    """A mask's planes with names for all that they show.

    Raises:
        FileError: `labels-unknown`, nothing names what it shows; what `labels_by_value` raises.
    """
    names, labels = {**cut.names}, cut.labels
    if not names:
        names = named(case.legend)
    if not cut.names and case.table is not None:
        names |= named(case.labels)
        labels = {image: labels_by_value(plane, case.table) for image, plane in labels.items()}
    sets = (cut.overlaps.get(value, (value,)) for value in values_of(labels.values()))
    shown = {*chain.from_iterable(sets)}
    if shown - names.keys():
        raise FileError(
            "it does not say what its values stand for, and is one of several masks of a series",
            "Say it in a label file next to it or with --labels, or leave all but one mask out: "
            "--masks DIR takes only those of a folder.",
            code="labels-unknown",
        )
    kept = cut.names or {value: names[value] for value in shown if case.takes(names[value])}
    return Stack(labels, cut.errors, cut.note, kept, cut.overlaps)


def _twice(stacks: Iterable[Stack], may_say: Callable[[str], bool]) -> FileError | None:
    """The error of a structure that several masks show: it may be drawn by two people."""
    seen: dict[str, str] = {}
    twice: dict[str, str] = {}
    for one in stacks:
        names = {folded(name): name for name in one.names.values()}
        twice |= {name: text for name, text in names.items() if name in seen}
        seen |= names
    if not twice:
        return None
    said = sorted(text for text in twice.values() if may_say(text))
    which = f": {', '.join(said[:3])}{', ...' if len(said) > 3 else ''}" if said else ""
    return FileError(
        f"several masks of the series have a structure of one name{which}",
        "Take those of one folder with --masks DIR, or structures that only one has with --roi.",
        code="mask-names",
    )


def _paint(one: Stack, numbers: Mapping[str, int], planes: Planes, overlaps: Overlaps) -> None:
    """Paint what a mask shows of named structures."""
    number = {label: numbers[folded(name)] for label, name in one.names.items()}
    for image, plane in planes.items():
        shown = one.labels[image]
        for value in values_of([shown]):
            for label in one.overlaps.get(value, (value,)):
                if label in number:
                    overlaps.paint(plane, shown == value, number[label])
