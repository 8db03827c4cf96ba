"""One mask for a whole series, npy or NIfTI: cut into a label array for each of its images."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.dicom import Header
from chaosprep.imaging.images import check_size
from chaosprep.layouts.grids import Grid, Place, image_grid, locate
from chaosprep.layouts.labels import Labels, as_labels, check_bytes, check_same_size, read_npy

if TYPE_CHECKING:
    from SimpleITK import ImageFileReader

BY_ORDER = "the mask array has no geometry: its slices were taken in the order of the positions"


@dataclass
class Stack:
    """A mask cut up: image path -> label array (rows, cols), and file -> what is wrong with it."""

    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    errors: list[tuple[str, FileError]] = field(default_factory=list)
    note: str | None = None


def cut_npy(data: bytes, images: Mapping[str, Header], count: int) -> Stack:
    """Cut a 3-D npy, (slices, rows, cols): its slices are the images in anatomical order.

    Args:
        data: the npy's bytes.
        images: the readable images in anatomical order.
        count: how many images the series has; where one cannot be read, no rank can be told.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `mask-count` or `mask-values`.
    """
    voxels = read_npy(data, dimensions=3)
    if not len(voxels) == count == len(images):
        raise FileError(
            f"its {len(voxels)} slices cannot be told to {count} images, {len(images)} readable",
            "Bring back the missing files, or give the mask as NIfTI, which has positions.",
            code="mask-count",
        )
    stack = Stack(note=BY_ORDER)
    planes: dict[str, NDArray[Any]] = {}
    for (image, header), plane in zip(images.items(), voxels, strict=True):
        try:
            check_same_size(plane.shape, header)
            planes[image] = plane
        except FileError as error:
            stack.errors.append((image, error))
    stack.labels = one_type(planes)
    return stack


def cut_nifti(path: str, file: Path, images: Mapping[str, Header]) -> Stack:
    """Cut a NIfTI volume by geometry: each image gets the voxels that lie at its pixels.

    SimpleITK turns the coordinates of NIfTI-1 (+x is right, +y anterior) into DICOM's.

    Args:
        path: the volume, for its errors.
        file: where it is.
        images: the images in anatomical order.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values`, or `mask-grid`
            where no image at all lies in it.
    """
    reader, grid = _open(file)
    places: dict[str, Place] = {}
    stack = Stack()
    for image, header in images.items():
        try:
            places[image] = locate(image_grid(header), grid)
        except FileError as error:
            stack.errors.append((image, error))
    if not places:
        if stack.errors:
            raise stack.errors[0][1]
        return stack
    voxels = _read(reader)
    stack.labels = one_type(
        {path: at.take(voxels, images[path].rows, images[path].cols) for path, at in places.items()}
    )
    used = {(at.across, int(at.start[at.across])) for at in places.values()}
    unused = grid.shape[next(iter(used))[0]] - len(used)
    if unused > 0:
        stack.errors.append((path, surplus(unused, "slices")))
    return stack


def one_type(planes: Mapping[str, NDArray[Any]]) -> dict[str, Labels]:
    """Label arrays (`as_labels`) of one type for all, so that a case's masks are alike."""
    labels = {path: as_labels(plane) for path, plane in planes.items()}
    kind = np.result_type(*labels.values()) if labels else np.uint8
    return {path: array.astype(kind, copy=False) for path, array in labels.items()}


def surplus(count: int, what: str) -> FileError:
    """The error of a mask that has more than the images."""
    return FileError(
        f"no image belongs to {count} of its {what}",
        "Bring back the missing images, or cut the mask to those that there are.",
        code="mask-surplus",
    )


@contextmanager
def _quiet_itk() -> Iterator[None]:
    """Turn ITK's errors, which quote paths, into a `FileError`; keep it from printing warnings."""
    import SimpleITK

    shown = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    except RuntimeError:
        raise FileError(
            "the NIfTI volume cannot be read", "Export it again from its source.", "mask-unreadable"
        ) from None
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(shown)


def _open(file: Path) -> "tuple[ImageFileReader, Grid]":
    """Read the header of a volume and check it before any voxel is."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    with _quiet_itk():
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(file))
        reader.ReadImageInformation()
    shape = reader.GetSize()
    if len(shape) != 3 or reader.GetNumberOfComponents() != 1:
        raise FileError(
            f"a NIfTI of {len(shape)} dimensions, 3 with one number a voxel were expected",
            "Give one label volume for each patient.",
            code="mask-kind",
        )
    check_size(*sorted(shape)[1:])
    check_bytes(math.prod(shape), _itemsize(reader))
    origin, spacing = np.array(reader.GetOrigin()), np.array(reader.GetSpacing())
    direction = np.array(reader.GetDirection()).reshape(3, 3)
    return reader, Grid(shape, origin, direction * spacing)


def _itemsize(reader: "ImageFileReader") -> int:
    """The bytes of a voxel; 8 where SimpleITK's name for its type is not known."""
    import SimpleITK

    name = SimpleITK.GetPixelIDValueAsString(reader.GetPixelID())
    bits = re.match(r"(8|16|32|64)-bit", name)
    return int(bits[1]) // 8 if bits else 8


def _read(reader: "ImageFileReader") -> NDArray[Any]:
    """The voxels, indexed (i, j, k) as the grid is."""
    import SimpleITK

    with _quiet_itk():
        array: NDArray[Any] = SimpleITK.GetArrayFromImage(reader.Execute())
    return array.transpose()
