"""NIfTI files that are wrong in header, size or compression: nibabel's volume, or one error."""

import gzip
import random
import struct
import warnings
from typing import Any

import numpy as np
import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.formats.nifti import read_nifti
from chaosprep.formats.nifti_masks import label_volume
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried

nibabel = pytest.importorskip("nibabel")

FEW = 400
SHAPE = (3, 4, 5)
KINDS = ["u1", "i1", "u2", "i2", "i4", "u4", "i8", "u8", "f4", "f8", "c8"]
# Name -> offset and struct code, nifti1.h.
FIELDS = {
    "sizeof_hdr": (0, "i"),
    **{f"dim{at}": (40 + 2 * at, "h") for at in range(8)},
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    **{f"pixdim{at}": (76 + 4 * at, "f") for at in range(8)},
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "xyzt_units": (123, "B"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    **{f"place{at}": (256 + 4 * at, "f") for at in range(18)},
    "magic": (344, "4s"),
    "extension": (348, "4s"),
}
WHOLE = [0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 255, 256, 512, 2048, -1, -2, 2**15 - 1, -(2**15)]
REAL = [
    *(
        0.0,
        1.0,
        -1.0,
        2.0,
        0.5,
        351.0,
        352.0,
        353.0,
        352.5,
        368.0,
        1e-30,
        1e-45,
        1e30,
        3e38,
        -352.0,
    ),
    *(float("nan"), float("inf"), float("-inf")),
]
TEXT = [b"n+1\0", b"ni1\0", b"n+2\0", b"\0\0\0\0", b"\1\0\0\0", b"n+1 "]


def sound(draw: random.Random) -> bytes:
    """A volume of any type, with either form or both, in either byte order, 1 or 2."""
    kind = draw.choice(KINDS)
    values = np.frombuffer(draw.randbytes(60), "u1").reshape(SHAPE) % 5
    affine = np.diag([1.5, -2, 5, 1]) + np.array([[0, 0, 0, draw.randrange(9)]] * 3 + [[0] * 4])
    made = nibabel.Nifti1Image if draw.random() < 0.95 else nibabel.Nifti2Image
    image = made(values.astype(kind), affine, dtype=kind)
    image.set_qform(affine, draw.choice([0, 1, 1]))
    image.set_sform(affine, draw.choice([0, 1, 1]))
    if draw.random() < 0.2:
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"a note"))
    if draw.random() < 0.2:
        image.header.set_slope_inter(draw.choice([1, 2, 0.5]), draw.choice([0, -1]))
    if draw.random() < 0.2:
        image = made(values.astype(kind), affine, image.header.as_byteswapped())
    data: bytes = image.to_bytes()
    return data


def edited(data: bytes, draw: random.Random) -> bytes:
    """Another value in one field of the header."""
    order = "<" if data[:4] == struct.pack("<i", 348) else ">"
    at, code = FIELDS[draw.choice(list(FIELDS))]
    limits = {"h": 2**15 - 1, "i": 2**31 - 1, "B": 255}
    value: Any = draw.choice(REAL if code == "f" else TEXT)
    if code in limits:
        value = draw.choice(WHOLE)
        value = value % 256 if code == "B" else value
    return data[:at] + struct.pack(order + code, value) + data[at + struct.calcsize(code) :]


def packed(data: bytes, draw: random.Random) -> bytes:
    """Compressed, in one member or several, whole or not, with a bomb behind it or without."""
    match draw.randrange(9):
        case 0 | 1 | 2 | 3:
            return gzip.compress(data)
        case 4:
            cut = draw.randrange(len(data))
            return gzip.compress(data[:cut]) + gzip.compress(data[cut:])
        case 5:
            return gzip.compress(data + (bytes(2**27) if draw.random() < 0.05 else b""), 1)
        case 6:
            return gzip.compress(data)[: -draw.randrange(1, 20)]
        case 7:
            return gzip.compress(data) + draw.choice(
                [b"\0" * 9, b"rest", b"\x1f\x8b", b"\x1f\x8b\x08"]
            )
        case _:
            return gzip.compress(gzip.compress(data))


def damaged(draw: random.Random) -> bytes:
    data = sound(draw)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
        data = edited(data, draw)
    if draw.random() < 0.2:
        data = scratched(data, draw, draw.choice([0, 340]))
    if draw.random() < 0.4:
        data = packed(data, draw)
    return scratched(data, draw) if draw.random() < 0.05 else data


def reads(data: bytes) -> bool:
    """Check that the volume and its place are nibabel's; tell whether there was one."""
    found = tried(lambda: read_nifti(data))
    labels = tried(lambda: label_volume(data))
    if isinstance(found, ChaosprepError):
        assert isinstance(labels, ChaosprepError)
        return False
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    placed = np.isfinite([*found.lattice.steps.ravel(), *found.lattice.origin]).all()
    if not placed:  # nowhere: an image finds no labels there
        assert isinstance(labels, ChaosprepError)
        return False
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        plain = plain[:348] + bytes(4) + plain[352:]  # extensions may be anything
        expected = nibabel.Nifti1Image.from_bytes(plain)
        values = np.asarray(expected.dataobj, float).reshape(expected.shape[:3])
        np.testing.assert_allclose(found.voxels.astype(float), values.T, rtol=1e-6, atol=1e-9)
        lattice, place = found.lattice, np.diag([-1, -1, 1, 1]) @ expected.affine
        forms = expected.header["qform_code"] > 0 or expected.header["sform_code"] > 0
        if forms:
            unit = {1: 1000, 3: 0.001}.get(int(expected.header["xyzt_units"]) & 7, 1)
            np.testing.assert_allclose(
                np.column_stack([lattice.steps[:, ::-1], lattice.origin]),
                place[:3] * unit,
                rtol=1e-4,
                atol=1e-4 * unit,
            )
    if not isinstance(labels, ChaosprepError):
        np.testing.assert_allclose(labels.voxels, found.voxels, rtol=1e-6, atol=1e-5)
    return True


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_nifti_is_read_as_nibabel_reads_it_or_is_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("nifti", batch, FEW):
        reads(damaged(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read() -> None:
    found = sum(reads(damaged(draw)) for batch in range(4) for draw in draws("nifti", batch, 200))
    assert 20 < found < 180
