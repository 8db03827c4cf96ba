"""Damaged and hostile files: each is de-identified, or refused by name and soon."""

import time
from random import Random
from struct import pack

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from chaosprep.errors import FileError
from chaosprep.privacy.deidentify.file import deidentified
from tests.formats.samples import dataset, dicom, encapsulated
from tests.privacy.deidentify.planting import KEY, PATIENT, as_syntax

CODES = {
    *("dicom-truncated", "dicom-broken", "too-large", "not-dicom", "deidentify-kind"),
    *("transfer-syntax", "burned-in"),
}
TRIES = 400


def tried(data: bytes) -> bytes | str:
    """The file de-identified, or the code of what is wrong with it."""
    try:
        return deidentified(data, PATIENT, KEY)
    except FileError as error:
        code = error.code
    assert code in CODES
    return code


def with_sequence() -> Dataset:
    """A slice with sequences in one another."""
    inner, outer = Dataset(), Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3"
    outer.ReferencedInstanceSequence = Sequence([inner, inner])
    return dataset(ReferencedSeriesSequence=Sequence([outer]))


SAMPLES = {
    "explicit": dicom(),
    "nested": as_syntax(with_sequence(), ImplicitVRLittleEndian),
    "compressed": encapsulated([b"one", b"two"], RLELossless, NumberOfFrames=2),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_that_ends_anywhere_is_refused_by_name(name: str) -> None:
    data = SAMPLES[name]
    for end in range(0, len(data) - 1, 3):
        tried(data[:end])


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_bytes_never_break_out(name: str) -> None:
    random = Random(17)
    for _ in range(TRIES):
        data = bytearray(SAMPLES[name])
        for _ in range(random.randint(1, 6)):
            data[random.randrange(132, len(data))] = random.choice((0, 255, random.randrange(256)))
        tried(bytes(data))


def test_sequences_without_end_in_one_another_are_refused() -> None:
    start = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    assert tried(dicom() + start * 5000) == "dicom-broken"


@pytest.mark.parametrize("size", [2**20, 2**22])
def test_a_file_of_tiny_elements_is_refused_soon(size: int) -> None:
    tiny = b"".join(pack("<HH2sH", 0x0009, number, b"LO", 0) for number in range(0x1000, 0x2000))
    began = time.monotonic()
    tried(dicom() + tiny * (size // len(tiny)))
    assert time.monotonic() - began < 20  # a second on a machine at rest


def test_a_length_beyond_the_file_takes_no_memory() -> None:
    huge = b"\x29\0\x10\x10OB\0\0\xfe\xff\xff\xff"
    assert tried(dicom() + huge) == "dicom-truncated"


@pytest.mark.parametrize("value", [b"A\\" * 2**17, b"1" * 2**18 + b"x", b"a.1 " * 2**16])
@pytest.mark.parametrize("start", [b"\x08\0\x80\0UT", b"\x18\0\x50\0UC", b"\x08\0\x18\0UR"])
def test_a_value_of_very_many_parts_takes_no_time(start: bytes, value: bytes) -> None:
    value += b" " * (len(value) % 2)
    began = time.monotonic()
    tried(dicom() + start + b"\0\0" + pack("<L", len(value)) + value)
    assert time.monotonic() - began < 10  # a tenth of a second on a machine at rest


def test_a_file_of_very_many_names_is_refused() -> None:
    names = "\\".join(f"Doe^{number}" for number in range(300)).encode()
    names += b" " * (len(names) % 2)
    assert tried(dicom() + b"\x10\0\x01\x10PN" + pack("<H", len(names)) + names) == "too-large"


@pytest.mark.parametrize("tag", [b"\x08\0\x3e\x10", b"\x08\0\x08\0", b"\x18\0\x20\x10"])
def test_a_file_of_very_much_text_is_refused_soon(tag: bytes) -> None:
    random = Random(17)
    texts = ["".join(random.choices("aA1 .-:", k=60)) for _ in range(2**14)]
    value = "\\".join(texts).encode()
    began = time.monotonic()
    assert tried(dicom() + tag + b"UC\0\0" + pack("<L", len(value)) + value) == "too-large"
    assert time.monotonic() - began < 20  # two seconds on a machine at rest
