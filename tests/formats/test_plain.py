"""Plain slices are read without pydicom, and exactly as with it; all others are left to it."""

import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import ENCODED_VR
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from chaosprep.errors import FileError
from chaosprep.formats.dicom import plain
from chaosprep.formats.dicom.plain import read_plain, read_plain_header
from chaosprep.formats.dicom.reading import read, read_header, read_headers
from chaosprep.formats.dicom.tags import ATTRIBUTES
from chaosprep.imaging.limits import MAX_PIXELS
from tests.formats.differential import agrees
from tests.formats.samples import PIXELS, REAL, dataset, dicom, encapsulated, encoded, item, lut
from tests.formats.test_mutations import SEEDS
from tests.formats.test_odd_files import READ, REFUSED, SETTLED, element
from tests.formats.test_pydicom_files import FILES, IDS
from tests.formats.test_roundtrip import written
from tests.formats.test_transfer import rle
from tests.hostile.test_corpus import IMAGES

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
LOW = PIXELS % 4096


def sequence(depth: int = 1, **values: object) -> Sequence:
    """A sequence of undefined length: an item of undefined length, and an empty one."""
    inner = Dataset()
    for keyword, value in values.items():
        setattr(inner, keyword, value)
    if depth > 1:
        inner.ReferencedImageSequence = sequence(depth - 1)
        inner["ReferencedImageSequence"].is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    return Sequence([inner, Dataset()])


def undefined(syntax: UID = ExplicitVRLittleEndian, depth: int = 1, **values: object) -> bytes:
    slice_ = dataset(ReferencedImageSequence=sequence(depth, **values))
    slice_["ReferencedImageSequence"].is_undefined_length = True
    return encoded(slice_, syntax)


def private(syntax: UID) -> bytes:
    slice_ = dataset()
    block = slice_.private_block(0x0029, "A MAKER", create=True)
    block.add_new(0x10, "OB", b"anything")
    block.add_new(0x11, "UN", b"\xff" * 6)
    return encoded(slice_, syntax)


def before(tag: bytes, extra: bytes, data: bytes | None = None) -> bytes:
    """Put bytes in front of the element whose head begins so."""
    data = dicom() if data is None else data
    assert data.count(tag) == 1
    return data.replace(tag, extra + tag)


def sequence_of(*parts: bytes) -> bytes:
    """A file with a sequence of undefined length that holds these bytes."""
    head = struct.pack("<HH2sxxI", 0x08, 0x1140, b"SQ", 2**32 - 1)
    return before(b"\x10\0\x10\0PN", head + b"".join(parts))


def mark(element: int, length: int = 0) -> bytes:
    """The beginning of an item, or its end, or that of a sequence."""
    return struct.pack("<HHI", 0xFFFE, element, length)


def halves(data: bytes) -> tuple[bytes, bytes]:
    """Cut a file between its file meta information and its data set."""
    at = 144 + int.from_bytes(data[140:144], "little")
    return data[:at], data[at:]


