"""A slice as the members of a tar file that make one sample of WebDataset, and back.

WebDataset takes a member's name up to its first dot as the sample's key, the rest as the field:
https://github.com/webdataset/webdataset.
"""

import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError, ManifestError
from chaosprep.exports.rows import OBJECTS, plain_row

ROW = "json"
IMAGES = ("image.png", "image.npy")
MASKS = ("mask.png", "mask.npy")
END = TAR.end((), b"")
"""What closes a tar file."""

_HASHES = ("image_sha256", "mask_sha256")
_AGAIN = "Export the dataset again."


def key(row: Slice) -> str:
    """The sample's key: the slice id with `~`, which no id holds, for each dot."""
    return row.id.replace(".", "~")


def values(row: Slice) -> dict[str, Any]:
    """What the sample's JSON tells: the row without paths, each column of one plain type."""
    told = plain_row(row)
    del told["source"]
    return {"split": row.split, **told, **{name: getattr(row, name) for name in _HASHES}}


def encoded(row: Slice, columns: Collection[str]) -> bytes:
    """The sample's JSON, of these columns alone."""
    return msgspec.json.encode({k: v for k, v in values(row).items() if k in columns})


def names(row: Slice) -> list[str]:
    """The names of the sample's members, in their order: image, row, mask."""
    masks = [] if row.mask is None else [f"mask{Path(row.mask).suffix}"]
    fields = [f"image{Path(row.image).suffix}", ROW, *masks]
    return [f"{key(row)}.{field}" for field in fields]


def contents(case: Case, row: Slice, columns: Collection[str]) -> Iterator[bytes]:
    """The bytes of the sample's members, in the order of `names`.

    Raises:
        FileError: what `Case.read` raises.
    """
    yield case.read(row.image_file)
    yield encoded(row, columns)
    if row.mask_file is not None:
        yield case.read(row.mask_file)


def in_tar(name: str, data: bytes) -> bytes:
    """A member as it stands in a tar file: nobody's, of no date."""
    return TAR.before(name, len(data)) + data + TAR.after(len(data))


def size(row: Slice, told: dict[str, Any]) -> int:
    """How many bytes the sample takes in a tar file, at most; `told` is `values` of the row."""
    sizes = [row.image_bytes, len(msgspec.json.encode(told)), row.mask_bytes or 0]
    return sum(map(_in_tar, names(row), sizes))


def _in_tar(name: str, length: int) -> int:
    """The bytes of a member of this length: a name that a header cannot hold has blocks itself."""
    block = tarfile.BLOCKSIZE
    head = block if len(name) <= tarfile.LENGTH_NAME else len(in_tar(name, b""))
    return head + -(-length // block) * block


def file_fields(members: Collection[str]) -> tuple[str | None, str | None]:
    """The fields of a sample's image and mask."""
    image, mask = (next((one for one in some if one in members), None) for some in (IMAGES, MASKS))
    return image, mask


def row_of(members: dict[str, bytes]) -> Slice:
    """The row that a sample's members tell, field -> bytes; its paths are those of a stage.

    Raises:
        FileError: `sample`, they are none of a sample of `export webdataset`.
    """
    image, mask = file_fields(members)
    try:
        told = msgspec.json.decode(members[ROW], type=dict[str, Any])
        for name in OBJECTS:
            if name in told:
                told[name] = msgspec.json.decode(told[name])
        told["warnings"] = [told["warnings"]] if told.get("warnings") else []
        place = f"{told['split']}/{{}}/{told['id']}"
        if image is None or (mask is None) == (told.get("mask_sha256") is not None):
            raise KeyError(image)
    except (KeyError, TypeError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        reason = "a sample is not in the form that export webdataset writes"
        raise FileError(reason, _AGAIN, code="sample") from error
    told |= {"image": place.format("images") + Path(image).suffix, "source": told["id"]}
    told["image_bytes"] = len(members[image])
    if mask is not None:
        told |= {"mask": place.format("masks") + Path(mask).suffix}
        told["mask_bytes"] = len(members[mask])
    try:
        return decode_row(msgspec.json.encode(told))
    except ManifestError as error:
        raise FileError(f"a sample's row: {error.reason}", _AGAIN, code="sample") from error
