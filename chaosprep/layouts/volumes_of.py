"""Files of several volumes: how many there are, and which frames are whose."""

from pathlib import Path

import msgspec

from chaosprep.errors import FileError
from chaosprep.files import read_start, real
from chaosprep.formats.images import is_named_whole, volumes_in
from chaosprep.formats.stored import MOST_HEADER
from chaosprep.series.source import SourceCase

_START = 2**15  # bytes: most headers are shorter


def frames_of_volumes(path: Path) -> tuple[tuple[int, ...], ...]:
    """The frames of each volume of an image file, by its header; none where it cannot be told.

    Frame ``volume * slices + k`` is slice k of a volume. DICOM files are not opened.
    """
    if path.suffix.casefold() == ".dcm" or not is_named_whole(path.name):
        return ()
    try:
        found = (volumes_in(path.name, read_start(path, size)) for size in (_START, MOST_HEADER))
        return next(filter(None, found), ())
    except FileError:
        return ()  # whoever reads it says why


def each_volume(case: SourceCase) -> tuple[SourceCase, ...]:
    """A case for each volume of a case's only image file: `P001_series-1`, `P001_series-2`, ... .

    The case itself where there is one volume, or where the file is a link out of its root.
    """
    root = real(Path(case.root))
    file = real(root / case.images[0])
    if len(case.images) > 1 or not file.is_relative_to(root):
        return (case,)
    volumes = frames_of_volumes(file)
    if len(volumes) < 2:
        return (case,)
    return tuple(
        msgspec.structs.replace(
            case,
            id=f"{case.id}-{number}",
            sequence=f"{case.sequence}-{number}",
            frames={case.images[0]: frames},
        )
        for number, frames in enumerate(volumes, 1)
    )
