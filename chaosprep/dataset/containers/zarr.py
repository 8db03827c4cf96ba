"""Zarr containers: one array (slices, rows, cols), in which every slice is an npy file as well.

Its shard holds the npy files as they are, and behind them the index that Zarr wants, which tells
where in each the array begins: unused space between chunks is allowed (Zarr v3, codec
`sharding_indexed` 1.0, "Binary shard format"). So a slice is one seek and one read, here as there.
"""

import struct
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.records import File

METADATA = "zarr.json"
_SHARD = "c.0.0.0"  # the only one: chunk keys of the encoding `default` with the separator `.`
_HEAD = 4096  # bytes: an npy header of numpy has 128
_TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)


def _takes(first: bytes, head: bytes, size: int) -> bool:
    """Whether a file is a slice as the first one is: one header, and of one size."""
    from chaosprep.formats.npy import layout_of

    told = layout_of(head)
    if told is None or told.dtype.name not in _TYPES:
        return False
    rows, cols = told.shape
    is_whole = size == told.start + rows * cols * told.dtype.itemsize
    return is_whole and (not first or first[: told.start] == head[: told.start])


def _index(files: Sequence[File], head: bytes) -> bytes:
    """Where each chunk begins, and how many bytes it has."""
    _, _, start = _layout(head)
    return b"".join(struct.pack("<QQ", one.offset + start, one.bytes - start) for one in files)


def _metadata(files: Sequence[File], head: bytes) -> bytes:
    """The array's `zarr.json`; its attribute `ids` are the slices, in the order of the array."""
    shape, dtype, _ = _layout(head)
    name = dtype.name
    zero: object = False if name == "bool" else 0.0 if name.startswith("float") else 0
    whole = [len(files), *shape]
    endian = "big" if dtype.byteorder == ">" else "little"
    told = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": whole,
        "data_type": name,
        "chunk_grid": _named("regular", chunk_shape=whole),
        "chunk_key_encoding": _named("default", separator="."),
        "fill_value": zero,
        "codecs": [
            _named(
                "sharding_indexed",
                chunk_shape=[1, *shape],
                codecs=[{"name": "bytes"} if dtype.itemsize == 1 else _bytes(endian)],
                index_codecs=[_bytes("little")],
                index_location="end",
            )
        ],
        "attributes": {
            "ids": [one.path.rpartition("/")[2].removesuffix(".npy") for one in files],
        },
        "dimension_names": ["slices", "rows", "cols"],
    }
    return msgspec.json.encode(told)


def _layout(head: bytes) -> tuple[tuple[int, ...], Any, int]:
    from chaosprep.formats.npy import layout_of

    told = layout_of(head)
    assert told is not None, "`_takes` has seen it"
    return told


def _bytes(endian: str) -> dict[str, object]:
    return _named("bytes", endian=endian)


def _named(name: str, **configuration: object) -> dict[str, object]:
    return {"name": name, "configuration": configuration}


def _as_array(path: str, data: bytes) -> tuple[str, bytes]:
    from chaosprep.formats.stage_masks import as_array

    return as_array(path, data)


def _nothing(*of: object) -> bytes:
    return b""


ZARR = Container(
    f".zarr/{_SHARD}",
    before=_nothing,
    after=_nothing,
    end=_index,
    beside=MappingProxyType({METADATA: _metadata}),
    head=_HEAD,
    takes=_takes,
    other=TAR,
    as_array=_as_array,
)
