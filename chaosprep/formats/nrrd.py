"""NRRD volumes of labels, with Slicer's segments or without (teem.sourceforge.net/nrrd)."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Legend
from chaosprep.formats.legend import check_no_twins, named
from chaosprep.formats.mask_file import Lies, MaskFormat, Opening
from chaosprep.formats.nrrd_header import NrrdHeader, parse
from chaosprep.formats.nrrd_space import directions, lattice_of
from chaosprep.formats.packed import Packing
from chaosprep.formats.slicer_segments import Segmentation, read_segments
from chaosprep.formats.stored import (
    Placed,
    Stored,
    check_sizes,
    name_beside,
    unreadable,
    whole_numbers,
)
from chaosprep.formats.volume_mask import VolumeMask, as_volume
from chaosprep.imaging.space.lattice import Volume

_KINDS = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, "
    "int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPES = {name: code for code, names in _KINDS.items() for name in names.split(", ")}
_PACKINGS: dict[str, Packing | Literal["text"]] = {
    "raw": "raw",
    "gz": "gzip",
    "gzip": "gzip",
    "bz2": "bzip2",
    "bzip2": "bzip2",
    "txt": "text",
    "text": "text",
    "ascii": "text",
}
_ORDERS = {"little": "<", "big": ">"}
_SPATIAL = frozenset(("domain", "space", "none", "???"))  # kinds of axes that may be of space


def read_header(data: bytes) -> tuple[Placed, Segmentation | None]:
    """What a NRRD says of its voxels, and its segments, where it has any.

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (not one volume of numbers, or an encoding that is
            not read), `mask-beside`, `mask-values` (segments that contradict each other),
            `geometry-unknown` or `too-large`.
    """
    header = parse(data)
    try:
        return _understood(header)
    except (LookupError, ValueError, OverflowError):
        raise unreadable("NRRD") from None


def _understood(header: NrrdHeader) -> tuple[Placed, Segmentation | None]:
    stored = _stored(header)
    sizes = stored.sizes
    steps = directions(header, len(sizes))
    axes = _axes(header, sizes) if steps is None else [at for at, step in enumerate(steps) if step]
    others = [at for at in range(len(sizes)) if at not in axes]
    segments = read_segments(header.pairs, len(others) > 0, math.prod(sizes[at] for at in others))
    if segments is not None and len(others) == 1:  # the axis of layers may be of any length
        sizes = tuple(1 if at in others else size for at, size in enumerate(sizes))
    shape = check_sizes("NRRD", sizes, axes)
    spatial = None if steps is None else [steps[at] for at in axes]
    lattice, nowhere = lattice_of(header, shape, spatial, axes)
    return Placed(stored, lattice, tuple(axes), nowhere), segments


def _axes(header: NrrdHeader, sizes: Sequence[int]) -> list[int]:
    """The axes that may be of space by their kinds, where nothing says their directions."""
    kinds = header.fields.get("kinds", "").casefold().split() or ["???"] * len(sizes)
    axes = [at for at in range(len(sizes)) if kinds[at] in _SPATIAL]
    while len(axes) > 3 and sizes[axes[-1]] == 1:
        axes.pop()
    return axes


def _stored(header: NrrdHeader) -> Stored:
    fields = header.fields
    sizes = whole_numbers(fields["sizes"])
    encoding, kind = fields["encoding"].casefold(), " ".join(fields["type"].casefold().split())
    if len(sizes) != int(fields["dimension"]) or not 1 <= len(sizes) <= 16:
        raise ValueError
    if kind not in _TYPES or encoding not in _PACKINGS:
        raise FileError(
            "a NRRD whose type or encoding is not read here",
            "Save it as whole numbers, with the encoding raw or gzip.",
            code="mask-kind",
        )
    code, packing = _TYPES[kind], _PACKINGS[encoding]
    order = "<"
    if code[1] != "1" and packing != "text":
        order = _ORDERS[fields["endian"].casefold()]
    lines, skip = (int(fields.get(name, "0")) for name in ("lineskip", "byteskip"))
    if not (0 <= lines <= 10**6 and -1 <= skip <= 2**40):
        raise ValueError
    return Stored(
        what="NRRD",
        sizes=sizes,
        kind=np.dtype(order + code),
        packing=packing,
        begin=header.begin,
        beside=name_beside(fields["datafile"]) if "datafile" in fields else None,
        lines=lines,
        skip=skip,
    )


def nrrd_mask(opening: Opening) -> VolumeMask:
    """A NRRD laid on images; where it has segments, their labels.

    Raises:
        FileError: what `read_header`, `Stored.read` and `VolumeMask` raise, `mask-names` (several
            segments have one), or `mask-grid` where it does not say where it lies.
    """
    placed, segments = read_header(opening.data)
    if segments is None:
        return placed.mask(opening)
    placed.check_placed()
    wanted = segments.only(opening.takes)
    names = named(wanted.legend)
    check_no_twins(names.values(), opening.may_say, "a name")
    return VolumeMask(
        opening.images,
        placed.lattice,
        partial(placed.layers, opening.file, opening.data),
        names=names,
        paint=wanted.paint,
        overlaps=wanted.overlaps,
        cropped=wanted.cropped,
    )


def nrrd_volume(file: Path, data: bytes) -> Volume:
    """The labels of a NRRD, uint8 or uint16 (slices, rows, cols), on its own lattice.

    Raises:
        FileError: what `read_header`, `Stored.read` and `as_volume` raise, or `mask-overlap` where
            segments lie on one voxel.
    """
    placed, segments = read_header(data)
    if segments is None:
        return placed.volume(file, data)

    def painted() -> NDArray[np.uint16]:
        layers = placed.layers(file, data)
        return np.stack([segments.paint(layers[:, :, at]) for at in range(layers.shape[2])], axis=2)

    volume = as_volume(placed.lattice, painted)
    segments.check_apart()
    return volume


def nrrd_legend(data: bytes) -> Legend:
    """What the values stand for, by the segments of the header; none without any.

    Raises:
        FileError: what `read_header` raises.
    """
    segments = read_header(data)[1]
    return {} if segments is None else segments.legend


def nrrd_place(data: bytes) -> Lies:
    """Where the voxels lie, by the header.

    Raises:
        FileError: what `read_header` raises, or `mask-grid` where it does not say it.
    """
    placed, segments = read_header(data)
    placed.check_placed()
    return Lies(placed.lattice, cropped=segments is not None and segments.cropped)


def _beside(data: bytes) -> tuple[str, ...]:
    name = read_header(data)[0].stored.beside
    return () if name is None else (name,)


_ENDINGS = (".seg.nrrd", ".nrrd", ".seg.nhdr", ".nhdr")
NRRD = MaskFormat(
    name="NRRD",
    endings=_ENDINGS,
    knows=lambda path, data: path.casefold().endswith(_ENDINGS),
    of_series=nrrd_mask,
    volume=nrrd_volume,
    legend=nrrd_legend,
    beside=_beside,
    lies=nrrd_place,
)
