"""What the files of a stage directory are called, by which a run knows its own."""

import re
from typing import Literal

from chaosprep.dataset.records import Split
from chaosprep.files import PART
from chaosprep.formats.image_file import ImageFormat
from chaosprep.formats.images import IMAGES
from chaosprep.formats.plugged import plugged

Kind = Literal["images", "masks"]
KINDS: tuple[Kind, ...] = ("images", "masks")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9._-]*_s[0-9]{3,}(_a[0-9]{2,})?")
_PART = re.compile(rf"\.[0-9a-f]{{32}}{re.escape(PART)}\Z")
_OF_SYSTEM = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.nfs[0-9a-f]+")
_MASK = ".png"


def file_path(split: Split, kind: Kind, id: str, ending: str) -> str:
    """Where a stage directory has the image or the mask of a slice."""
    return f"{split}/{kind}/{id}{ending}"


def is_of_slice(kind: Kind, name: str) -> bool:
    """Whether a stage calls an image or a mask so, be it one that is not whole yet."""
    if name.endswith(PART):
        name = _PART.sub("", name)
    if kind == "masks":
        return _is_named(name, _MASK)
    if any(_is_named(name, one.ending) for one in IMAGES):
        return True
    return any(_is_named(name, one.ending) for one in plugged(ImageFormat))


def _is_named(name: str, ending: str) -> bool:
    return name.endswith(ending) and _ID.fullmatch(name.removesuffix(ending)) is not None


def is_of_system(name: str) -> bool:
    """Whether an operating system leaves files of this name in any folder."""
    return _OF_SYSTEM.fullmatch(name) is not None
