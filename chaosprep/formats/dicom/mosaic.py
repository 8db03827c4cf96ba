"""A picture that is a grid of the slices of a volume: Siemens' mosaics, United Imaging's grids.

The slices follow each other row by row, and what is left at the end is empty. A mosaic has as many
slices in a row as in a column. Its ImagePositionPatient belongs to a slice of the mosaic's size
around the middle of the first one; the others lie along SliceNormalVector, which its CSA header
has. A grid of United Imaging has as few rows as it can, and an item of a sequence tells where each
slice lies.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.csa import read_csa
from chaosprep.formats.dicom.evidence import UNITED_IMAGING, count_tiles, is_grid
from chaosprep.formats.dicom.faults import broken, whole_grid
from chaosprep.formats.dicom.headers import MAX_FRAMES, Pixels, read_frame
from chaosprep.formats.dicom.values import Elements, numbers, text
from chaosprep.imaging.header import Header, Vector
from chaosprep.imaging.space.geometry import slice_normal
from chaosprep.imaging.space.lattice import pixel_position

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_CSA_CREATOR = "SIEMENS CSA HEADER"
_CSA_HEADERS = (0x10, 0x20)  # of the image, and of the series
_COUNT, _NORMAL, _B_VALUE = "NumberOfImagesInMosaic", "SliceNormalVector", "B_value"
_UIH_SLICES = 0x51  # a sequence: (0065,1051)
_MAX_ITEMS = 2**18  # bytes; a slice has some 300, and pydicom makes an object of each element
_BLOCKS = range(0x10, 0x20)  # of private elements; there may be more, but never are
_ALONG = 0.99  # cosine: a normal is written with few digits
_LARGE_PART = 8  # what a decoder leaves in empty tiles is far below this part of the grey levels


@dataclass(frozen=True)
class Mosaic:
    """The slices of a picture: a header for each, and how many there are in a row and a column."""

    headers: tuple[Header, ...]
    across: int
    down: int

    def cut(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Cut a picture, (rows, cols), into its slices: (slices, rows, cols).

        Raises `FileError` ``dicom-broken`` where more than they is in it.
        """
        rows, cols = self.headers[0].rows, self.headers[0].cols
        grid = picture.reshape(self.down, rows, self.across, cols)
        tiles = grid.swapaxes(1, 2).reshape(-1, rows, cols)
        count = len(self.headers)
        most = max(map(_range, tiles[count:]), default=0.0)
        if most and most * _LARGE_PART > _range(picture):
            raise broken(f"the picture holds more than the {count} slices that it announces")
        return np.ascontiguousarray(tiles[:count])


def find_mosaic(dataset: "Dataset", pixels: Pixels) -> Mosaic | None:
    """Find the slices of a picture that is a grid of them; None for any other.

    Raises `FileError`: ``grid-of-slices`` where their number or place is not told, ``dicom-broken``
    where the header contradicts itself, ``too-large`` or ``orientation-broken``.
    """
    if pixels.frames > 1 or not is_grid(dataset, text((dataset,), "ImageType")):
        return None
    picture = read_frame(dataset, pixels, 0)
    united = text((dataset,), "UnitedImagingCreator") == UNITED_IMAGING
    return (_grid if united else _siemens)(dataset, picture)


def _siemens(dataset: "Dataset", picture: Header) -> Mosaic | None:
    csa = _csa(dataset)
    said, again = count_tiles(dataset), _whole(csa.get(_COUNT, ()))
    if said and again and said != again:
        raise broken(f"its {_COUNT} is {said}, and {again} in the CSA header")
    count = said or again
    if count == 1:
        return None
    normal = _decimals(csa.get(_NORMAL, ()))
    _check_told(
        count,
        {
            _COUNT: count,
            "ImagePositionPatient": picture.image_position_patient,
            "ImageOrientationPatient": picture.image_orientation_patient,
            "PixelSpacing": picture.pixel_spacing,
            "SpacingBetweenSlices": (picture.spacing_between_slices or 0) > 0,
            f"{_NORMAL} in the CSA header": len(normal) == 3,
        },
    )
    count = cast("int", count)
    side = math.isqrt(count - 1) + 1
    tile = _tile(picture, count, side, side)
    found = {"DiffusionBValue": value} if (value := next(iter(csa.get(_B_VALUE, ())), "")) else {}
    return Mosaic(_headers(tile, _in_a_row(picture, tile, count, normal), found), side, side)


