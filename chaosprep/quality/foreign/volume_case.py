"""One case of volumes, its channels and its labels: opened once, and all that is wrong told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, Problem, plural
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.foreign.grids import differences
from chaosprep.quality.foreign.volume_codes import volume_problem
from chaosprep.quality.foreign.volume_file import Opened, open_volumes
from chaosprep.quality.foreign.volume_labels import label_faults
from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.series.source import Files, SourceCase

WARNINGS = frozenset(
    ("affine-identity", "affine-missing", "label-unseen", "mask-empty", "mask-float", "mask-scaled")
)
"""Codes of what a person should know of, which makes nothing unfit."""


@dataclass(frozen=True)
class Group:
    """The channels of a case, which share its masks; ``side`` is empty where there is one alone.

    ``named`` are the values that a legend gives a name; None where there is none.
    """

    cases: tuple[SourceCase, ...]
    side: str
    named: Mapping[int, str] | None
    compared: bool

    @property
    def id(self) -> str:
        """The id of the first channel, which stands for all where masks are meant."""
        return self.cases[0].id


@dataclass(kw_only=True)
class LookedVolumes(Findings):
    """What a case showed by itself.

    ``places`` has for each file whether it says where it lies: `real`, `identity` or `missing`.
    """

    group: str
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)

    def noticed(self, code: str, id: str, file: str | None, reason: str) -> None:
        """Add a problem of a code."""
        found = self.warnings if code in WARNINGS else self.faults
        found.append(volume_problem(code, id, file, reason))

    def erred(self, error: FileError, id: str, file: str | None) -> None:
        """Add what an error says."""
        found = self.warnings if error.code in WARNINGS else self.faults
        found.append(Problem.of(error, id, file))

    def place(self, opened: Opened, id: str, file: str) -> None:
        """Keep what a file says of its place."""
        kind = "real"
        if opened.lattice is not None and not opened.is_placed:
            kind = "missing"
        elif opened.lattice is not None and opened.lattice.is_identity:
            kind = "identity"
        self.places[file] = kind, id


def look(group: Group) -> LookedVolumes:
    """Check a case by itself, channel after channel, then its labels."""
    looked = LookedVolumes(group=group.id, cases=1)
    first = group.cases[0]
    masks = first.wanted
    files = Files(msgspec.structs.replace(first, images=(), frames={}))
    labels: dict[str, NDArray[Any] | None] = {}
    opened: dict[str, Opened] = {}
    for mask in masks:
        one = _opened(looked, first, files, mask, label=True)
        if one is not None and one.voxels is not None:
            opened[mask] = one
            labels[mask] = _look_at_labels(looked, group, mask, one)
    channels: list[tuple[str, str, Opened]] = []
    sources: dict[str, list[Opened]] = {}
    for case in group.cases:
        for path in case.images:
            channel = _channel(looked, case, path, sources)
            if channel is None:
                continue
            channels.append((case.id, path, channel))
            _look_at_image(looked, group, case, path, channel)
            _compare_with_mask(looked, case, path, channel, opened, labels)
            _measure(looked, group, case, path, channel, opened, labels)
    for id, path, channel in channels[1:]:
        _compare(looked, id, path, channels[0][2], channel, ("the channel", "the first channel"))
    return looked


def _channel(
    looked: LookedVolumes, case: SourceCase, path: str, sources: dict[str, list[Opened]]
) -> Opened | None:
    """The volume of a channel; a file of several channels is read once."""
    if path not in sources:
        files = Files(msgspec.structs.replace(case, masks=None, frames={}))
        one = _all_opened(looked, case, files, path, label=False)
        sources[path] = one
        if one:
            looked.place(one[0], case.id, case.shown(path) or "")
    several = sources[path]
    frames = case.frames.get(path)
    at = frames[0] // len(frames) if frames else 0
    return several[at] if at < len(several) else None


def _opened(
    looked: LookedVolumes, case: SourceCase, files: Files, path: str, *, label: bool
) -> Opened | None:
    several = _all_opened(looked, case, files, path, label=label)
    if len(several) > 1:
        reason = f"the mask holds {plural(len(several), 'volume')}, one was expected"
        looked.noticed("mask-kind", case.id, case.shown(path), reason)
    return several[0] if several else None


def _all_opened(
    looked: LookedVolumes, case: SourceCase, files: Files, path: str, *, label: bool
) -> list[Opened]:
    shown = case.shown(path)
    try:
        if path in files.errors:
            raise files.errors[path]
        several = open_volumes(f"{case.root}/{path}", files.data[path], label=label)
    except FileError as error:
        looked.faults.append(Problem.of(error, case.id, shown))
        return []
    looked.faults += (Problem.of(error, case.id, shown) for error in several[0].errors)
    return several


def _look_at_labels(
    looked: LookedVolumes, group: Group, path: str, opened: Opened
) -> NDArray[Any] | None:
    assert opened.voxels is not None
    case = group.cases[0]
    looked.place(opened, case.id, case.shown(path) or "")
    named = group.named if opened.legend is None else opened.legend
    if case.organs:
        named = None
    told, labels, shown = label_faults(opened.voxels, opened.scale, named)
    looked.shown |= shown
    for error in told:
        if case.organs and error.code == "mask-empty":
            continue  # of one structure of many
        looked.erred(error, case.id, case.shown(path))
    return labels


def _look_at_image(
    looked: LookedVolumes, group: Group, case: SourceCase, path: str, opened: Opened
) -> None:
    voxels, shown = opened.voxels, case.shown(path)
    assert voxels is not None
    if voxels.dtype.kind == "f" and (lost := voxels.size - int(np.isfinite(voxels).sum())):
        looked.noticed("not-finite", case.id, shown, f"{lost} voxels are NaN or infinite")
    elif voxels.min() == voxels.max():
        looked.noticed("image-constant", case.id, shown, f"all voxels are {voxels.flat[0]:g}")
    for k in range(voxels.shape[2]):
        place = f"{case.id}_s{k:03d}", case.patient, group.side, shown or ""
        plane = np.ascontiguousarray(voxels[:, :, k].T, voxels.dtype.newbyteorder("="))
        looked.seen.append(Seen.of(plane, place, with_picture=group.compared))


def _compare_with_mask(
    looked: LookedVolumes,
    case: SourceCase,
    path: str,
    image: Opened,
    masks: Mapping[str, Opened],
    labels: Mapping[str, NDArray[Any] | None],
) -> None:
    for mask, opened in masks.items():
        file = case.shown(mask)
        if (
            opened.voxels is not None
            and image.voxels is not None
            and opened.voxels.shape == image.voxels.shape
            and image.voxels.min() != image.voxels.max()
            and np.array_equal(opened.voxels, _meant(image))
        ):
            looked.noticed("mask-image", case.id, file, "the mask holds the voxels of its image")
        _compare(looked, case.id, mask, image, opened, ("the mask", "its image"), case.shown(mask))


def _meant(image: Opened) -> NDArray[Any]:
    assert image.voxels is not None
    slope, intercept = image.scale
    return image.voxels if image.scale == (1.0, 0.0) else image.voxels * slope + intercept


def _compare(
    looked: LookedVolumes,
    id: str,
    path: str,
    one: Opened,
    other: Opened,
    names: tuple[str, str],
    shown: str | None = None,
) -> None:
    file = path if shown is None else shown
    known = {(fault.code, fault.file) for fault in looked.faults}
    if one.lattice is None or other.lattice is None:
        if one.voxels is not None and other.voxels is not None:
            here, there = other.voxels.shape, one.voxels.shape
            if here != there and ("size", file) not in known:
                looked.noticed("size", id, file, f"{names[0]} is {here}, {names[1]} {there}")
        return
    placed = one.is_placed and other.is_placed
    for error in differences(one.lattice, other.lattice, names, placed=placed):
        if (error.code, file) not in known:
            looked.erred(error, id, file)


def _measure(
    looked: LookedVolumes,
    group: Group,
    case: SourceCase,
    path: str,
    image: Opened,
    masks: Mapping[str, Opened],
    labels: Mapping[str, NDArray[Any] | None],
) -> None:
    """Take the values by which a case can stand out, of masks that lie on it."""
    assert image.voxels is not None
    voxels = _meant(image)
    on = {m: a for m, a in labels.items() if a is not None and a.shape == voxels.shape}
    spacing = None if image.lattice is None else image.lattice.spacing[::-1]
    gauge = Gauge(case.id, case.patient, group.side, case.sequence, spacing)
    for k in range(voxels.shape[2]):
        planes = [(case, mask, array[:, :, k].T) for mask, array in on.items()]
        gauge.add(voxels[:, :, k].T, _structures(group, planes, looked.shown))
    values = gauge.values()
    if values is not None:
        looked.values.append(msgspec.structs.replace(values, file=case.shown(path)))


def _structures(
    group: Group, planes: list[tuple[SourceCase, str, NDArray[Any]]], shown: set[int]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for case, mask, plane in planes:
        if mask in case.organs:
            yield case.organs[mask], plane != 0
            continue
        for value in sorted(shown):
            yield (group.named or {}).get(value, f"label-{value}"), plane == value
