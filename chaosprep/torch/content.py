"""What a checkpoint holds: its hash, and whether it can be what a network was trained to."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import torch

_STORED = zipfile.ZIP_STORED  # as torch writes it: what it unpacks to is no more than the file
_Plain = bool | int | float | str | None


def content_hash(content: Mapping[str, Any]) -> str:
    """The SHA-256 of nested dicts, lists and tuples of tensors and plain values.

    Each value gives a line: its keys, and for a tensor dtype, shape and the SHA-256 of its values
    in row order (little endian), for another value its type and `repr`. The hash is that of the
    lines in sorted order, so the order of keys does not matter, nor where in a file values lie.

    Raises:
        ValueError: it holds something else.
    """
    lines = sorted(f"{keys} {value}\n" for keys, value in _lines("", content))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def check_unpacked(data: bytes) -> None:
    """Check a zip archive's CRCs, and that it unpacks to no more than its own size.

    Raises:
        ValueError: it does not.
    """
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        is_packed = any(one.compress_type != _STORED for one in members)
        if is_packed or sum(one.file_size for one in members) > len(data):
            raise ValueError("packed")
        if archive.testzip() is not None:
            raise ValueError("damaged")


def check_tensors(content: Mapping[str, Any], most: int) -> None:
    """Check that `weights` are finite tensors by name, and all tensors no more bytes than `most`.

    A view can repeat a few bytes without end.

    Raises:
        ValueError: they are not.
    """
    tensors = list(_tensors(content))
    if not all(map(_is_plain, tensors)):
        raise ValueError("tensors")
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors) > most:
        raise ValueError("tensors")
    weights = content["weights"]
    if not isinstance(weights, dict) or not weights:
        raise ValueError("weights")
    for name, tensor in weights.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ValueError("weights")
        if not torch.isfinite(tensor).all():
            raise ValueError("not finite")


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(inner)


def _is_plain(tensor: torch.Tensor) -> bool:
    is_dense = tensor.layout == torch.strided and not tensor.is_meta
    return is_dense and not tensor.is_quantized and not tensor.is_complex()


def _lines(keys: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield keys, f"{len(value)} keys"
        for key, inner in value.items():
            yield from _lines(f"{keys}/{key!r}", inner)
    elif isinstance(value, list | tuple):
        yield keys, f"{len(value)} values"
        for at, inner in enumerate(value):
            yield from _lines(f"{keys}/{at}", inner)
    elif isinstance(value, torch.Tensor):
        if not _is_plain(value):
            raise ValueError("tensor")
        held = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        digest = hashlib.sha256(held).hexdigest()
        yield keys, f"{value.dtype} {tuple(value.shape)} {digest}"
    elif isinstance(value, _Plain):
        yield keys, f"{type(value).__name__} {value!r}"
    else:
        raise ValueError("value")
