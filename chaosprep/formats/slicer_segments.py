"""The segments that 3D Slicer writes into the header of a NRRD (.seg.nrrd)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Code, Label, Legend
from chaosprep.imaging.labels import as_labels
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.printable import printable

_KEY = re.compile(r"Segment(\d{1,5})_([A-Za-z]+)\Z")
_OFFSET = "Segmentation_ReferenceImageExtentOffset"  # where it was cut out of its image
_MOST_NAME = 200
_HIGHEST = 2**16 - 1
_TISSUE = {("SCT", "85756007"), ("SRT", "T-D0050")}  # what Slicer gives a segment untold


@dataclass(frozen=True)
class Segment:
    """A segment: its layer and the value that shows it there; its label in the whole, its name."""

    layer: int
    value: int
    label: int
    name: Label | None


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The segments of a file in the file's order, all of them or those that are wanted.

    Labels are the values in the file. Where two layers have one value for two segments, all
    segments are numbered from 1 instead, in the file's order, whether they are wanted or not. What
    Slicer has written may be ``cropped`` to what it shows.
    """

    segments: tuple[Segment, ...]
    wanted: frozenset[int]
    overlaps: Overlaps
    cropped: bool = False

    @property
    def legend(self) -> Legend:
        """Label -> name and code of the wanted segments; without those that have no name."""
        return {
            one.label: one.name
            for one in self.segments
            if one.name is not None and one.label in self.wanted
        }

    def only(self, takes: Callable[[str], bool]) -> "Segmentation":
        """The same, where segments that have a name that is not taken show nothing."""
        wanted = {one.label for one in self.segments if one.name is None or takes(one.name.name)}
        overlaps = Overlaps(one.label for one in self.segments)
        return replace(self, wanted=frozenset(wanted), overlaps=overlaps)

    def paint(self, layers: NDArray[Any]) -> NDArray[np.uint16]:
        """The labels (rows, cols) of a plane of layers (rows, cols, layer).

        Where several structures meet, the value is one of ``overlaps``.

        Raises:
            FileError: `mask-values`, no whole numbers, or a value that no segment has; or
                `mask-overlap`.
        """
        painted = np.zeros(layers.shape[:2], np.uint16)
        for at in range(layers.shape[2]):
            layer = as_labels(layers[:, :, at])
            here = {one.value: one.label for one in self.segments if one.layer == at}
            for value in np.flatnonzero(np.bincount(layer.ravel())).tolist():
                if value and value not in here:
                    raise _unknown(value)
                if value and here[value] in self.wanted:
                    self.overlaps.paint(painted, layer == value, here[value])
        return painted

    def check_apart(self) -> None:
        """Raise `FileError` ``mask-overlap`` where segments met."""
        if self.overlaps.values:
            raise FileError(
                "its structures overlap, but a label map has one for each voxel",
                "Give one file for each structure, or a label map.",
                code="mask-overlap",
            )


def read_segments(pairs: Mapping[str, str], layered: bool, layers: int) -> Segmentation | None:
    """The segments of a NRRD's key/value pairs; None without any.

    Files of before 2020 do not say layers and values: each segment is 1 in a layer of its own.

    Args:
        pairs: of the header.
        layered: whether the array has an axis of layers.
        layers: how many it has.

    Raises:
        FileError: `mask-values`, where two segments have one value in one layer, or one has a layer
            that is not there or a value that is none; or none says it in a file of one layer.
        ValueError: a layer or value is no number.
    """
    found: dict[int, dict[str, str]] = {}
    for key, text in pairs.items():
        if match := _KEY.match(key):
            found.setdefault(int(match[1]), {})[match[2]] = text
    if not found:
        return None
    places = [
        (
            int(keys.get("Layer", rank if layered else 0)),
            int(keys.get("LabelValue", 1 if layered or len(found) == 1 else 0)),
        )
        for rank, (_, keys) in enumerate(sorted(found.items()))
    ]
    if any(not (0 <= layer < layers and 0 < value <= _HIGHEST) for layer, value in places):
        raise _wrong("a segment has a layer or a value that cannot be")
    if len({*places}) < len(places):
        raise _wrong("two of its segments have one value in one layer")
    values = [value for _, value in places]
    labels = values if len({*values}) == len(values) else range(1, len(values) + 1)
    segments = tuple(
        Segment(layer, value, label, _label(found[number]))
        for (layer, value), label, number in zip(places, labels, sorted(found), strict=True)
    )
    return Segmentation(segments, frozenset(labels), Overlaps(labels), _OFFSET in pairs)


def _label(keys: Mapping[str, str]) -> Label | None:
    """The name of a segment, and the code of its type."""
    name = _name(keys.get("Name", ""))
    tags = dict(tag.partition(":")[::2] for tag in keys.get("Tags", "").split("|"))
    entry = keys.get("TerminologyEntry") or tags.get("TerminologyEntry", "")
    return Label(name, _code(entry)) if name else None


def _code(entry: str) -> Code | None:
    """The type of `context~category~type~modifier~...`, as `scheme^value^meaning`.

    Slicer writes "Tissue" for what nobody has said the type of: that is no code of it.
    """
    parts = entry.split("~")
    code = parts[2].split("^") if len(parts) > 2 else []
    if len(code) != 3 or not (code[0] and code[1]) or (code[0], code[1]) in _TISSUE:
        return None
    scheme, value, meaning = map(_name, code)
    return Code(scheme, value, meaning)


def _name(text: str) -> str:
    """A text as one line, of no more than a name has."""
    return printable(" ".join(text.split()))[:_MOST_NAME]


def _unknown(value: int) -> FileError:
    return _wrong(f"it has the value {value}, which none of its segments has")


def _wrong(reason: str) -> FileError:
    return FileError(
        f"its segments and its voxels do not agree: {reason}",
        "Save the segmentation again from the program that it was made in.",
        code="mask-values",
    )
