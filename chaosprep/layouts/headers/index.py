"""The headers of all files below a root, read once."""

import os
from collections.abc import Iterator
from pathlib import Path

from chaosprep.errors import FileError
from chaosprep.files import read_regular
from chaosprep.formats.dicom.file import DICOM
from chaosprep.formats.dicom.reading import describe, is_dicom
from chaosprep.formats.images import read_head
from chaosprep.imaging.header import Header
from chaosprep.layouts.headers.head import Entry, Head, Refers
from chaosprep.layouts.headers.refers import read_refers
from chaosprep.layouts.root import listing
from chaosprep.series.source import is_litter
from chaosprep.workbench import Workbench

_MASKS = ("segmentation", "RT structure set")


def read_index(root: Path, bench: Workbench) -> tuple[Entry, ...]:
    """An entry for each file below a root, by path.

    Raises:
        ChaosprepError: a folder cannot be listed.
    """
    with listing():
        return tuple(_entry(root, path) for path in sorted(_files(root)))


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_litter(name)]
        for name in names:
            if not is_litter(name):
                yield Path(folder, name).relative_to(root).as_posix()


def _entry(root: Path, path: str) -> Entry:
    status = (root / path).stat()
    said = (path, status.st_size, status.st_mtime_ns)
    try:
        data = read_head(root / path)
    except FileError as error:
        return Entry(*said, "unreadable", error.code)
    if not is_dicom(data):
        return Entry(*said, "foreign")
    headers: tuple[Header, ...] = ()
    failed = ""
    try:
        headers = DICOM.open(data, 2**30).headers()
    except FileError as error:
        failed = error.code
    evidence = dict(headers[0].evidence) if headers else describe(data)[0]
    assert DICOM.beside is not None
    other = DICOM.beside(data, headers)
    if other is not None:
        kind = "mask" if other.what in _MASKS else "beside"
        refers = _refers(root / path) if kind == "mask" else None
        return Entry(*said, kind, other.what, (), evidence, refers)  # type: ignore[arg-type]
    if not headers:
        return Entry(*said, "unreadable", failed, evidence=evidence)
    several = len(headers) > 1
    heads = tuple(_head(path, n if several else None, one) for n, one in enumerate(headers))
    return Entry(*said, "image", heads=heads)


def _refers(file: Path) -> Refers | None:
    try:
        return read_refers(read_regular(file))
    except FileError:
        return None


def _head(path: str, frame: int | None, header: Header) -> Head:
    return Head(
        path,
        frame,
        header.rows,
        header.cols,
        header.image_position_patient,
        header.image_orientation_patient,
        header.pixel_spacing,
        header.sop_instance_uid,
        header.instance_number,
        dict(header.evidence),
    )
