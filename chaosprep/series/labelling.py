"""The labels of one slice, from whatever shows them, by the table of labels where there is one."""

from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.label_table import LabelTable
from chaosprep.formats.masks import slice_labels
from chaosprep.formats.tabled import labels_by_value, picture_labels
from chaosprep.series.gathering import Shot


def labels_shown(
    table: LabelTable | None, shot: Shot, mask: str, data: bytes, cut: NDArray[Any] | None
) -> NDArray[Any] | None:
    """The labels of one slice, (rows, cols); None for a picture that is kept as it is.

    ``cut`` are those that are known already, as they were laid on the image by place.

    Raises:
        FileError: what `slice_labels`, `picture_labels` and `labels_by_value` raise, or
            `mask-frames`.
    """
    if cut is None:
        check_one_frame(shot)
    labels = slice_labels(mask, data, shot.header) if cut is None else cut
    if table is None:
        return labels
    return picture_labels(data, table) if labels is None else labels_by_value(labels, table)


def check_one_frame(shot: Shot) -> None:
    """Refuse an image of several frames, as one mask cannot be that of all.

    Raises:
        FileError: `mask-frames`.
    """
    if shot.frame is not None:
        raise FileError(
            f"its image has {shot.header.frames} frames, and one mask cannot belong to all of them",
            "Give the masks of a multi-frame image as one NIfTI volume or DICOM SEG.",
            code="mask-frames",
        )
