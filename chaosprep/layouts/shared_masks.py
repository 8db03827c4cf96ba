"""Masks that serve several series of a patient: pictures and arrays, which need one grid."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from chaosprep.errors import FileError, Problem, plural
from chaosprep.formats.masks import mask_format
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.lattice import SAME_VOXEL
from chaosprep.imaging.space.nearest import SAME_PLACE
from chaosprep.imaging.space.orientations import SAME_ORIENTATION
from chaosprep.imaging.space.placing import image_grid
from chaosprep.layouts.root import Root
from chaosprep.series.pairing import pair
from chaosprep.series.reading import read_series
from chaosprep.series.source import Files, SourceCase

_Slices = Mapping[tuple[str | None, int], Header]
_ALIKE = {
    "PixelSpacing": ("pixel_spacing", SAME_PLACE),
    "ImageOrientationPatient": ("image_orientation_patient", SAME_ORIENTATION),
    "ImagePositionPatient": ("image_position_patient", SAME_PLACE),
}


@dataclass(frozen=True)
class _Comparison:
    """How the slices of two series that have the same masks differ; mm between their corners."""

    slices: int
    off: int = 0
    keywords: tuple[str, ...] = ()
    apart: float = 0.0
    unknown: bool = False


def on_one_grid(root: Root) -> Root:
    """The same root without series that share masks but no grid: these are one problem.

    NIfTI and DICOM SEG say where they lie, and are not asked. Where headers do not tell the places,
    sizes are compared, and the cases get a note.
    """
    out: set[str] = set()
    notes: dict[str, str] = {}
    problems: list[Problem] = []
    for bundle in _bundles(root.cases):
        first, *others = [_slices(case) for case in bundle]
        found = [_compare(first, other) for other in others]
        off = next((at for at, one in enumerate(found) if one.off), None)
        if off is not None:
            problems.append(_problem(bundle, bundle[off + 1], found[off]))
            out |= {case.id for case in bundle}
        elif any(one.unknown for one in found):
            names = " and ".join(case.sequence for case in bundle)
            text = f"{names} share their masks; without positions only their sizes were compared"
            notes |= {case.id: text for case in bundle}
    if not out and not notes:
        return root
    kept = (case for case in root.cases if case.id not in out)
    cases = (
        msgspec.structs.replace(case, notes=(*case.notes, notes[case.id]))
        if case.id in notes
        else case
        for case in kept
    )
    return replace(root, cases=tuple(cases), problems=(*root.problems, *problems))


def _bundles(cases: Iterable[SourceCase]) -> list[list[SourceCase]]:
    """The series of each patient that share masks which do not say where they lie."""
    of_mask: dict[str, list[SourceCase]] = defaultdict(list)
    for case in cases:
        for mask in case.masks or ():
            of_mask[mask].append(case)
    found: dict[tuple[str, ...], list[SourceCase]] = {}
    for mask, sharing in of_mask.items():
        ids = tuple(case.id for case in sharing)
        if len(ids) > 1 and ids not in found and not _is_placed(sharing[0], mask):
            found[ids] = sharing
    return list(found.values())


def _is_placed(case: SourceCase, mask: str) -> bool:
    """Whether a mask is of a kind that cannot be that of one slice, and so has its own places."""
    alone = msgspec.structs.replace(case, images=(), masks=(mask,))
    return mask_format(mask, Files(alone).data.get(mask, b"")).of_slice is None


def _slices(case: SourceCase) -> _Slices:
    """The images that can be read, by their mask, or by their place where one is for all."""
    slices = read_series(msgspec.structs.replace(case, masks=None, rule="key")).slices
    if case.rule == "volume":
        return {(None, one.index): one.header for one in slices}
    pairs = pair(case.images, case.masks, case.rule, case.keys)
    if pairs.note:  # paired by rank for want of names: its rows say so, and it proves nothing
        return {}
    mask_of = dict(pairs.pairs)
    paired = [one for one in slices if one.image in mask_of]
    return {(mask_of[one.image], one.frame or 0): one.header for one in paired}


def _compare(one: _Slices, other: _Slices) -> _Comparison:
    """Compare the slices that have the same mask."""
    pairs = [(one[key], other[key]) for key in one if key in other]
    keywords: dict[str, None] = {}
    off, apart, unknown = 0, 0.0, False
    for here, there in pairs:
        if (here.rows, here.cols) != (there.rows, there.cols):
            keywords |= {"Rows": None, "Columns": None}
            off += 1
            continue
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


def _differing(here: Header, there: Header) -> list[str]:
    return [
        keyword
        for keyword, (name, limit) in _ALIKE.items()
        if np.abs(np.subtract(getattr(here, name), getattr(there, name))).max() > limit
    ]


def _problem(bundle: list[SourceCase], other: SourceCase, found: _Comparison) -> Problem:
    names = f"{bundle[0].sequence} and {other.sequence}"
    far = f", up to {found.apart:.3g} mm" if found.apart else ""
    slices = plural(found.slices, "slice")
    error = FileError(
        f"{names} share their masks, which do not say where they lie, but not their grid: "
        f"{found.off} of {slices} differ in {' and '.join(found.keywords)}{far}",
        "Give each series masks of its own ({sequence} in --masks), give them as NIfTI or DICOM "
        "SEG, which say where they lie, or name in --images only the series they were drawn on.",
        code="masks-shared",
    )
    sequences = "+".join(case.sequence for case in bundle)
    return Problem.of(error, f"{bundle[0].patient}_{sequences}")
