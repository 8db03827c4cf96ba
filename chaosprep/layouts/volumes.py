"""Label volumes: a file, or a folder of them, such as nnU-Net's."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from chaosprep.errors import FileError, about
from chaosprep.files import read_regular
from chaosprep.formats.legend import legend_in, named
from chaosprep.formats.masks import mask_format, read_volume, volume_endings
from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.layouts.dataset_json import read_json
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import (
    BINARY,
    UNNAMED,
    CaseMasks,
    MaskCase,
    MaskSet,
    Organs,
    as_organs,
    in_order,
    name_twice,
    name_values,
)
from chaosprep.series.source import is_litter

SOURCES = "sources.json"
"""Case -> the volume that it was predicted on, as `predict` of raw data writes it."""
_MASKS, _LABELS = "masks", "labels.json"


def _volumes(path: Path) -> list[Path]:
    """The volumes of a folder, or the one that the path is."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    named = (file for file in files if file.name.casefold().endswith(volume_endings()))
    return [file for file in named if not is_litter(file.name)]


def open_volumes(path: Path, reference: MaskSet | None, asked: Organs = ()) -> MaskSet | None:
    """A label volume (NIfTI, NRRD, MetaImage), or a folder of them; None where there is none.

    Args:
        path: the file or folder, or what assemble wrote, of which the folder `masks` counts. A
            `dataset.json` (nnU-Net's), `labels.json` or another legend (`formats.legend`) in the
            folder or the one around it says what the values stand for, unless a file says it
            itself, as a `.seg.nrrd` does.
        reference: the other side, whose labels count where no file says it; without one, the
            values found here are named.
        asked: what is compared; volumes do not need to know.

    Raises:
        ChaosprepError: `labels`, the legend cannot be understood.
        FileError: a volume of the reference cannot be read.
    """
    found = _volumes(path)
    if not found and path.is_dir() and (path / _LABELS).is_file() and (path / _MASKS).is_dir():
        path = path / _MASKS  # what assemble wrote, and predict of raw data
        found = _volumes(path)
    if not found:
        return None
    files = {_stem(file): file for file in found}
    if reference is not None and path.is_file() and reference.path.is_file():
        files = dict.fromkeys(reference.members, path)  # one beside one, whatever their names
    folder = path.parent if path.is_file() else path
    legend = legend_in(folder, folder.resolve().parent)
    values = None if legend is None else named(legend)
    if values is None and reference is not None:
        values = dict(reference.labels)
    own = {file: _told(file) for file in {*files.values()}}
    is_unnamed = values is None and not any(own.values())
    if values is None:
        values = name_values(_values(file for file in files.values() if not own[file]))
    told = {id: own[file] or values for id, file in files.items()}
    meant = _agreed(told.values())
    return MaskSet(
        kind="NIfTI file" if path.is_file() else "folder of NIfTI files",
        in_patients=False,
        path=path,
        members={
            id: MaskCase(id, id, in_order(told[id]), partial(_read, file, told[id]))
            for id, file in files.items()
        },
        organs=tuple(dict.fromkeys(organ for one in told.values() for organ in in_order(one))),
        values=meant,
        labels=meant,
        is_unnamed=is_unnamed,
        is_volumes=True,
        problems=tuple(
            name_twice(stem, stem) for stem, n in Counter(map(_stem, found)).items() if n > 1
        ),
        sources=_sources(path.parent if path.name == _MASKS else path),
    )


def _sources(folder: Path) -> dict[str, str]:
    """What `predict` of volumes wrote of them: case -> the name of its file, without the ending."""
    try:
        told = read_json(folder / SOURCES)
    except FileError:
        return {}
    pairs = told.items() if isinstance(told, dict) else ()
    paths = {id: PurePosixPath(path) for id, path in pairs if isinstance(path, str)}
    endings = volume_endings()
    return {
        id: _stem(Path(path.name))
        for id, path in paths.items()
        if path.name.casefold().endswith(endings)
    }


def _stem(file: Path) -> str:
    endings = (end for end in volume_endings() if file.name.casefold().endswith(end))
    return file.name[: -len(max(endings, key=len))]


def _told(file: Path) -> dict[int, str]:
    """What a file says itself that its values stand for; what cannot be read tells later why."""
    legend = mask_format(file.name).legend
    if legend is None:
        return {}
    try:
        return named(legend(read_regular(file)))
    except FileError:
        return {}


def _agreed(told: Iterable[Mapping[int, str]]) -> dict[int, str]:
    """The values that stand for one organ, whichever file is asked."""
    meant: dict[int, set[str]] = {}
    for value, organ in (pair for one in told for pair in one.items()):
        meant.setdefault(value, set()).add(organ)
    return {value: min(organs) for value, organs in sorted(meant.items()) if len(organs) == 1}


def _values(files: Iterable[Path]) -> set[int]:
    found: set[int] = set()
    for file in files:
        found |= set(np.flatnonzero(np.bincount(_volume(file).voxels.ravel())).tolist())
    return found


def _read(file: Path, values: Mapping[int, str], organs: Organs) -> CaseMasks:
    with about(file.name):
        data = read_regular(file)
        volume = read_volume(file, data)
    lone = None if set(values.values()) == {UNNAMED} else BINARY  # what no file names is any
    voxels = as_organs(volume.voxels, values, organs, file.name, lone)
    is_placed, is_cropped = _lies(file.name, data, volume.lattice)
    return CaseMasks(voxels, lattice=volume.lattice, is_placed=is_placed, is_cropped=is_cropped)


def _lies(name: str, data: bytes, lattice: Lattice) -> tuple[bool, bool]:
    """Whether a file says where its voxels lie, and that it shows nothing beyond them."""
    lies = mask_format(name, data).lies
    try:
        found = lies(data) if lies else None
    except FileError:
        return False, False
    return not lattice.is_identity, found is not None and found.cropped


def _volume(file: Path) -> Volume:
    """A label volume, uint8 or uint16, on its own lattice."""
    with about(file.name):
        return read_volume(file, read_regular(file))


LAYOUT = Layout("volumes", "a NIfTI file or a folder of them", masks=open_volumes)
