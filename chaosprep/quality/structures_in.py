"""The structures that the mask of a source slice shows, by name."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.organs import unnamed
from chaosprep.formats.pictures import read_mask
from chaosprep.series.reading import SourceSlice

Structures = Mapping[str, NDArray[np.bool_]]


def structures_in(
    found: SourceSlice, names: Mapping[int, str], overlaps: Mapping[int, tuple[int, ...]]
) -> Structures | None:
    """Each structure with where it lies, (rows, cols); None where the slice has no mask.

    Args:
        found: the slice.
        names: what the values of its mask stand for; others are `label-1`, `label-2`, ... .
        overlaps: the values that stand for several of those.

    Raises:
        FileError: the mask cannot be read.
    """
    if found.mask_array is not None:
        mask = found.mask_array
    elif found.mask_data is not None:
        mask = read_mask(found.mask_data).pixels
    else:
        return None
    shown: dict[str, NDArray[np.bool_]] = {}
    for value in (int(one) for one in np.unique(mask) if one):
        for part in overlaps.get(value, (value,)):
            name, inside = names.get(part, unnamed(part)), mask == value
            shown[name] = shown[name] | inside if name in shown else inside
    return shown