def _in_a_row(picture: Header, tile: Header, count: int, normal: Sequence[float]) -> list[Vector]:
    """Where the slices of a mosaic lie."""
    place = cast("Vector", picture.image_position_patient)
    orientation = cast("tuple[float, ...]", picture.image_orientation_patient)
    spacing = cast("tuple[float, float]", picture.pixel_spacing)
    step = cast("float", picture.spacing_between_slices)
    off = (picture.rows - tile.rows) / 2, (picture.cols - tile.cols) / 2
    first = np.array(pixel_position(place, orientation, spacing, *off))
    upright = slice_normal(orientation)
    along = float(upright @ normal) / (float(np.linalg.norm(normal)) or 1.0)
    if abs(along) < _ALONG:
        raise broken(f"its {_NORMAL} is not perpendicular to its slices")
    steps = np.arange(count)[:, np.newaxis] * upright * math.copysign(step, along)
    return [cast("Vector", tuple(one)) for one in (first + steps).round(6).tolist()]


def _grid(dataset: "Dataset", picture: Header) -> Mosaic | None:
    count = count_tiles(dataset)
    if count == 1:
        return None
    items = _items(dataset)
    places = [cast("Vector", numbers((item,), "ImagePositionPatient")) for item in items]
    _check_told(
        count,
        {
            "how many there are": count,
            "ImageOrientationPatient": picture.image_orientation_patient,
            "ImagePositionPatient of each slice": items and all(len(p) == 3 for p in places),
        },
    )
    count = cast("int", count)
    if count != len(items):
        raise broken(f"the header places {len(items)} slices, of {count} in its picture")
    across = math.isqrt(count - 1) + 1
    down = -(-count // across)
    tile = _tile(picture, count, across, down)
    times = [time for item in items if (time := text((item,), "AcquisitionTime"))]
    found = {"AcquisitionTime": min(times)} if times else {}
    return Mosaic(_headers(tile, places, found), across, down)


def _headers(tile: Header, places: Sequence[Vector], found: dict[str, str]) -> tuple[Header, ...]:
    """The header of each slice; what was found counts where the picture's own has nothing."""
    tile = replace(tile, frames=len(places), evidence={**found, **tile.evidence})
    return tuple(
        replace(tile, image_position_patient=place, instance_number=number, frame_number=number)
        for number, place in enumerate(places, 1)
    )


def _tile(picture: Header, count: int, across: int, down: int) -> Header:
    if count > MAX_FRAMES:
        reason = f"it announces {count} slices in a picture, above the limit of {MAX_FRAMES}"
        raise FileError(reason, "Check the file; no series is that long.", "too-large")
    if picture.rows % down or picture.cols % across:
        shape = f"{picture.rows} x {picture.cols}"
        raise broken(f"a grid of {down} x {across} slices does not fit a picture of {shape} pixels")
    return replace(picture, rows=picture.rows // down, cols=picture.cols // across)


def _check_told(count: int | None, told: dict[str, object]) -> None:
    """Refuse a picture that does not tell all that is needed."""
    if missing := [what for what, value in told.items() if not value]:
        raise whole_grid(count, f"the header does not give {', '.join(missing)}")


def _csa(dataset: "Dataset") -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for number in _CSA_HEADERS:
        value = _private(dataset, 0x0029, _CSA_CREATOR, number)[1]
        if isinstance(value, bytes):
            found = {**read_csa(value, (_COUNT, _NORMAL, _B_VALUE)), **found}
    return found


def _items(dataset: "Dataset") -> Sequence[Elements]:
    """What United Imaging says of each slice; nothing where it is not there."""
    tag, value = _private(dataset, 0x0065, UNITED_IMAGING, _UIH_SLICES)
    if value is None:
        return ()
    from pydicom.sequence import Sequence as Items
    from pydicom.values import convert_SQ

    if isinstance(value, bytes) and len(value) > _MAX_ITEMS:
        raise FileError(
            "what it says of its slices is above 256 KiB", "Check the file.", "too-large"
        )
    value = dataset[tag].value
    if isinstance(value, bytes):  # PS3.5 6.2.2: what was of unknown VR is implicit little-endian
        value = convert_SQ(value, True, True)
    return value if isinstance(value, Items) else ()


def _private(dataset: "Dataset", group: int, creator: str, number: int) -> tuple[int, object]:
    """Find an element by who made it, as a file tells it of each block: its tag and its value."""
    for block in _BLOCKS:
        name = getattr(dataset.get_item(group << 16 | block), "value", None)
        if isinstance(name, bytes) and name.decode("latin-1").strip(" \0") == creator:
            tag = group << 16 | block << 8 | number
            return tag, getattr(dataset.get_item(tag), "value", None)
    return 0, None


def _range(array: NDArray[Any]) -> float:
    return float(array.max()) - float(array.min())


def _decimals(texts: Sequence[str]) -> tuple[float, ...]:
    try:
        found = tuple(map(float, texts))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def _whole(texts: Sequence[str]) -> int | None:
    """The count that a CSA header has; None where it has none, or 0."""
    if texts and not (texts[0].isascii() and texts[0].isdecimal() and len(texts[0]) < 7):
        raise broken(f"its CSA header has no usable {_COUNT}")
    return int(texts[0]) or None if texts else None
