"""One image and its mask from anywhere: size, mode, levels; nothing in them is believed."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError, Problem
from chaosprep.files import open_regular, sha256
from chaosprep.formats.images import image_format
from chaosprep.formats.masks import read_plane
from chaosprep.formats.pictures import PICTURES, read_picture
from chaosprep.imaging.levels import Level, mask_levels, rim
from chaosprep.imaging.limits import MAX_BYTES, MAX_PIXELS, size_text
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.foreign.said import Said, against_said

MAX_LABELS = 32
"""A mask of more levels is not a label map."""

MAX_RIM = 0.8
"""Share of rim in a mask beyond which nothing is left to be the rim of: it is a picture."""

_REMEDIES = {
    "file-unlisted": "Give it a line, or move it out of the folder.",
    "hash": "Bring back the file that was hashed.",
    "line-unnamed": "Write the path of an image into it, or remove the line.",
    "line-twice": "Keep one of the lines.",
    "path-outside": "Copy the file in, and write its path relative to the folder of the table.",
    "sides-differ": "Move the pair, or correct the table: programs take one or the other.",
    "colour": "Save it as a grey image of one channel.",
    "grey-rim": "Make the mask again and resize it by nearest neighbour only.",
    "image-constant": "Export the image again, or leave the pair out.",
    "mask-colour": "Save the mask as a grey image that holds one number per organ.",
    "mask-empty": "Check that the organ is not on this slice, or that its grey level was right.",
    "mask-full": "Export the mask again: background is missing.",
    "mask-levels": "Save the mask as PNG with one number per organ, 0 for background.",
    "mask-lossy": "Export the mask again as PNG.",
    "mask-missing": "Bring back its mask, or remove the image.",
    "mask-surplus": "Bring back its image, or remove the mask.",
    "name-twice": "Keep one of them.",
    "no-masks": "Bring back the masks, or leave this side as images to predict on.",
    "table-apart": "Write paths that start from the folder of the table, so that it is compared.",
    "size": "Export the pair again from one grid.",
}


@dataclass(frozen=True)
class Pair:
    """An image and its mask, relative to `root`; `side` is empty where there is no split.

    `said` is what a table says of them; ``again`` are other masks of an image that stands before.
    """

    root: str
    id: str
    side: str
    image: str
    mask: str | None
    said: Said = Said()  # noqa: RUF009 - it is frozen
    patient: str = ""
    again: bool = False


@dataclass(kw_only=True)
class Looked(Findings):
    """What a pair showed by itself.

    `shape` is (rows, cols) of its image, `ends` its smallest and its largest value, `bits` those of
    its dtype. `empty` is whether its mask is, None where there is none.
    """

    pair: Pair
    shape: tuple[int, int] | None = None
    ends: tuple[float, float] | None = None
    bits: int = 0
    levels: dict[float, Level] | None = None
    empty: bool | None = None

    def note(self, code: str, file: str | None, reason: str) -> None:
        """Add a problem: a fault, but for codes of oddities."""
        found = self.warnings if code == "colour" else self.faults
        found.append(problem(code, self.pair.id, file, reason))


def problem(code: str, id: str, file: str | None, reason: str) -> Problem:
    """A problem with the remedy that its code has."""
    return Problem(code=code, id=id, file=file, reason=reason, remedy=_REMEDIES.get(code, ""))


def look(pair: Pair) -> Looked:
    """Check a pair by itself, and take its fingerprint."""
    looked = Looked(pair=pair)
    image = opened(looked, pair.image, "image")
    mask = opened(looked, pair.mask, "mask") if pair.mask else None
    if not pair.again:
        _look_at_image(looked, image)
    if mask is not None:
        _look_at_mask(looked, image, mask)
    return looked


def _look_at_image(looked: Looked, image: NDArray[Any] | None) -> None:
    pair = looked.pair
    if image is not None:
        looked.shape, looked.bits = (image.shape[0], image.shape[1]), 8 * image.dtype.itemsize
        looked.ends = float(image.min()), float(image.max())
    if image is not None and image.min() == image.max():
        looked.note("image-constant", pair.image, f"all pixels of the image are {image.flat[0]}")
    if image is not None and pair.said.size not in (None, image.shape):
        said = size_text(pair.said.size or ())
        reason = f"the image is {size_text(image.shape)}, the table says {said}"
        looked.note("size", pair.image, reason)
    place = pair.id, pair.patient, pair.side, pair.image
    looked.seen.append(Seen.of(image, place, with_picture=bool(pair.side)))


def _look_at_mask(looked: Looked, image: NDArray[Any] | None, mask: NDArray[Any]) -> None:
    file = looked.pair.mask
    if image is not None and image.shape != mask.shape:
        reason = f"the mask is {size_text(mask.shape)}, its image {size_text(image.shape)}"
        looked.note("size", file, reason)
    for error in against_said(mask, looked.pair.said):
        looked.faults.append(Problem.of(error, looked.pair.id, file))
    looked.empty = not mask.any()
    if looked.empty:
        return
    if mask.all():
        looked.note("mask-full", file, "the mask covers everything, no pixel is 0")
    else:
        looked.levels = mask_levels(mask)
        if looked.levels is None:
            reason = "the mask holds fractions or hundreds of levels, so it is not a label map"
            looked.note("mask-levels", file, reason)


def level_faults(looked: Sequence[Looked]) -> Iterator[Problem]:
    """Name the masks with grey rims: levels that are a label nowhere, between two that are.

    A label is a level that fills a block of 3 x 3 pixels in any of the masks; an interpolated
    rim is too thin for that, and lies between the levels on its two sides.
    """
    masks = [(one, one.levels) for one in looked if one.levels is not None]
    labels = {value for _, levels in masks for value, level in levels.items() if level.solid}
    for one, levels in masks:
        blurred = rim(levels, labels)
        pixels, all_pixels = (sum(v.pixels for v in of.values()) for of in (blurred, levels))
        if len(levels) - len(blurred) > MAX_LABELS or pixels > MAX_RIM * all_pixels:
            reason = f"the mask holds {len(levels)} levels besides 0, so it is not a label map"
            yield problem("mask-levels", one.pair.id, one.pair.mask, reason)
        elif blurred:
            shown = ", ".join(f"{value:g}" for value in sorted(blurred)[:8])
            reason = (
                f"{pixels} pixels between two labels hold neither (levels {shown}"
                f"{', ...' if len(blurred) > 8 else ''}): the mask was interpolated"
            )
            yield problem("grey-rim", one.pair.id, one.pair.mask, reason)


def opened(looked: Looked, path: str, kind: str) -> NDArray[Any] | None:
    """A file's pixels (rows, cols), what is odd about it noted; None where it cannot be used."""
    try:
        data = _read(Path(looked.pair.root) / path)
        said = looked.pair.said.hashes[kind == "mask"]
        if said is not None and said != sha256(data):
            looked.note("hash", path, "its bytes do not have the hash that the table records")
        if not path.casefold().endswith(PICTURES):
            known = image_format(path, data)
            return known.open(data, MAX_PIXELS).read()[1] if known else read_plane(path, data)
        picture = read_picture(data)
    except FileError as error:
        looked.faults.append(Problem.of(error, looked.pair.id, path))
        return None
    if kind == "mask" and picture.lossy:
        looked.note("mask-lossy", path, "the mask is a JPEG, whose levels are not exact")
        return None
    grey = picture.grey
    if kind == "mask" and grey is None:
        looked.note("mask-colour", path, f"the mask is in colour ({picture.mode})")
        return None
    if picture.stored_as:
        looked.note("colour", path, f"the {kind} is {picture.stored_as}, grey was expected")
    return picture.pixels[..., :3].mean(axis=-1) if grey is None else grey


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= MAX_BYTES:
            return file.read()
    reason = f"the file is above the limit of {MAX_BYTES >> 20} MiB"
    raise FileError(reason, "Check the file; a slice is never that large.", "too-large")
