"""A case whose slices are made anew of its volume, in all three directions at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import have_masks
from chaosprep.errors import FileError, Problem
from chaosprep.imaging.header import Header
from chaosprep.imaging.levels import label_areas
from chaosprep.imaging.measured import Pixels, darkest, lowest, padded
from chaosprep.imaging.space.grids import Grid
from chaosprep.imaging.space.resampling import Kernels, image_slice, labels_slice, nearest_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.reading import Read
from chaosprep.stages.converting.reference import check_frame, elsewhere
from chaosprep.stages.converting.stacks import Stack


@dataclass(frozen=True, eq=False)
class Restacked:
    """The new slices of a case, each made as it is taken; as `InPlane` where slices stay.

    ``voxels`` are (slices, rows, cols) of the old ones, padding as ``dark`` as the case is
    anywhere, ``outside`` where it was; ``masks`` None without, ``values`` are theirs.
    """

    rows: tuple[Slice, ...]
    stack: Stack
    headers: tuple[Header, ...]
    voxels: NDArray[Any]
    outside: NDArray[np.bool_] | None
    masks: NDArray[Any] | None
    values: tuple[int, ...]
    labels: dict[int, str]
    ends: tuple[float, float]
    kernels: Kernels

    def take(self, row: Slice) -> tuple[Header, NDArray[Any], Grid]:
        """The nearest old slice's header, the new one's pixels, and the grid they lie on.

        Padding is where the nearest voxel is; what lies beyond the case is `Grid.beyond`.
        """
        number, passage = self.stack.numbers[row.id], self.stack.passage
        header = self.headers[self.stack.nearest[number]]
        array = image_slice(self.voxels, self.ends, passage, number, self.kernels)
        if self.outside is not None and header.padding is not None:
            array[nearest_slice(self.outside, passage, number)] = header.padding[0]
        return header, array, Grid.whole(array.shape, passage.beyond(number))

    def finished(self, row: Slice, grid: Grid, writer: Writer) -> Slice:
        """The row with the mask of its slice."""
        if self.masks is None:
            return row
        number, passage = self.stack.numbers[row.id], self.stack.passage
        mask = labels_slice(self.masks, self.values, passage, number)
        if grid.beyond is not None:
            mask[grid.beyond] = 0
        file = writer.mask(row.split, row.id, mask)
        return row.with_mask(file, labels=self.labels, pixels=label_areas(mask, self.labels))

    def parent(self, row: Slice) -> str | None:
        """The id of the nearest old slice."""
        return row.parent


def restacked(case: Case, found: Read, stack: Stack, params: ConvertParams) -> Restacked:
    """The new slices of a case of which all old ones could be read, else none.

    Raises:
        FileError: `values-mixed`, `labels-mixed`, `reference-elsewhere`, and what `check_frame`,
            `have_masks` and `Case.mask` raise.
    """
    rows = () if found.problems else stack.rows
    pixels = [found.pixels[row.id] for row in found.rows] if rows else []
    headers = tuple(header for header, _ in pixels)
    if rows and stack.reference is not None:
        check_frame(case, stack.reference)
        numbers = range(len(rows))
        beyond = (stack.passage.beyond(number) for number in numbers)
        if all(one is not None and one.all() for one in beyond):
            raise elsewhere(stack.reference)
    _check_alike(headers)
    voxels, outside = _filled(pixels, params)
    masks = _masks(case) if rows and have_masks(case.slices) else None
    found.pixels.clear()  # they are in the volume now
    return Restacked(
        rows=rows,
        stack=stack,
        headers=headers,
        voxels=voxels,
        outside=outside,
        masks=masks,
        values=() if masks is None else tuple(np.unique(masks).tolist()),
        labels=_labels(case.slices),
        ends=(float(voxels.min()), float(voxels.max())) if rows else (0.0, 0.0),
        kernels=(params.through_plane, "cubic", "cubic"),
    )


def unmade(case: Case, found: Read) -> tuple[Problem, ...]:
    """What to say of a case that gets no new slices, as some of its old ones could not be read."""
    if not found.problems or any(one.id == case.id for one in found.problems):
        return ()
    error = FileError(
        f"new slices are made of all old ones together, but {len(found.problems)} of "
        f"{len(case.slices)} cannot be read: it is left out as a whole",
        "Resolve the problems of its slices.",
        code="stack-incomplete",
    )
    return (Problem.of(error, case.id),)


def _check_alike(headers: Sequence[Header]) -> None:
    """Refuse slices whose stored values do not mean the same, so that none lies between two."""
    kinds = {(one.rescale_slope, one.rescale_intercept, one.dtype, one.padding) for one in headers}
    if len(kinds) > 1:
        raise FileError(
            "its slices differ in their rescale, number type or padding, so that there are no "
            "values between them",
            "Resample only in-plane (--spacing with one number, no --reference), or leave the "
            "case out with --exclude or --on-error skip.",
            code="values-mixed",
        )


def _filled(
    pixels: Sequence[Pixels], params: ConvertParams
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The volume with padding as dark as it is anywhere, and where padding was, if anywhere."""
    if not pixels:
        return np.zeros((0, 0, 0)), None
    voxels = np.stack([array for _, array in pixels])
    found = [padded(header, array) for header, array in pixels]
    if all(one is None for one in found):
        return voxels, None
    shape = voxels.shape[1:]
    outside = np.stack([np.zeros(shape, np.bool_) if one is None else one for one in found])
    if not outside.all():
        dark = darkest if params.shows else lowest
        voxels[outside] = dark(pixels[0][0], voxels[~outside])
    return voxels, outside


def _masks(case: Case) -> NDArray[Any]:
    masks = [case.mask(row) for row in case.slices]
    return np.stack([mask for mask in masks if mask is not None])


def _labels(rows: Sequence[Slice]) -> dict[int, str]:
    """What the mask values of a case stand for.

    Raises:
        FileError: `labels-mixed`.
    """
    found: dict[int, str] = {}
    for row in rows:
        for value, name in row.labels.items():
            if found.setdefault(value, name) != name:
                raise FileError(
                    f"value {value} stands for {found[value]} in some of its masks, and for {name} "
                    "in others",
                    "Make one label map with extract-labels first.",
                    code="labels-mixed",
                )
    return found
