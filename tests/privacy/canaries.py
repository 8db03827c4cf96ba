"""Words that identify, planted in files, and every byte of a result in which to look for them."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

NAME = "Quixotesque^Dulcinea"
NUMBER = "HOSP-7719230"
BIRTH, STUDY = "19470319", "20190823"
UID = "1.2.826.0.1.3680043.9.9999.314159"
ELSEWHERE = "Sanchopanzaville"
PHYSICIAN = "Rocinantini^Carrasco"
FREE = "Barataria77"

PLANTED = {
    "PatientName": NAME,
    "PatientID": NUMBER,
    "PatientBirthDate": BIRTH,
    "StudyDate": STUDY,
    "SeriesDate": STUDY,
    "ContentDate": STUDY,
    "AcquisitionDateTime": f"{STUDY}101500",
    "AccessionNumber": f"A{NUMBER}",
    "InstitutionName": ELSEWHERE,
    "ReferringPhysicianName": PHYSICIAN,
    "StudyDescription": f"Liver of {FREE}",
    "PatientComments": f"{FREE} {ELSEWHERE}",
    "StudyInstanceUID": f"{UID}.1",
    "SeriesInstanceUID": f"{UID}.2",
    "FrameOfReferenceUID": f"{UID}.3",
}
"""Keyword -> value of what is planted in each slice."""

CANARIES = ("quixotesque", "dulcinea", "7719230", BIRTH, STUDY, UID, ELSEWHERE, "rocinantini", FREE)
"""What may stand nowhere, in any case and encoding."""


def found_in(place: Path) -> set[tuple[str, str]]:
    """The canaries below a folder, each with the file that has it, or whose name has it."""
    found = set()
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        texts = [name.encode()] if path.is_dir() else [name.encode(), *unpacked(path.read_bytes())]
        found |= {(one, name) for one in CANARIES for text in texts if holds(text, one)}
    return found


def holds(data: bytes, text: str) -> bool:
    """Whether bytes hold a text in ASCII or UTF-16, in any case."""
    low = data.lower()
    return any(text.lower().encode(code) in low for code in ("ascii", "utf-16-le", "utf-16-be"))


def unpacked(data: bytes) -> Iterator[bytes]:
    """A file's bytes, and those that are packed in it: gzip, zip, and the streams of a PNG."""
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from unpacked(archive.read(name))
    if data[:4] == b"\x89PNG":
        yield from _streams(data)


def _streams(png: bytes) -> Iterator[bytes]:
    at, pixels = 8, b""
    while at + 12 <= len(png):
        length, name = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        pixels += body if name == b"IDAT" else b""
        if name in (b"zTXt", b"iTXt", b"iCCP"):
            start = body.find(b"\x78")
            yield zlib.decompressobj().decompress(body[start:]) if start >= 0 else body
        at += 12 + length
    unpacker = zlib.decompressobj()
    yield unpacker.decompress(pixels)
    yield unpacker.unused_data + png[at:]
