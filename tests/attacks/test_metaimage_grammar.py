"""MetaImage files that are wrong in header, size or compression: one error, or a volume."""

import random
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from chaosprep.errors import ChaosprepError
from chaosprep.formats.mask_file import Opening
from chaosprep.formats.masks import beside
from chaosprep.formats.metaimage import METAIMAGE
from tests import memory
from tests.attacks.grammars import NUMBERS, batches, draws, scratched, tried
from tests.formats.itk_volumes import itk_reads
from tests.formats.test_cut_mask import headers

FEW = 400
SHAPE = (4, 3, 5)
IMAGES = [*headers().values()]
TYPES = {"MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_ULONG": "u4", "MET_FLOAT": "f4"}
TEXTS = (
    *("", "True", "False", "1 0 0 0 1 0 0 0 1", "0 0 0", "0 1 0 1 0 0 0 0 -1", "nan nan nan"),
    *("1e308 1e308 1e308", "inf 1 1", "9" * 5000, "-1 -1 -1", "\0", "é", "LIST", "../x", "x\\y"),
    *("/dev/zero", "x%03d 0 9999999999 1", "m.mha", "LOCAL", "local", "MET_DOUBLE", "MET_OTHER"),
    *("4 3 5", "4 3 5 1", "3", "4", "2", "1_0", "Image", "Tube", "RAI", "60000 60000 60000"),
)


def damaged(draw: random.Random) -> tuple[bytes, bool]:
    """A file, and whether it is sound all the same."""
    kind, msb = draw.choice(list(TYPES)), draw.choice(["True", "False"])
    values = np.frombuffer(draw.randbytes(60), "u1").reshape(SHAPE) % 3
    data = values.astype((">" if msb == "True" else "<") + TYPES[kind]).tobytes(order="F")
    if draw.random() < 0.03:
        data += bytes(2**27)
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        f"BinaryDataByteOrderMSB = {msb}",
        "TransformMatrix = 1 0 0 0 1 0 0 0 1",
        "Offset = -10 -20 0",
        "CenterOfRotation = 0 0 0",
        "ElementSpacing = 1.5 1.25 5.5",
        "DimSize = 4 3 5",
        f"ElementType = {kind}",
    ]
    if draw.random() < 0.5:
        data = zlib.compress(data, 1)
        lines.append("CompressedData = True")
        if draw.random() < 0.8:
            lines.append(f"CompressedDataSize = {len(data)}")
    lines.append("ElementDataFile = LOCAL")
    edits = draw.choice([0, 0, 1, 1, 2, 3])
    for _ in range(edits):
        lines = edited(lines, draw)
    data = "\n".join([*lines, ""]).encode() + data
    if draw.random() < 0.2:
        return scratched(data, draw), False
    return data, edits == 0


def edited(lines: list[str], draw: random.Random) -> list[str]:
    """Another text, no line or one more."""
    at = draw.randrange(len(lines))
    value = draw.choice([*TEXTS, *map(str, NUMBERS)])
    match draw.randrange(6):
        case 0:
            return lines[:at] + lines[at + 1 :]
        case 1:
            field = draw.choice(["HeaderSize", "ElementNumberOfChannels", "ElementSize", "Origin"])
            return [f"{field} = {value}", *lines]
        case 2:
            return [draw.choice(lines), value, *lines]
        case _:
            return [*lines[:at], f"{lines[at].split('=')[0]}= {value}", *lines[at + 1 :]]


def reads(data: bytes, is_sound: bool, folder: Path, capfd: pytest.CaptureFixture[str]) -> bool:
    """Tell whether there was a volume; that of a sound file is ITK's."""
    file = folder / "m.mha"
    of_series, volume = METAIMAGE.of_series, METAIMAGE.volume
    assert of_series is not None
    assert volume is not None
    tried(lambda: of_series(Opening(file, data, IMAGES, len(IMAGES))))
    assert all(Path(name).parent == Path("a") for name in beside("a/m.mha", data))
    found = tried(lambda: volume(file, data))
    if isinstance(found, ChaosprepError):
        return False
    assert found.voxels.size <= len(data) * 1100
    assert capfd.readouterr() == ("", "")
    image = itk_reads(file, data, capfd) if is_sound else None  # others have made it crash
    if image is not None and image.GetDimension() == 3:
        assert np.array_equal(found.voxels, np.rint(SimpleITK.GetArrayFromImage(image)))
        if b"\nOffset" in data and b"Origin" not in data:
            origin = np.array(image.GetOrigin())
            np.testing.assert_allclose(found.lattice.origin, origin, rtol=1e-9)
    return True


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_metaimage_is_one_error_and_a_sound_one_is_itks(
    batch: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("metaimage", batch, FEW):
        reads(*damaged(draw), tmp_path, capfd)
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    every = [draw for batch in range(4) for draw in draws("metaimage", batch, 200)]
    assert 20 < sum(reads(*damaged(draw), tmp_path, capfd) for draw in every) < 180
