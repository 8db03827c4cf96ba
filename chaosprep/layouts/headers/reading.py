"""The headers of one file, read from its beginning."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from chaosprep.errors import SHORT, FileError
from chaosprep.files import open_regular
from chaosprep.formats.dicom.faults import guarded
from chaosprep.formats.dicom.heads import describe_start
from chaosprep.formats.dicom.objects import what_else
from chaosprep.formats.dicom.plain import read_plain_start
from chaosprep.formats.dicom.reading import read_headers
from chaosprep.formats.dicom.start import is_bare, is_dicom
from chaosprep.formats.dicom.transfer import inflated
from chaosprep.formats.image_file import Beside
from chaosprep.imaging.header import Header
from chaosprep.layouts.headers.head import Entry, Head, Refers
from chaosprep.layouts.headers.refers import read_refers

BARE = "not-dicom"
"""What an entry of DICOM elements is that lack the beginning of a file."""
_MASKS = ("segmentation", "RT structure set")
_STEPS = (2**15, 2**18, 2**21, 2**24, 2**26)  # bytes of the beginning that are read, until enough
_LARGEST_MASK = 2**27  # bytes of a mask that are read to learn what it refers to
_MAX_PIXELS = 2**30
_INFLATED = 2**18  # pixels for which `inflated` allows 2 MiB: enough for any header
_CUT = ("dicom-truncated", "dicom-broken", "no-pixels")  # what a beginning that is too short gives
_META = 2**10  # bytes in which the file meta information says what kind of object it is
_DIRECTORY = b"1.2.840.10008.1.3.10"  # PS3.4 B.5: Media Storage Directory
_SETTLED = 2 * 10**9  # ns: a file that is written later has another mtime, on FAT too
_LARGEST = 2**63  # whole numbers that can be kept are below


def read_entry(root: Path, path: str) -> Entry:
    """Read a file below a root, and no more of it than its headers."""
    try:
        with open_regular(root / path) as file:
            return _read(file, path)
    except FileError as error:
        return Entry(path, 0, 0, "unreadable", error.code)


def _read(file: BinaryIO, path: str) -> Entry:
    status = os.fstat(file.fileno())
    is_settled = time.time_ns() - status.st_mtime_ns > _SETTLED
    changed = status.st_ctime_ns if is_settled else -1
    entry = Entry(path, status.st_size, status.st_mtime_ns, "foreign", changed=changed)
    try:
        start = file.read(_STEPS[0])
        if not is_dicom(start):
            return _unreadable(entry, BARE) if is_bare(start) else entry
        if start.find(_DIRECTORY, 0, _META) >= 0:
            return _beside(entry, "DICOMDIR", {})
        header = read_plain_start(start, _MAX_PIXELS)
        if header is None:
            return _read_other(file, entry, start)
        return _image(file, entry, start, (header,))
    except FileError as error:
        return _unreadable(entry, error.code)
    except OSError as error:
        if error.errno in SHORT:
            raise
        return Entry(path, 0, 0, "unreadable", "file-unreadable")


def _read_other(file: BinaryIO, entry: Entry, start: bytes) -> Entry:
    """Read what is no plain slice: ever more of it, until that is enough.

    Raises `FileError`: what is wrong with it.
    """
    for step in _STEPS:
        start += file.read(step - len(start))
        is_all = len(start) < step or step == _STEPS[-1]
        with guarded("it cannot be inflated"):
            data = inflated(start, _INFLATED, head_only=True)
        found = describe_start(data)
        if not (found.is_whole or is_all):
            continue
        other = what_else(found.evidence)
        if other is not None:
            return _other(file, entry, start, other, found.evidence)
        try:
            return _image(file, entry, start, read_headers(data, max_pixels=_MAX_PIXELS))
        except FileError as error:
            if error.code == "not-grey":
                return _beside(entry, "colour image", found.evidence)
            if is_all or error.code not in _CUT:
                other = what_else(found.evidence, found.is_sized)
                if other is not None:
                    return _beside(entry, other.what, found.evidence)
                is_cut = len(start) < entry.size or (data is not start and len(data) > 2**21)
                code = "too-large" if is_cut and error.code in _CUT else error.code
                return _unreadable(entry, code, found.evidence)
    raise AssertionError  # the last step is all


def _other(
    file: BinaryIO, entry: Entry, start: bytes, other: Beside, evidence: Mapping[str, str]
) -> Entry:
    if other.what not in _MASKS:
        return _beside(entry, other.what, evidence)
    refers: Refers | None = None
    if entry.size <= _LARGEST_MASK:
        try:
            refers = read_refers(start + file.read(_LARGEST_MASK - len(start)))
        except FileError:
            refers = None
    return msgspec.structs.replace(
        entry, kind="mask", what=other.what, evidence=evidence, refers=refers
    )


def _image(file: BinaryIO, entry: Entry, start: bytes, headers: Sequence[Header]) -> Entry:
    other = what_else(headers[0].evidence)
    if other is not None:
        return _other(file, entry, start, other, headers[0].evidence)
    several = len(headers) > 1
    heads = tuple(
        make_head(entry.path, frame if several else None, header)
        for frame, header in enumerate(headers)
    )
    return msgspec.structs.replace(entry, kind="image", heads=heads)


def _beside(entry: Entry, what: str, evidence: Mapping[str, str]) -> Entry:
    return msgspec.structs.replace(entry, kind="beside", what=what, evidence=evidence)


def _unreadable(entry: Entry, code: str, evidence: Mapping[str, str] = {}) -> Entry:
    return msgspec.structs.replace(entry, kind="unreadable", what=code, evidence=evidence)


def make_head(path: str, frame: int | None, header: Header) -> Head:
    """What is kept of a header."""
    number = header.instance_number
    return Head(
        path,
        frame,
        header.rows,
        header.cols,
        header.image_position_patient,
        header.image_orientation_patient,
        header.pixel_spacing,
        header.sop_instance_uid,
        number if number is None or abs(number) < _LARGEST else None,
        header.evidence,
    )