META, BODY = halves(dicom())
IMPLICIT_META, IMPLICIT_BODY = halves(encoded(dataset(), ImplicitVRLittleEndian))
ITEM, ITEM_END, SEQUENCE_END = 0xE000, 0xE00D, 0xE0DD
LETTERS = struct.pack("<HHI", 0x08, 0x01, 0x5355) + bytes(0x5355)  # a length that reads as "US"
ROWS, PIXEL_DATA = b"\x28\0\x10\0US\2\0", b"\xe0\x7f\x10\0OW\0\0"
CHARACTER_SET = element(0x08, 0x05, b"CS", b"ISO_IR 100")
TRAILING = struct.pack("<HH2sxxI", 0xFFFC, 0xFFFC, b"OB", 4) + bytes(4)
PLAIN = {
    "8 bits": dicom(np.arange(12, dtype=np.uint8).reshape(3, 4)),
    "8 bits, padded to an even length": dicom(
        np.array([[7, 8, 9]], np.uint8), PixelData=b"\7\x08\x09\0"
    ),
    "8 bits as OB": written(np.arange(12, dtype=np.uint8).reshape(1, 3, 4), ExplicitVRLittleEndian),
    "MONOCHROME1": dicom(PhotometricInterpretation="MONOCHROME1"),
    "12 of 16 bits": dicom(LOW, BitsStored=12, HighBit=11),
    "12 of 16 bits, dirt above": written(
        LOW[None], ImplicitVRLittleEndian, 0xA000, BitsStored=12, HighBit=11
    ),
    "12 of 16 bits, signed": dicom(LOW.astype(np.int16), BitsStored=12, HighBit=11),
    "no HighBit": dicom(HighBit=None),
    "NumberOfFrames 1": dicom(NumberOfFrames=1),
    "two windows": dicom(WindowCenter=[100, 5], WindowWidth=[200, 6]),
    "a sigmoid": dicom(VOILUTFunction="SIGMOID"),
    "slope 0": dicom(RescaleSlope=0),
    "no geometry": dicom(
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None
    ),
    "a character set": before(b"\x08\0\x16\0UI", CHARACTER_SET),
    "the default character set": dicom(SpecificCharacterSet="ISO_IR 6"),
    "Unicode": dicom(SpecificCharacterSet="ISO_IR 192"),
    "an empty sequence of undefined length": sequence_of(mark(SEQUENCE_END)),
    "an item of undefined length": sequence_of(
        mark(ITEM, 2**32 - 1), mark(ITEM_END), mark(ITEM), mark(SEQUENCE_END)
    ),
    "a sequence": dicom(ReferencedImageSequence=item(InstanceNumber=9)),
    "a sequence, implicit": encoded(
        dataset(ReferencedImageSequence=item(InstanceNumber=9)), ImplicitVRLittleEndian
    ),
    "a sequence of undefined length": undefined(InstanceNumber=9, PatientComments="x" * 99),
    "sequences in sequences": undefined(depth=5),
    "private elements": private(ExplicitVRLittleEndian),
    "private elements, implicit": private(ImplicitVRLittleEndian),
    "an element after the pixels": dicom() + TRAILING,
}
ODD = {
    "a MONOCHROME2 padded with a NUL": dicom().replace(b"MONOCHROME2 ", b"MONOCHROME2\0"),
    "big endian": written(PIXELS[None], ExplicitVRBigEndian),
    "deflated": encoded(dataset(), DeflatedExplicitVRLittleEndian),
    "compressed": encapsulated([rle(PIXELS)], RLELossless),
    "32 bits": dicom(PIXELS.astype(np.uint32)),
    "two frames": dicom(np.tile(PIXELS, (2, 1)), Rows=3, NumberOfFrames=2),
    "HighBit 15 of 12 bits": dicom(LOW, BitsStored=12),
    "a Modality LUT": dicom(ModalityLUTSequence=lut([1, 2, 3])),
    "a VOI LUT": encoded(dataset(VOILUTSequence=lut([1, 2, 3])), ImplicitVRLittleEndian),
    "functional groups": dicom(SharedFunctionalGroupsSequence=item()),
    "another character set": before(b"\x08\0\x16\0UI", CHARACTER_SET.replace(b"100", b"101")),
    "a character set in an item": undefined(SpecificCharacterSet="ISO_IR 100"),
    "an implicit sequence of undefined length": undefined(ImplicitVRLittleEndian),
    "sequences in sequences in sequences": undefined(depth=20),
    "an item that ends within its length": sequence_of(
        mark(ITEM, 8), mark(ITEM_END), mark(SEQUENCE_END)
    ),
    "an item that ends with the sequence": sequence_of(
        mark(ITEM, 2**32 - 1), mark(SEQUENCE_END), mark(SEQUENCE_END)
    ),
    "an end of an item with a length": sequence_of(
        mark(ITEM, 2**32 - 1), mark(ITEM_END, 1), mark(SEQUENCE_END)
    ),
    "a sequence without an end": sequence_of(mark(ITEM), mark(ITEM_END)),
    "an end of a sequence with a length": sequence_of(mark(SEQUENCE_END, 1)),
    "a length of letters": IMPLICIT_META + LETTERS + IMPLICIT_BODY,
    "PlanarConfiguration of three bytes": before(ROWS, element(0x28, 0x06, b"US", bytes(3))),
    "Rows of another VR": dicom().replace(ROWS, ROWS.replace(b"US", b"SS")),
    "Rows twice": before(ROWS, ROWS + b"\2\0"),
    "a tag out of order": before(ROWS, element(0x10, 0x10, b"PN", b"Doe^Jane")),
    "an unknown VR": before(ROWS, element(0x28, 0x09, b"ZZ", b"")),
    "a length beyond the file": before(
        ROWS, element(0x28, 0x09, b"AT", b"").replace(b"AT\0\0", b"AT\xff\xff")
    ),
    "an extended offset table": before(PIXEL_DATA, struct.pack("<HH2sxxI", 0x7FE0, 1, b"OV", 0)),
    "float pixels too": before(PIXEL_DATA, struct.pack("<HH2sxxI", 0x7FE0, 8, b"OF", 0)),
    "a group length that does not hold": META[:140] + b"\1" + META[141:] + BODY,
    "explicit under an implicit name": IMPLICIT_META + BODY,
    "implicit under an explicit name": META + IMPLICIT_BODY,
    "bytes after the last element": dicom() + b"\0\0",
    "padding after the pixels": dicom(PixelData=PIXELS.tobytes() + bytes(10)),
    "a delimiter after the pixels": dicom() + mark(SEQUENCE_END),
    "a long header": dicom(PixelDataProviderURL="x" * 2**17),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_file_is_read_as_pydicom_reads_it(name: str) -> None:
    assert agrees(PLAIN[name])
    found = read_plain(PLAIN[name], MAX_PIXELS)
    assert found is not None
    np.testing.assert_array_equal(found[1], dcmread(BytesIO(PLAIN[name])).pixel_array)


@pytest.mark.parametrize("name", ODD)
def test_anything_odd_is_left_to_pydicom(name: str) -> None:
    assert read_plain(ODD[name], MAX_PIXELS) is None
    agrees(ODD[name])


@pytest.mark.parametrize("data", [*REFUSED.values(), *READ.values(), *SETTLED.values()])
def test_odd_files_are_read_alike(data: tuple[bytes, object]) -> None:
    agrees(data[0])


@pytest.mark.parametrize("name", IMAGES)
def test_hostile_files_are_read_alike(name: str) -> None:
    agrees(IMAGES[name][0])


@pytest.mark.parametrize("data", SEEDS)
def test_files_of_every_syntax_are_read_alike(data: bytes) -> None:
    agrees(data)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_pydicoms_own_files_are_read_alike(path: Path) -> None:
    agrees(path.read_bytes())


def test_the_phantom_is_plain(phantom: Path) -> None:
    files = [path.read_bytes() for path in phantom.rglob("*.dcm")]
    assert all(agrees(data) for data in files)
    syntaxes = {str(dcmread(BytesIO(data)).file_meta.TransferSyntaxUID) for data in files}
    assert syntaxes == set(SYNTAXES)


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
def test_chaos_is_plain() -> None:
    files = sorted(REAL.rglob("*.dcm"))
    assert len(files) > 200
    assert all(agrees(path.read_bytes()) for path in files)


def test_a_header_needs_no_pixels() -> None:
    whole = dicom()
    head = whole[: -PIXELS.nbytes]
    assert read_plain_header(head, MAX_PIXELS) == read_header(whole)
    assert agrees(head) is False
    assert read_plain_header(head[:-1], MAX_PIXELS) is None


def test_frame_0_of_one_is_that_one() -> None:
    header, array = read(dicom(), 0)
    assert header == read(dicom())[0] == read_headers(dicom())[0]
    np.testing.assert_array_equal(array, PIXELS)
    with pytest.raises(FileError, match="no frame 1"):
        read(dicom(), 1)


def test_a_slice_above_the_limit_is_refused() -> None:
    assert read_plain(dicom(), 12) is not None
    with pytest.raises(FileError) as caught:
        read(dicom(), max_pixels=11)
    assert caught.value.code == "too-large"


def test_a_plain_slice_is_read_without_importing_pydicom(tmp_path: Path) -> None:
    (tmp_path / "slice.dcm").write_bytes(dicom())
    script = (
        "import sys; from pathlib import Path; from chaosprep.formats.dicom.reading import read\n"
        "from chaosprep.privacy.identity import read_identity\n"
        f"data = Path({str(tmp_path / 'slice.dcm')!r}).read_bytes()\n"
        "read(data), read_identity(data)\n"
        "print('pydicom' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert told.stdout == "False\n"


def test_tags_and_value_representations_are_dicoms() -> None:
    for keyword, (tag, vr) in ATTRIBUTES.items():
        assert (tag_for_keyword(keyword), dictionary_VR(tag)) == (tag, vr), keyword
    long = {vr.encode() for vr in EXPLICIT_VR_LENGTH_32}
    assert long == plain._LONG
    assert {vr for vr in ENCODED_VR if len(vr) == 2} - long == plain._SHORT
