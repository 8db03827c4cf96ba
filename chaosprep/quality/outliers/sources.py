"""Slices of a dataset root, before any stage, as a gauge takes them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.header import Header
from chaosprep.imaging.measured import padded
from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.series.reading import Series, SourceSlice
from chaosprep.series.shown import shown
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded


def gauge_for(case: SourceCase, series: Series) -> Gauge:
    """A gauge for a case's slices."""
    inside = next((s.header.pixel_spacing for s in series.slices if s.header.pixel_spacing), None)
    between = series.slice_spacing
    spacing = None if inside is None or between is None else (between, *inside)
    return Gauge(case.id, case.patient, case.pool, case.sequence, spacing)


def in_units(header: Header, array: NDArray[Any]) -> NDArray[Any]:
    """A slice in the units that its header tells, (rows, cols); padding is masked."""
    units = array * header.rescale_slope + header.rescale_intercept
    outside = padded(header, array)
    return units if outside is None else np.ma.masked_where(outside, units)


def structures_of(
    found: SourceSlice, case: SourceCase, series: Series
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield what the mask of a slice shows, by name; a name that may identify is left out.

    Raises:
        FileError: the mask cannot be read, or is not a label map.
    """
    labels, _, _, overlaps = shown(found, case, series)
    if not labels:
        return
    mask = found.mask_array
    if mask is None:
        assert found.mask_data is not None
        mask = read_mask(found.mask_data).pixels
    values: dict[str, set[int]] = {}
    for value, name in labels.items():
        values.setdefault(name, set()).add(value)
    for value, meeting in overlaps.items():
        for label in meeting:
            values[labels[label]].add(value)
    for name, some in values.items():
        if folded(name) not in case.hidden:
            yield name, np.isin(mask, list(some))
