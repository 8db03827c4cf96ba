"""MetaImage volumes of labels (.mha, .mhd), as ITK reads and writes them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import Lies, MaskFormat
from chaosprep.formats.stored import (
    MOST_HEADER,
    Placed,
    Stored,
    check_sizes,
    name_beside,
    unreadable,
    whole_numbers,
)
from chaosprep.formats.volume_mask import without_size
from chaosprep.imaging.space.lattice import Lattice

_WHAT = "MetaImage"
# MetaIO's metaTypes.h; a MET_LONG has 4 bytes there on any machine.
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
# metaObject.cxx and metaImage.cxx: other names of one field.
_SYNONYMS = {
    "Rotation": "TransformMatrix",
    "Orientation": "TransformMatrix",
    "Position": "Offset",
    "Origin": "Offset",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}
_LAST = "ElementDataFile"
_USED = frozenset(
    (
        "ObjectType",
        "NDims",
        "BinaryData",
        "BinaryDataByteOrderMSB",
        "CompressedData",
        "CompressedDataSize",
        "TransformMatrix",
        "Offset",
        "CenterOfRotation",
        "ElementSpacing",
        "ElementSize",
        "DimSize",
        "HeaderSize",
        "ElementNumberOfChannels",
        "ElementType",
        "ElementDataFile",
    )
)


def read_header(data: bytes) -> Placed:
    """What a MetaImage says of its voxels: places are DICOM's (LPS), as ITK takes them.

    Consecutive numbers of its TransformMatrix are the direction of one axis. What it calls
    AnatomicalOrientation is said of the same numbers, and programs differ in its meaning.

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (not one volume of numbers), `mask-beside`,
            `geometry-unknown` or `too-large`.
    """
    fields, begin = _fields(data)
    try:
        stored = _stored(fields, begin)
        count = len(stored.sizes)
        axes = [at for at in range(count) if at < 3 or stored.sizes[at] > 1]
        shape = check_sizes(_WHAT, stored.sizes, axes)
        return Placed(stored, *_lattice(fields, shape, count))
    except (LookupError, ValueError, OverflowError):
        raise unreadable(_WHAT) from None


def _fields(data: bytes) -> tuple[dict[str, str], int]:
    """The fields up to the one that names the voxels' file, and the byte behind it."""
    fields: dict[str, str] = {}
    begin = 0
    while _LAST not in fields:
        end = data.find(b"\n", begin, MOST_HEADER)
        if end < 0 and len(data) > MOST_HEADER:
            raise unreadable(_WHAT)
        end = len(data) if end < 0 else end
        name, sign, value = data[begin:end].decode("utf-8", "replace").partition("=")
        name = _SYNONYMS.get(name.strip(), name.strip())
        begin = end + 1
        if not sign and end == len(data):
            raise unreadable(_WHAT)
        if name in fields and name in _USED:
            raise unreadable(_WHAT)
        fields[name] = value.strip()
    return fields, begin


def _stored(fields: Mapping[str, str], begin: int) -> Stored:
    sizes = whole_numbers(fields["DimSize"])
    if len(sizes) != int(fields["NDims"]) or fields.get("ObjectType", "Image") != "Image":
        raise ValueError
    if fields["ElementType"] not in _TYPES or int(fields.get("ElementNumberOfChannels", "1")) != 1:
        raise FileError(
            "a MetaImage with other than one real number a voxel",
            "Save it with one whole number, from 0 to 65535, for each organ.",
            code="mask-kind",
        )
    order = ">" if _says(fields, "BinaryDataByteOrderMSB") else "<"
    name = fields[_LAST]
    is_local = name.casefold() == "local"
    skip = int(fields.get("HeaderSize", "0"))
    if skip < -1 or skip > 2**40 or (is_local and skip):
        raise ValueError
    compressed, binary = _says(fields, "CompressedData"), _says(fields, "BinaryData", "True")
    packed = int(fields.get("CompressedDataSize", "0")) if compressed else 0
    if packed < 0 or (compressed and (skip or not binary)):
        raise ValueError
    return Stored(
        what=_WHAT,
        sizes=sizes,
        kind=np.dtype(order + _TYPES[fields["ElementType"]]),
        packing="zlib" if compressed else "raw" if binary else "text",
        begin=begin if is_local else 0,
        beside=None if is_local else name_beside(name),
        skip=skip,
        packed=packed or None,
    )


def _says(fields: Mapping[str, str], name: str, untold: str = "False") -> bool:
    """Whether a field is true, by its first letter as MetaIO takes it."""
    return fields.get(name, untold)[:1] in ("T", "t", "1")


def _lattice(
    fields: Mapping[str, str], shape: tuple[int, int, int], count: int
) -> tuple[Lattice, tuple[int, ...], str | None]:
    """Where the voxels lie, the axes of space, and why that is nowhere in the patient."""
    spacing = _numbers(fields, ("ElementSpacing", "ElementSize"), count)
    if spacing is None or not all(0 < length < math.inf for length in spacing[:3]):
        raise without_size()
    offset = _numbers(fields, ("Offset",), count)
    turn = _numbers(fields, ("TransformMatrix",), count * count)
    centre = _numbers(fields, ("CenterOfRotation",), count)
    axes = np.eye(count) if turn is None else turn.reshape(count, count)
    if centre is not None and centre.any() and not np.array_equal(axes, np.eye(count)):
        raise FileError(
            "it is turned around a CenterOfRotation that is not 0 0 0, and not every program does "
            "that",
            "Save it with a CenterOfRotation of 0 0 0.",
            code="geometry-unknown",
        )
    if offset is None:
        return Lattice(shape, np.zeros(3), np.diag(spacing[:3])), (0, 1, 2), "it has no Offset"
    return Lattice(shape, offset[:3], axes[:3, :3].T * spacing[:3]), (0, 1, 2), None


def _numbers(
    fields: Mapping[str, str], names: tuple[str, ...], count: int
) -> NDArray[np.float64] | None:
    """The numbers of the first of some fields that is there."""
    for name in names:
        if name in fields:
            found: NDArray[Any] = np.array([float(one) for one in fields[name].split()])
            if found.size != count:
                raise ValueError
            return found
    return None


def _place(data: bytes) -> Lies:
    placed = read_header(data)
    placed.check_placed()
    return Lies(placed.lattice)


def _beside(data: bytes) -> tuple[str, ...]:
    name = read_header(data).stored.beside
    return () if name is None else (name,)


_ENDINGS = (".mha", ".mhd")
METAIMAGE = MaskFormat(
    name="MetaImage",
    endings=_ENDINGS,
    knows=lambda path, data: path.casefold().endswith(_ENDINGS),
    of_series=lambda opening: read_header(opening.data).mask(opening),
    volume=lambda file, data: read_header(data).volume(file, data),
    beside=_beside,
    lies=_place,
)
