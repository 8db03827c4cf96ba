"""What is kept of a file's headers: whose it is, which volume, and what it refers to."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

import msgspec

from chaosprep.imaging.header import Orientation, Vector

Kind = Literal["image", "mask", "beside", "unreadable", "foreign"]


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One picture: a file, or one frame of it, counted from 0 (None where there is one only).

    ``evidence`` is what `read_evidence` gives, ``pixel_spacing`` (row, col) in mm.
    """

    path: str
    frame: int | None
    rows: int
    cols: int
    position: Vector | None
    orientation: Orientation | None
    pixel_spacing: tuple[float, float] | None
    sop_instance_uid: str
    instance_number: int | None
    evidence: Mapping[str, str]


def mark_of(head: Head) -> Hashable:
    """What copies of one picture share; a UID alone may be a constant."""
    place = (head.rows, head.cols, head.position, head.orientation, head.instance_number)
    return (head.sop_instance_uid or (head.path,), head.frame, *place)


def count_pictures(heads: Iterable[Head]) -> int:
    """How many different pictures there are."""
    return len(set(map(mark_of, heads)))


class Refers(msgspec.Struct, frozen=True, array_like=True):
    """What a SEG or a structure set refers to.

    ``series`` and ``instances`` are UIDs; ``frames`` are (SOPInstanceUID, frame number from 1) of
    the instances of which it refers to some frames only.
    """

    series: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    frame_of_reference: str = ""
    frames: frozenset[tuple[str, int]] = frozenset()


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file below a root, as it was when it was read; ``size`` in bytes, ``mtime`` in ns.

    ``kind`` is `image` (with ``heads``), `mask` (with what it ``refers`` to; None where that cannot
    be read), `beside` (a DICOM file that is no slice, or no file at all but a link out of the root
    or a device: ``what`` is the noun), `unreadable` (a damaged DICOM file, any that cannot be
    opened, or a folder that cannot be listed: ``what`` is the code of its error) or `foreign` (no
    DICOM). ``evidence`` is the file's own, where it has no heads. ``changed`` is
    its ctime in ns; -1 where it was written only just before, and may be written again without
    being told from what was read.
    """

    path: str
    size: int
    mtime: int
    kind: Kind
    what: str = ""
    heads: tuple[Head, ...] = ()
    evidence: Mapping[str, str] = {}
    refers: Refers | None = None
    changed: int = -1
