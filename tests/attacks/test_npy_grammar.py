"""npy files that are wrong in header or size: numpy's array, or one error, nothing unpickled."""

import random
import struct
import warnings
from io import BytesIO

import numpy as np
import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.formats.npy import decode_npy, read_npy
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried

FEW = 600
KINDS = [
    *("|u1", "|i1", "|b1", "<u2", ">u2", "<i2", "=i4", ">u4", "<i8", ">u8", "<f2", "<f4", ">f8"),
    *("<f16", "<c8", "|O", "|S3", "<U2", "|V4", "<M8[s]", "<m8", "u1", "i", "f", "float", "O", "?"),
    *("3u1", "(2,2)u1", "<u2, <u2", "u1\\0", "", "z", "<i3", "<u0", "|u2", "u1" * 50),
]
SHAPES = [
    *("(3, 4)", "(3, 4)", "(3, 4,)", "(4, 3)", "(2, 3, 4)", "(12,)", "()", "(0, 4)", "(3, 0)"),
    *("(True, 12)", "(3, True)", "(True, True, 12)", "(2, 3, True)", "(3.0, 4)", "(-3, -4)"),
    *("(-3, 4)", "(2, -3, -2)", "(3, 4, 1)", "(1, 3, 4)", "3", "None", "[3, 4]", "'34'", "{}"),
    *("(10**9, 4)", "(2**70, 4)", "(1000000000, 4)", f"({2**70}, 4)", f"({2**62}, 4)", "(3 * 4,)"),
    *(
        "(3j, 4)",
        "(3, (4,))",
        "(1e1, 1)",
        "(3,\n4)",
        "(0x3, 0b100)",
        "(3, 4",
        "(3 4)",
        "(__debug__,)",
    ),
    *("(" + "1, " * 40 + ")", "(" + "1, " * 3000 + ")", "(" * 300, "(" * 3000 + "1" + ")" * 3000),
]
KEYS = ["descr", "fortran_order", "shape"]


def header(kind: str, draw: random.Random) -> str:
    """A header that may have anything in place of what belongs there."""
    descr = (
        repr(kind) if draw.random() < 0.95 else draw.choice(["[('a', '|u1')]", "('u1', {})", "1"])
    )
    order = draw.choice(["False", "True"]) if draw.random() < 0.9 else draw.choice(["0", "1", "''"])
    shape = "(3, 4)" if draw.random() < 0.6 else draw.choice(SHAPES)
    pairs = list(zip(KEYS, (descr, order, shape), strict=True))
    match draw.randrange(12):
        case 0:
            del pairs[draw.randrange(3)]
        case 1:
            pairs.append(draw.choice(pairs))
        case 2:
            pairs.append((draw.choice(["extra", "shape", ""]), "1"))
        case 3:
            pairs.reverse()
    text = "{" + ", ".join(f"{name!r}: {value}" for name, value in pairs) + "}"
    if draw.random() < 0.1:
        text = draw.choice(
            ["", "[]", "{", text * 2, text + "#", "__import__('os')", "\0", "{}" * 9]
        )
    return text


def made(draw: random.Random) -> bytes:
    """A file with such a header, and as many bytes as the shape asks for, or others."""
    kind = draw.choice(KINDS[:13] if draw.random() < 0.7 else KINDS)
    text = header(kind, draw).encode("latin-1")
    text = text.ljust(draw.choice([0, 53, 117, 9000]), b" ") + b"\n"
    version = draw.choice([1] * 8 + [2, 2, 0, 3, 4])
    size = len(text) if draw.random() < 0.9 else draw.choice([0, 1, 60, 2**16 - 1, len(text) + 5])
    head = struct.pack("<H" if version == 1 else "<I", size)
    item = np.dtype(kind).itemsize if kind in KINDS[:13] else draw.choice([1, 2, 4, 8, 16])
    body = draw.randbytes(draw.choice([12] * 8 + [24, 1, 0]) * item + (draw.random() < 0.1))
    data = b"\x93NUMPY" + bytes([version, draw.choice([0, 0, 0, 0, 1])]) + head + text + body
    return scratched(data, draw) if draw.random() < 0.1 else data


def numpys(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = np.load(BytesIO(data), allow_pickle=False)
        assert isinstance(found, np.ndarray)
        return found


def reads(data: bytes) -> int:
    """Check that what is read is what numpy reads; tell how many readers read it."""
    found = [
        one
        for one in (
            tried(lambda: decode_npy(data)),
            tried(lambda: read_npy(data, 2)),
            tried(lambda: read_npy(data, 3)),
        )
        if not isinstance(one, ChaosprepError)
    ]
    for one in found:
        np.testing.assert_array_equal(one, numpys(data))
        assert one.dtype.kind in "biuf"
    return len(found)


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_npy_is_read_as_numpy_reads_it_or_is_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("npy", batch, FEW):
        reads(made(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**18


def test_enough_of_them_are_read() -> None:
    found = sum(reads(made(draw)) > 0 for batch in range(4) for draw in draws("npy", batch, 200))
    assert 20 < found < 180
