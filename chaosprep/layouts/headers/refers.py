"""What a SEG or a structure set refers to, read from the file."""

from chaosprep.formats.dicom.kinds import sop_class
from chaosprep.formats.rtstruct import SOP_CLASS
from chaosprep.formats.rtstruct_references import read_set_references
from chaosprep.formats.seg_file import read_references
from chaosprep.layouts.headers.head import Refers


def read_refers(data: bytes) -> Refers:
    """What a SEG or a structure set refers to, by the bytes of its file.

    The images that its frames or contours were made on, as far as they say it: a list of all images
    of a series tells less.

    Raises:
        FileError: `mask-kind`, it is neither; `mask-unreadable`, `too-large` or `dicom-truncated`.
    """
    if sop_class(data) == SOP_CLASS:
        found = read_set_references(data)
        space = next(iter(found.spaces)) if len(found.spaces) == 1 else ""
        return _refers(found.images, found.series, space)
    listed, frames = read_references(data)
    made_on = frozenset(source for frame in frames for source in frame.sources)
    every = frozenset((uid, None) for uid in listed.images)
    return _refers(made_on or every, listed.series, listed.space)


def _refers(
    images: frozenset[tuple[str, int | None]], series: frozenset[str], space: str
) -> Refers:
    whole = {uid for uid, number in images if number is None}
    frames = ((uid, number) for uid, number in images if number is not None and uid not in whole)
    return Refers(series, frozenset(uid for uid, _ in images), space, frozenset(frames))
