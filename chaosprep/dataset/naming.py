"""What the files of a stage directory are called, by which a run knows its own."""

import re
from typing import Literal

from chaosprep.dataset.containers.table import case_of
from chaosprep.dataset.records import Split
from chaosprep.files import PART
from chaosprep.formats.image_file import ImageFormat
from chaosprep.formats.images import IMAGES
from chaosprep.formats.plugged import plugged
from chaosprep.formats.stage_masks import MASK_ENDINGS

Kind = Literal["images", "masks"]
KINDS: tuple[Kind, ...] = ("images", "masks")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9._-]*_s[0-9]{3,}(_a[0-9]{2,})?")
_CASE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_PART = re.compile(rf"\.[0-9a-f]{{32}}{re.escape(PART)}\Z")
_OF_SYSTEM = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.nfs[0-9a-f]+")


def file_path(split: Split, kind: Kind, id: str, ending: str) -> str:
    """Where a stage directory has the image or the mask of a slice."""
    return f"{split}/{kind}/{id}{ending}"


def is_of_slice(kind: Kind, name: str) -> bool:
    """Whether a stage calls an image, a mask or a container so, be it one not whole yet.

    What lies in the folder of a container has the folder's name before its own.
    """
    if name.endswith(PART):
        name = _PART.sub("", name)
    if (case := case_of(name)) is not None:
        return _CASE.fullmatch(case) is not None
    if kind == "masks":
        return any(_is_named(name, ending) for ending in MASK_ENDINGS)
    if any(_is_named(name, one.ending) for one in IMAGES):
        return True
    return any(_is_named(name, one.ending) for one in plugged(ImageFormat))


def _is_named(name: str, ending: str) -> bool:
    return name.endswith(ending) and _ID.fullmatch(name.removesuffix(ending)) is not None


def is_of_system(name: str) -> bool:
    """Whether an operating system leaves files of this name in any folder."""
    return _OF_SYSTEM.fullmatch(name) is not None
