"""Roots with canaries in all that may hold them, for `split --deidentify`."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

import chaosprep
from tests.formats.samples import dataset, encoded
from tests.layouts.trees import STEP, labels_at, png_of
from tests.privacy import canaries

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}/{slice}.png"
PEOPLE = {"Quixotesque_D": 1, "Roe_R": 2}
SECRET = b"0123456789abcdef"
SLICES = 3


def pixels_at(place: int, patient: int) -> NDArray[np.uint16]:
    """The pixels of a slice, unlike any other's."""
    return np.arange(12, dtype=np.uint16).reshape(3, 4) * 7 + 100 * patient + place


def planted(place: int, patient: int = 1, **changes: Any) -> bytes:
    """A slice with a canary in every text, one in a private element and one nested."""
    values: dict[str, Any] = canaries.PLANTED | {
        "ImagePositionPatient": [-10, -20, STEP * place],
        "SOPInstanceUID": f"{canaries.UID}.{patient}.{place}",
        "InstanceNumber": place + 1,
    }
    if patient != 1:
        values |= {"PatientName": "Roe^Rick", "PatientID": f"{canaries.NUMBER}{patient}"}
        values["StudyInstanceUID"] = f"{canaries.UID}.{patient}.1"
        values["FrameOfReferenceUID"] = f"{canaries.UID}.{patient}.3"
        values["SeriesInstanceUID"] = f"{canaries.UID}.{patient}.2"
        values["PatientBirthDate"] = "19500101"
    made = dataset(pixels_at(place, patient), **(values | changes))
    block = made.private_block(0x0011, "A MAKER", create=True)
    block.add_new(0x10, "LO", canaries.ELSEWHERE)
    inside = Dataset()
    inside.ReferencedSOPInstanceUID = f"{canaries.UID}.9"
    inside.InstitutionAddress = canaries.ELSEWHERE
    made.ReferencedImageSequence = [inside]
    return canaries.FREE.encode().ljust(128, b"\0") + encoded(made)[128:]


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its IHDR, and bytes behind its end."""
    made = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return png[:33] + made + png[33:] + canaries.FREE.encode()


def telling(labels: NDArray[np.uint8], place: int) -> bytes:
    """A mask that says who it is of, each in another way."""
    words = canaries.NAME.encode()
    kinds = (
        (b"tEXt", b"Author\0" + words),
        (b"zTXt", b"Author\0\0" + zlib.compress(words)),
        (b"eXIf", b"MM\0*" + words),
    )
    return with_chunk(png_of(labels), *kinds[place % len(kinds)])


def write_root(root: Path, **changes: Any) -> Path:
    """Two people, three slices each, under folders of their names; texts in all masks."""
    for name, number in PEOPLE.items():
        for place in range(SLICES):
            image, mask = root / f"scans/{name}/{place}.dcm", root / f"labels/{name}/{place}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            mask.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(planted(place, number, **changes))
            mask.write_bytes(telling(labels_at(place, number), place))
    return root


def write_key(path: Path) -> str:
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return str(path)


def split(root: Path, out: Path, **fields: Any) -> chaosprep.Dataset:
    settings: dict[str, Any] = {"val": 0.5, "images": IMAGES, "masks": MASKS, "deidentify": True}
    return chaosprep.split(root, out, **(settings | fields))


def read(made: chaosprep.Dataset, path: str) -> Dataset:
    return dcmread(made.directory / path)


def tree(place: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}
