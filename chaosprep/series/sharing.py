"""Masks that serve several series of a patient: pictures and arrays, which need one grid."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from chaosprep.errors import FileError, plural
from chaosprep.formats.dicom.reading import read_headers
from chaosprep.formats.dicom_masks import DICOM_IMAGE
from chaosprep.formats.images import read_head
from chaosprep.formats.masks import mask_format
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.geometry import order_series
from chaosprep.imaging.space.lattice import SAME_VOXEL
from chaosprep.imaging.space.nearest import SAME_PLACE
from chaosprep.imaging.space.orientations import SAME_ORIENTATION
from chaosprep.imaging.space.placing import image_grid
from chaosprep.imaging.space.planes import is_placed
from chaosprep.series.gathering import gather
from chaosprep.series.mixing import find_mixed
from chaosprep.series.pairing import pair
from chaosprep.series.source import Files, SourceCase
from chaosprep.series.uniform import find_spacings

Planes = Mapping[tuple[str | None, int], Header]
"""Headers by mask and frame; by None and the place in the series where one mask is for all."""

_ALIKE = {
    "PixelSpacing": ("pixel_spacing", SAME_PLACE),
    "ImageOrientationPatient": ("image_orientation_patient", SAME_ORIENTATION),
    "ImagePositionPatient": ("image_position_patient", SAME_PLACE),
}


def told_beside(cases: Sequence[SourceCase]) -> tuple[SourceCase, ...]:
    """The same cases, each with those ``beside`` it that have masks of its own too."""
    of_mask: dict[str, list[int]] = defaultdict(list)
    for at, case in enumerate(cases):
        for mask in case.masks or ():
            of_mask[mask].append(at)
    beside: dict[int, set[int]] = defaultdict(set)
    for sharing in {tuple(sharing) for sharing in of_mask.values() if len(sharing) > 1}:
        for at in sharing:
            beside[at].update({*sharing} - {at})
    return tuple(
        msgspec.structs.replace(case, beside=tuple(cases[n] for n in sorted(beside[at])))
        if at in beside
        else case
        for at, case in enumerate(cases)
    )


def check_shared(
    case: SourceCase, files: Files, planes: Planes, max_pixels: int
) -> tuple[str, ...]:
    """What to say of the slices of a case that shares its masks.

    NIfTI, DICOM SEG and most DICOM images say where they lie, and are not asked. Of the other
    series only headers are read. Where these do not tell the places, sizes are compared, and that
    is said.

    Args:
        case: the case.
        files: its files.
        planes: its slices that have a mask.
        max_pixels: of a file, in all its frames.

    Raises:
        FileError: `masks-shared`, another series of the masks lies on another grid.
    """
    unknown: list[str] = []
    for other in case.beside:
        shared = {*(case.masks or ())}.intersection(other.masks or ())
        if all(_is_placed(mask, files.data.get(mask, b"")) for mask in shared):
            continue
        found = _compare(planes, _planes(other, max_pixels))
        if found.off:
            raise _on_another_grid(case, other, found)
        if found.unknown:
            unknown.append(other.sequence)
    names = " and ".join(sorted({case.sequence, *unknown}))
    text = f"{names} share their masks; without positions only their sizes were compared"
    return (text,) if unknown else ()


def _is_placed(mask: str, data: bytes) -> bool:
    """Whether a mask has its own places: it cannot be that of one slice, or is a DICOM image."""
    kind = mask_format(mask, data)
    if kind is not DICOM_IMAGE:
        return kind.of_slice is None
    try:
        return all(map(is_placed, read_headers(data)))
    except FileError:
        return False


def _planes(case: SourceCase, max_pixels: int) -> Planes:
    """The images of another case by their headers; none of what is no series of its own."""
    images = msgspec.structs.replace(case, masks=None)
    files = Files(images, read_head)
    gathered = gather(images, files, max_pixels)
    shots = gathered.shots
    if find_mixed(shots, files.data) or find_spacings(shots):
        return {}
    try:
        order = order_series([shot.header for shot in shots])
    except FileError:
        return {}
    settled = {index: order.settled(index, shots[index].header) for index in order.indices}
    if case.rule == "volume":
        return {(None, place): settled[index] for place, index in enumerate(order.indices)}
    pairs = pair(gathered.known, case.masks, case.rule, case.keys, case.organs)
    mask_of = {} if pairs.note else dict(pairs.pairs)  # ranks for want of names prove nothing
    named = [(shots[index], header) for index, header in settled.items()]
    return {
        (mask_of[shot.path], shot.frame or 0): header
        for shot, header in named
        if shot.path in mask_of
    }


@dataclass(frozen=True)
class _Comparison:
    """How the slices of two series that have the same masks differ; mm between their corners."""

    slices: int
    off: int
    keywords: tuple[str, ...]
    apart: float
    unknown: bool


def _compare(one: Planes, other: Planes) -> _Comparison:
    """Compare the slices that have the same mask."""
    pairs = [(one[key], other[key]) for key in one if key in other]
    keywords: dict[str, None] = {}
    off, apart, unknown = 0, 0.0, False
    for here, there in pairs:
        if (here.rows, here.cols) != (there.rows, there.cols):
            keywords |= {"Rows": None, "Columns": None}
            off += 1
            continue
        if _place(here) == _place(there) and None not in _place(here):
            continue  # most are alike, and grids take time
        try:
            grids = image_grid(here), image_grid(there)
        except FileError:
            unknown = True
            continue
        distance = grids[0].differs_by(grids[1])
        if distance > SAME_VOXEL * min(grids[0].spacing[:2]):
            keywords |= dict.fromkeys(_differing(here, there))
            off, apart = off + 1, max(apart, distance)
    return _Comparison(len(pairs), off, tuple(keywords), apart, unknown)


def _place(header: Header) -> tuple[object, ...]:
    return tuple(getattr(header, name) for name, _ in _ALIKE.values())


def _differing(here: Header, there: Header) -> list[str]:
    """The keywords that differ; by little where little adds up over the picture."""
    apart = {
        keyword: np.abs(np.subtract(getattr(here, name), getattr(there, name))).max() / limit
        for keyword, (name, limit) in _ALIKE.items()
    }
    return [keyword for keyword, many in apart.items() if many > min(1, max(apart.values()) / 2)]


def _on_another_grid(case: SourceCase, other: SourceCase, found: _Comparison) -> FileError:
    names = " and ".join(sorted((case.sequence, other.sequence)))
    verb = "differs" if len(found.keywords) == 1 else "differ"
    far = f", by up to {found.apart:.3g} mm" if found.apart else ""
    return FileError(
        f"{names} share their masks, which do not say where they lie, but not their grid: "
        f"{' and '.join(found.keywords)} {verb} in {found.off} of "
        f"{plural(found.slices, 'slice')}{far}",
        "Give each series masks of its own ({sequence} in --masks), give them as NIfTI or DICOM "
        "SEG, which say where they lie, or name in --images only the series they were drawn on.",
        code="masks-shared",
    )
