"""Damaged plain files: the plain reader passes, or gives what pydicom's path gives.

CHAOSPREP_MUTATIONS sets how many (2,000 unless told).
"""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from tests.attacks.grammars import scratched as damaged
from tests.formats.differential import agrees
from tests.formats.samples import PIXELS, dataset, dicom, encoded, lut
from tests.formats.test_mutations import BATCH, COUNT
from tests.formats.test_plain import LOW, PLAIN, SYNTAXES, private, undefined

SEEDS = [
    *(encoded(dataset(), syntax) for syntax in SYNTAXES),
    *(private(syntax) for syntax in SYNTAXES),
    encoded(dataset(LOW, BitsStored=12, HighBit=11), ImplicitVRLittleEndian),
    dicom((PIXELS // 7).astype(np.int16), RescaleSlope="0.5", RescaleIntercept="-1000"),
    dicom(np.array([[7, 8, 9]], np.uint8), PixelData=b"\7\x08\x09\0"),
    dicom(PhotometricInterpretation="MONOCHROME1", NumberOfFrames=1, PlanarConfiguration=0),
    dicom(SpecificCharacterSet="ISO_IR 192", BurnedInAnnotation="YES", EffectiveEchoTime=4.5),
    dicom(VOILUTFunction="LINEAR_EXACT", WindowCenter=[100, 5], WindowWidth=[200, 6]),
    dicom(ModalityLUTSequence=lut([1, 2, 3])),
    undefined(InstanceNumber=9),
    undefined(depth=3, PatientComments="x" * 99),
    PLAIN["an element after the pixels"],
]
VRS = [
    *(b"AE", b"AT", b"CS", b"DS", b"FD", b"IS", b"LO", b"LT", b"OB", b"OW", b"PN", b"SH", b"SL"),
    *(b"SQ", b"SS", b"TM", b"UI", b"UL", b"UN", b"US", b"UT", b"ZZ", b"\0\0", b"us", b"O\0"),
]
TEXTS = [
    *(b"", b"0", b"-0", b"1", b"01", b"1 ", b" 1", b"1\0", b"+1", b"2", b"1.5", b"1e3", b"1e999"),
    *(b"nan", b"inf", b"1_0", b"1\\2", b"1\\", b"\\1\\2", b"1\\2\\3", b"1,5", b"\xb2", b"wide"),
    *(
        b"YES",
        b"SIGMOID",
        b"MONOCHROME1",
        b"RGB",
        b"ISO_IR 6",
        b"ISO 2022 IR 87",
        b"\\",
        b"GB18030",
    ),
]
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 17, 24, 255, 256, 2**16 - 2, 2**16 - 1]


def spans(data: bytes) -> list[tuple[int, int, int]]:
    """Where the elements of a sound file begin, where their values do, and where they end."""
    at, found = 132, []
    implicit = b"1.2.840.10008.1.2\0" in data
    while at < len(data):
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"UN", b"UT", b"SQ")
        if implicit and data[at : at + 2] != b"\2\0":
            value, size = at + 8, data[at + 4 : at + 8]
        elif long:
            value, size = at + 12, data[at + 8 : at + 12]
        else:
            value, size = at + 8, data[at + 6 : at + 8]
        if size == b"\xff" * 4:
            end = data.rindex(b"\xfe\xff\xdd\xe0") + 8
        else:
            end = value + int.from_bytes(size, "little")
        found.append((at, value, end))
        at = end
    assert at == len(data)
    return found


def sized(data: bytes, start: int, value: int, new: bytes) -> bytes:
    """An element with another value, and the length to it."""
    head = data[start:value]
    width = 2 if value - start == 8 and head[4:6].isalpha() else 4
    return head[:-width] + len(new).to_bytes(width, "little") + new


def rearranged(data: bytes, draw: random.Random) -> bytes:
    """A sound file with an element too many, too few, or elsewhere."""
    found = spans(data)
    index = draw.randrange(len(found))
    start, _, end = found[index]
    whole, rest = data[start:end], data[end:]
    match draw.randrange(5):
        case 0:  # twice
            return data[:end] + whole + rest
        case 1:  # gone
            return data[:start] + rest
        case 2:  # earlier than the one before
            before = found[index - 1][0]
            return data[:before] + whole + data[before:start] + rest
        case 3:  # one of another file
            other = draw.choice(SEEDS)
            first, _, last = draw.choice(spans(other))
            return data[:start] + other[first:last] + data[start:]
        case _:  # an item, or a delimiter
            mark = draw.choice([b"\x0d\xe0", b"\0\xe0", b"\xdd\xe0"])
            return data[:start] + b"\xfe\xff" + mark + bytes(4) + data[start:]


def revalued(data: bytes, draw: random.Random) -> bytes:
    """A sound file with another value in one of its elements."""
    start, value, end = draw.choice(spans(data))
    match draw.randrange(4):
        case 0:
            new = draw.choice(TEXTS)
        case 1:
            new = draw.choice(TEXTS)
            new += b" \0"[: len(new) % 2]
        case 2:
            new = draw.choice(NUMBERS).to_bytes(2, "little") * draw.choice([1, 1, 1, 2])
        case _:
            new = draw.randbytes(draw.choice([min(end - value, 99), 2, 4, 8]))
    return data[:start] + sized(data, start, value, new) + data[end:]


def relabelled(data: bytes, draw: random.Random) -> bytes:
    """A sound file with another tag, VR or length in the head of one of its elements."""
    start, value, _ = draw.choice(spans(data))
    match draw.randrange(3):
        case 0:
            at, new = start + draw.randrange(4), draw.randbytes(1)
        case 1:  # the VR, or what stands in its place
            at, new = start + 4, draw.choice(VRS)
        case _:
            wrong = [b"\xff" * 4, b"\0\0", b"\1\0", b"\2\0", b"\4\0", b"\xff\xff"]
            at, new = value - draw.choice([2, 4]), draw.choice(wrong)
    return data[:at] + new + data[at + len(new) :]


def scratched(data: bytes, draw: random.Random) -> bytes:
    """A file with bytes damaged, put behind it, or put in from another file, anywhere."""
    match draw.randrange(6):
        case 0:
            return data + draw.randbytes(draw.randrange(1, 14))
        case 1:
            at, other = draw.randrange(132, len(data)), draw.choice(SEEDS)
            start = draw.randrange(132, len(other))
            return data[:at] + other[start : start + draw.randrange(1, 99)] + data[at:]
        case _:
            return damaged(data, draw, 132)


def mutations(batch: int) -> Iterator[bytes]:
    """The same batch always gives the same files."""
    draw = random.Random(f"plain {batch}")
    for _ in range(min(BATCH, COUNT - batch * BATCH)):
        damage = draw.choice([rearranged, revalued, revalued, relabelled])
        data = damage(draw.choice(SEEDS), draw)
        for _ in range(draw.choice([0, 0, 0, 1, 2])):
            data = scratched(data, draw)
            if len(data) <= 133:
                break
        yield data


@pytest.mark.parametrize("batch", range((COUNT + BATCH - 1) // BATCH))
def test_a_damaged_plain_file_is_read_as_pydicom_reads_it_or_left_to_it(batch: int) -> None:
    for data in mutations(batch):
        agrees(data)


def test_enough_mutations_are_still_plain() -> None:
    plain = sum(agrees(data) for batch in range(5) for data in mutations(batch))
    assert 50 < plain < 450
