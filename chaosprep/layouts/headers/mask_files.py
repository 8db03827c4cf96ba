"""The files that may be masks: SEG, structure sets and volumes, below a root or in a folder."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from chaosprep.errors import FileError, UsageError
from chaosprep.files import read_regular, read_start, real
from chaosprep.formats.mask_file import Lies
from chaosprep.formats.masks import mask_format, read_volume, volume_endings
from chaosprep.formats.stored import MOST_HEADER
from chaosprep.layouts.headers.catalog import Catalog, make_catalog
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.layout import Where
from chaosprep.series.pairing import natural_key

_HEADER = 2**16  # bytes that hold most headers
_IMAGES = ("mask-kind", "mask-values", "too-large")  # codes of what is not a label map
_FEW = 16  # values that no image has as few of
_ALIKE = 0.6  # of neighbours: in a label map most voxels have the value of the next one


@dataclass(frozen=True)
class MaskFiles:
    """The files that may be masks, in natural order; paths are relative to the root.

    ``objects`` are SEG and structure sets, ``volumes`` say themselves where their voxels lie.
    ``outside`` is the folder that they are in where that is not below the root, relative to it. A
    person ``said`` that they are masks.
    """

    objects: tuple[Entry, ...]
    volumes: tuple[str, ...]
    outside: str = ""
    said: bool = False


def list_masks(root: Path, catalog: Catalog, where: Where) -> MaskFiles:
    """The files below a root that may be masks; where a folder of masks is given, those in it.

    Raises:
        UsageError: the folder is not there, or holds no mask.
        ChaosprepError: a folder cannot be listed.
    """
    if where.masks is None:
        return MaskFiles(_objects(catalog.masks), _volumes(catalog.others))
    folder = _folder(root, where.masks)
    outside = ""
    entries: Iterable[Entry] = (*catalog.masks, *catalog.others)
    if real(folder).is_relative_to(real(root)):
        below = real(folder).relative_to(real(root)).as_posix()
    else:
        bench = where.bench
        bench = msgspec.structs.replace(bench, name=f"{bench.name}-masks") if bench.name else bench
        below = outside = os.path.relpath(real(folder), real(root)).replace(os.sep, "/")
        found = make_catalog(read_index(folder, bench))
        entries = _moved((*found.masks, *found.others), below)
    here = [one for one in entries if _is_in(one.path, below)]
    files = MaskFiles(_objects(here), _volumes(here), outside, said=True)
    if not (files.objects or files.volumes):
        raise UsageError(
            f"--masks: no mask in {where.masks} says what it was drawn on",
            "Give a folder of DICOM SEG, RTSTRUCT, NIfTI, NRRD or MetaImage; for pictures, say "
            "where images and masks are: --images and --masks with {patient} and {slice}.",
            code="nothing",
        )
    return files


def _folder(root: Path, text: str) -> Path:
    """The folder that is meant: one below the root, as patterns of masks are, or any other."""
    if "{" in text:
        raise UsageError(
            "--masks: a pattern needs --images as well",
            "Give a folder: their headers say what masks were drawn on.",
            code="pattern",
        )
    places = [place for place in (root / text, Path(text)) if place.is_dir()]
    if len({real(place) for place in places}) > 1:
        raise UsageError(
            f"--masks: {text} is a folder below ROOT, and also a different one here",
            "Give its full path, starting with /.",
            code="root",
        )
    if not places:
        raise UsageError(f"--masks: there is no folder {text}", "Check the path.", code="root")
    return places[0]


def _moved(entries: Iterable[Entry], folder: str) -> list[Entry]:
    return [msgspec.structs.replace(one, path=f"{folder}/{one.path}") for one in entries]


def _is_in(path: str, folder: str) -> bool:
    return folder == "." or path.startswith(f"{folder}/")


def _objects(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    masks = (one for one in entries if one.kind == "mask")
    return tuple(sorted(masks, key=lambda entry: natural_key(entry.path)))


def _volumes(entries: Iterable[Entry]) -> tuple[str, ...]:
    endings = volume_endings()
    paths = (one.path for one in entries if one.kind == "foreign")
    return tuple(sorted((p for p in paths if p.casefold().endswith(endings)), key=natural_key))


def read_place(root: Path, path: str) -> Lies:
    """Where a volume says that its voxels lie, by its header.

    Raises:
        FileError: what `read_start` and its format raise.
    """
    lies = mask_format(path).lies
    assert lies is not None, "volumes say where they lie"
    try:
        return lies(read_start(root / path, _HEADER))
    except FileError:
        return lies(read_start(root / path, MOST_HEADER))


def is_label_map(root: Path, path: str) -> bool:
    """Whether the voxels of a file are labels, not grey values: what names its values is one.

    Labels are whole numbers; of more than a few, most voxels have the value of the next one.

    Raises:
        FileError: the file cannot be read.
    """
    data = read_regular(root / path)
    known = mask_format(path)
    try:
        if known.legend is not None and known.legend(data):
            return True
        voxels = read_volume(root / path, data).voxels
    except FileError as error:
        if error.code in _IMAGES:
            return False
        raise
    values = np.zeros(np.iinfo(voxels.dtype).max + 1, bool)
    for plane in voxels:  # all at once would take many times the volume
        values[plane] = True
    if np.count_nonzero(values) <= _FEW:
        return True
    alike = among = 0
    for plane in voxels:
        shown, following = plane[:, :-1], plane[:, 1:]
        inside = (shown > 0) & (following > 0)
        alike += int(np.count_nonzero((shown == following) & inside))
        among += int(np.count_nonzero(inside))
    return alike >= _ALIKE * among
