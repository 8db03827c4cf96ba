"""NRRD files, wrong in header, segments, size or compression: one error, or a volume."""

import bz2
import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from chaosprep.errors import ChaosprepError
from chaosprep.formats.mask_file import Opening
from chaosprep.formats.masks import beside
from chaosprep.formats.nrrd import NRRD, nrrd_mask, nrrd_volume
from tests import memory
from tests.attacks.grammars import NUMBERS, batches, draws, scratched, tried
from tests.formats.itk_volumes import itk_reads
from tests.formats.test_cut_mask import headers

FEW = 400
SHAPE = (4, 3, 5)
IMAGES = [*headers().values()]
TYPES = {"uchar": "u1", "short": "i2", "uint32": "u4", "long long int": "i8", "float": "f4"}
TEXTS = (
    *("", "none", "()", "(nan,nan,nan)", "(1,0,0)", "(1,0,0) (0,1,0)", "((1,2,3))", "0 0 0"),
    *("(1e308,1e308,1e308)", "(inf,0,0) (0,1,0) (0,0,1)", "9" * 5000, "-1", "1e3", "\0", "é"),
    *("raw", "gzip", "bz2", "ascii", "hex", "zrl", "little", "big", "LIST", "../x", "/dev/zero"),
    *("x%03d 0 9999999999 1", "m.nrrd", "1_0", "left-posterior-superior-time", "RAS", "int", "?"),
    *("Liver|TerminologyEntry:~~SCT^1", "~" * 99, "4 3 5", "3 4 3 5", "65535", "double", "None"),
)


def sound(draw: random.Random) -> tuple[list[str], NDArray[Any]]:
    """A header and its voxels, any type: with segments in one layer or two, or without."""
    layers = draw.choice([0, 0, 1, 2])
    shape = (layers, *SHAPE) if layers > 1 else SHAPE
    kind = draw.choice(list(TYPES))
    order = draw.choice(["little", "big"])
    values = np.frombuffer(draw.randbytes(60 * max(1, layers)), "u1").reshape(shape) % 3
    none = "none " if layers > 1 else ""
    lines = [
        f"type: {kind}",
        f"dimension: {len(shape)}",
        f"space: {draw.choice(['left-posterior-superior', 'LPS'])}",
        f"sizes: {' '.join(map(str, shape))}",
        f"space directions: {none}(1.5,0,0) (0,1.25,0) (0,0,5.5)",
        f"kinds: {'list ' * (layers > 1)}domain domain domain",
        f"endian: {order}",
        f"encoding: {draw.choice(['raw', 'gzip', 'bz2', 'ascii'])}",
        "space origin: (-10,-20,0)",
    ]
    for segment in range(2 * layers):
        said = {"Name": f"s{segment}", "LabelValue": segment % 2 + 1, "Layer": segment // 2}
        lines += [f"Segment{segment}_{key}:={value}" for key, value in said.items()]
    return lines, values.astype((">" if order == "big" else "<") + TYPES[kind])


def edited(lines: list[str], draw: random.Random) -> list[str]:
    """Another text, no line or one more."""
    at = draw.randrange(len(lines))
    match draw.randrange(6):
        case 0:
            return lines[:at] + lines[at + 1 :]
        case 1:
            field = draw.choice(["line skip", "byte skip", "data file", "spacings", "space units"])
            return [*lines, f"{field}: {draw.choice([*TEXTS, *map(str, NUMBERS), '-1'])}"]
        case 2:
            return [*lines, draw.choice(lines), draw.choice(TEXTS)]
        case _:
            sign = ":=" if ":=" in lines[at] else ":"
            value = draw.choice([*TEXTS, *map(str, NUMBERS)])
            return [*lines[:at], f"{lines[at].split(sign)[0]}{sign} {value}", *lines[at + 1 :]]


def damaged(draw: random.Random) -> tuple[bytes, bool]:
    """A file, and whether it is sound all the same."""
    lines, voxels = sound(draw)
    data = voxels.tobytes(order="F")
    if draw.random() < 0.03:
        data += bytes(2**27)
    encoding = next(line for line in lines if line.startswith("encoding")).split()[-1]
    if encoding == "ascii":
        data = " ".join(map(str, voxels.ravel(order="F")[:200])).encode()
    elif encoding != "raw":
        data = (gzip if encoding == "gzip" else bz2).compress(data, 1)
    edits = draw.choice([0, 0, 1, 1, 2, 3])
    for _ in range(edits):
        lines = edited(lines, draw)
    data = "\n".join([f"NRRD000{draw.choice([1, 4, 5, 5, 6])}", *lines, "", ""]).encode() + data
    if draw.random() < 0.2:
        return scratched(data, draw), False
    return data, edits == 0


def reads(data: bytes, is_sound: bool, folder: Path, capfd: pytest.CaptureFixture[str]) -> bool:
    """Tell whether there was a volume; that of a sound file without segments is ITK's."""
    file = folder / "m.nrrd"
    tried(lambda: nrrd_mask(Opening(file, data, IMAGES, len(IMAGES))))
    assert NRRD.legend is not None
    legend = NRRD.legend
    tried(lambda: legend(data))
    assert all(Path(name).parent == Path("a") for name in beside("a/m.nrrd", data))
    found = tried(lambda: nrrd_volume(file, data))
    if isinstance(found, ChaosprepError):
        return False
    assert found.voxels.size <= len(data) * 1100
    if b"Segment" in data or b"space units" in data:
        return True
    assert capfd.readouterr() == ("", "")
    image = itk_reads(file, data, capfd) if is_sound else None  # others have made it crash
    if (
        image is not None
        and image.GetDimension() == 3
        and image.GetNumberOfComponentsPerPixel() == 1
    ):
        assert np.array_equal(found.voxels, np.rint(SimpleITK.GetArrayFromImage(image)))
    return True


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_nrrd_is_one_error_and_a_sound_one_is_itks(
    batch: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("nrrd", batch, FEW):
        reads(*damaged(draw), tmp_path, capfd)
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    every = [draw for batch in range(4) for draw in draws("nrrd", batch, 200)]
    assert 20 < sum(reads(*damaged(draw), tmp_path, capfd) for draw in every) < 180
