"""Masks of one slice read by a table of labels: numbers, grey levels, or colours."""

import numpy as np

from chaosprep.errors import FileError
from chaosprep.facts import Organ
from chaosprep.formats.colours import (
    colours_shown,
    grey_of,
    labels_by_colour,
    labels_for,
    read_colours,
)
from chaosprep.formats.label_table import LabelTable
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.labels import Labels
from chaosprep.imaging.levels import describe_levels, is_interpolated, level_histogram
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.png.chunks import read_head


def picture_labels(
    data: bytes, table: LabelTable, *, max_pixels: int = MAX_PIXELS
) -> Labels | None:
    """The labels of a picture, (rows, cols); None for a grey PNG whose levels are the labels.

    Raises:
        FileError: `mask-colours` or `mask-levels` (the table does not name what it holds),
            `mask-not-grey` (colours, and the table has numbers), or what `read_colours` raises.
    """
    if table.colors:
        return labels_by_colour(read_colours(data, max_pixels), table.colors)
    png = read_head(data, "mask-unreadable")
    if png is not None and png.colour == 0:
        if table.is_identity:
            return None
        return labels_by_value(read_mask(data, max_pixels=max_pixels).pixels, table)
    grey = grey_of(read_colours(data, max_pixels))
    if grey is None:
        colours = colours_shown(data, max_pixels)
        raise FileError(
            f"the mask has colours, and --labels names numbers: {colours}",
            f"Name the colours instead: {labels_for(colours)}.",
            "mask-not-grey",
        )
    return labels_by_value(grey, table)


def labels_by_value(labels: Labels, table: LabelTable) -> Labels:
    """The labels of a mask of numbers, which it keeps, or of grey levels; of its shape.

    Raises:
        FileError: `mask-levels`, the table has levels and not all of the mask's; `mask-colours`, it
            has colours.
    """
    if table.colors:
        raise FileError(
            "the mask holds numbers, and --labels names colours",
            "Name the numbers in --labels (1=liver).",
            "mask-colours",
        )
    if table.is_identity:
        return labels
    listed = table.listed()
    strange = {level: n for level, n in level_histogram(labels).items() if not listed[level]}
    if strange and not table.is_kept:
        raise _strange(labels, strange, table)
    kept = labels.dtype if table.is_kept else np.dtype(np.uint8)
    kind = np.result_type(kept, *map(np.min_scalar_type, table.legend))
    return table.lookup().astype(kind)[labels]


def _strange(mask: Labels, levels: dict[int, int], table: LabelTable) -> FileError:
    names = {0: "background"} | {value: label.name for value, label in table.legend.items()}
    organs = [Organ(names[value], low, high, value) for low, high, value in table.ranges]
    most = max(levels, key=lambda level: (levels[level], -level))
    remedy = f"Name them in --labels ('{most}=NAME', or =background for what is none)."
    if is_interpolated(mask, organs):
        remedy = "The mask may have been interpolated: use the original one."
    reason = f"grey levels that --labels does not name: {describe_levels(levels)}"
    return FileError(reason, remedy, "mask-levels")
