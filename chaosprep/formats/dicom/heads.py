"""A few elements of a header, whatever the file: damaged, deflated, or of nothing but elements."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from chaosprep.errors import FileError
from chaosprep.formats.dicom.evidence import read_evidence
from chaosprep.formats.dicom.faults import guarded
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.imaging.limits import MAX_PIXELS

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.tag import BaseTag

_PARSE = "pydicom cannot make sense of the file"
_START = 132  # bytes: where it is written that a file is DICOM (PS3.10 7.1)
_HEAD = 2**18  # bytes behind it: few headers are longer
# The functional groups of frames, and pixels: from there on nothing says what the root says.
_BEHIND = frozenset((0x52009229, 0x52009230, 0x7FE00008, 0x7FE00009, 0x7FE00010))
_COLUMNS = 0x00280011  # behind all evidence, but for private elements


class Start(NamedTuple):
    """What the beginning of a file says of it.

    ``is_sized`` is whether it says how large a picture it holds, ``is_whole`` whether the beginning
    goes on behind what was looked for.
    """

    evidence: dict[str, str]
    is_sized: bool
    is_whole: bool


def describe_start(data: bytes) -> Start:
    """The evidence in the root of any DICOM file, by its beginning; none where that is damaged.

    Raises `FileError` ``too-large``.
    """
    from pydicom.filereader import read_partial

    reached = False

    def is_behind(tag: "BaseTag", vr: str | None, length: int) -> bool:
        nonlocal reached
        reached = int(tag) > _COLUMNS
        return reached

    try:
        with guarded(_PARSE):
            dataset = read_partial(open_stream(data), is_behind)
            return Start(read_evidence((dataset,)), "Rows" in dataset, reached)
    except FileError as error:
        if error.code == "too-large":
            raise
        return Start({}, True, reached)


def read_elements(source: bytes | BinaryIO, keywords: Sequence[str]) -> "Dataset | None":
    """Read these elements and SpecificCharacterSet; None for what is no DICOM or cannot be read.

    Args:
        source: a file's bytes, or the file; of that more than the beginning is read only where the
            header is longer.
        keywords: of elements of the root, before the functional groups of frames.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    head = stream.read(_START)
    if not is_dicom(head):
        return None
    head += stream.read(_HEAD)
    found, is_whole = _read(head, keywords)
    if is_whole or not (rest := stream.read()):
        return found
    return _read(head + rest, keywords)[0]


def _read(data: bytes, keywords: Sequence[str]) -> "tuple[Dataset | None, bool]":
    """The elements, and whether the data went on behind them; None where they are damaged."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.filereader import read_partial

    tags = [tag for keyword in keywords if (tag := tag_for_keyword(keyword))]
    reached = False

    def is_behind(tag: "BaseTag", vr: str | None, length: int) -> bool:
        nonlocal reached
        reached = tag in _BEHIND
        return reached

    try:
        with guarded(_PARSE):
            stream = open_stream(inflated(data, MAX_PIXELS))
            return read_partial(stream, is_behind, specific_tags=[*tags]), reached
    except FileError:
        return None, False
