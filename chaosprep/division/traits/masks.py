"""Traits that masks tell: whether they show a structure, and how large it is."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean

from chaosprep.division.traits.trait import Evidence, Trait, Value
from chaosprep.errors import FileError
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.shown import shown
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded

_ML = 1000  # mm3


def label(text: str, root: Root, key: Key | None) -> Trait | None:
    """`label:liver`: whether any mask of a patient shows it, `yes` or `no`."""
    structure = _structure(text, "label")
    if structure is None:
        return None
    name = folded(structure)

    def of_case(case: SourceCase, told: Evidence) -> str | None:
        if told.areas is None:
            return None
        return "yes" if told.areas.get(name) else "no"

    return Trait(f"label:{structure}", of_case, _any, structure)


def volume(text: str, root: Root, key: Key | None) -> Trait | None:
    """`volume:liver`: how many ml of it a patient's masks show, the mean of the cases."""
    structure = _structure(text, "volume")
    if structure is None:
        return None
    name = folded(structure)

    def of_case(case: SourceCase, told: Evidence) -> float | None:
        return None if told.volumes is None else told.volumes.get(name, 0.0)

    return Trait(f"volume:{structure}", of_case, _mean, structure)


def measure(case: SourceCase, max_pixels: int) -> Evidence:
    """What the masks of a case show; of a slice with a problem, that is told when it is split."""
    if case.masks is None or case.refused:
        return Evidence()
    series = read_series(case, max_pixels=max_pixels)
    areas, names = Counter[str](), dict[str, str]()
    volumes: defaultdict[str, float] | None = defaultdict(float)
    measured = 0
    for found in series.slices:
        if found.mask_array is None and found.mask_data is None:
            continue
        try:
            pixels = shown(found, case, series).pixels
        except FileError:
            continue
        measured += 1
        voxel = _voxel(found, series)
        volumes = None if voxel is None else volumes
        for structure, count in pixels.items():
            name = folded(structure)
            names.setdefault(name, structure)
            areas[name] += count
            if volumes is not None and voxel is not None:
                volumes[name] += count * voxel
    return Evidence(areas, volumes, names) if measured else Evidence()


def _voxel(found: SourceSlice, series: Series) -> float | None:
    """The ml of a pixel and of the way to the next slice; None where a spacing is unknown."""
    spacing, depth = found.header.pixel_spacing, series.slice_spacing
    return None if spacing is None or depth is None else spacing[0] * spacing[1] * depth / _ML


def _structure(text: str, kind: str) -> str | None:
    before, colon, structure = text.partition(":")
    is_one = colon and before.strip().casefold() == kind and structure.strip()
    return structure.strip() if is_one else None


def _any(values: Sequence[Value]) -> str:
    return "yes" if "yes" in values else "no"


def _mean(values: Sequence[Value]) -> float:
    return fmean(one for one in values if isinstance(one, float))
