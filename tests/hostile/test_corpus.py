"""Odd and malformed images, as the user meets them: the pixels in the end, or the exact message."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.formats.samples import PIXELS, dataset, dicom, encapsulated, encoded
from tests.formats.test_odd_files import (
    BODY,
    EXPLICIT,
    IMPLICIT,
    META_END,
    PIXELS_AT,
    WHOLE,
    archive,
    high_bit,
    picture,
    replaced,
    rows,
    with_length,
)
from tests.formats.test_roundtrip import floats, written
from tests.formats.test_transfer import rle
from tests.hostile.trees import (
    IMAGE,
    Kept,
    Outcome,
    Refused,
    bad,
    chaosprep,
    image,
    run_chain,
    slice_at,
    text_at,
    write_patient,
    write_series,
)

RECOPY = "Copy or export the file again from its source"
LOW = PIXELS % 4096
SIGNED = np.arange(-6, 6, dtype=np.int16).reshape(3, 4) * 300
WIDE = PIXELS.astype(np.uint32) * 65537
FLOATS = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def not_dicom(reason: str = "it is not a DICOM file") -> Refused:
    return bad(reason, "Move it out of the folder")


def header(reason: str) -> Refused:
    """What `split` says of a header."""
    return bad(reason, RECOPY)


def missing(keyword: str) -> Refused:
    return header(f"the header has no usable {keyword}")


def pixels(reason: str, remedy: str = RECOPY) -> Refused:
    """What `convert` says of the pixel data, which `split` only copies."""
    return bad(reason, remedy, verb="convert")


def grey(what: str) -> Refused:
    return bad(
        f"the pixels are {what}, not grey", "Only grey slices can be used; leave this file out"
    )


def bits(what: str) -> Refused:
    return header(f"pixels of {what} are not supported: only 8, 16, 32, or 1 unsigned")


CUT = header("the file ends in the middle of the header")
EMPTY = pixels("the pixel data are empty")
NO_PIXELS = bad(
    "the file holds no pixel data", "Leave it out; if it should be an image, copy it again"
)
TOO_LARGE = "pixels are above the limit of 64 Mpx"
DEEP = (
    struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
) * 5000

IMAGES: dict[str, tuple[bytes, Outcome]] = {
    # What is no DICOM file
    "an empty file": (b"", bad("the file is empty", "Copy it again from its source")),
    "a text file": (b"This is no image.\n" * 50, not_dicom()),
    "an HTML page": (b"<!DOCTYPE html><html><body>404</body></html>" * 9, not_dicom()),
    "a PNG": (picture("PNG"), not_dicom()),
    "a JPEG": (picture("JPEG"), not_dicom()),
    "a zip archive": (archive(), not_dicom()),
    "no preamble": (WHOLE[132:], not_dicom()),
    "no preamble and no file meta information": (BODY, not_dicom()),
    # What was cut
    "the preamble alone": (WHOLE[:132], CUT),
    "the file meta information alone": (WHOLE[:META_END], CUT),
    "a header cut in an element": (WHOLE[: WHOLE.index(b"MONOCHROME2") + 4], CUT),
    "a header cut after an element": (WHOLE[: PIXELS_AT - 12], NO_PIXELS),
    "pixel data cut short": (WHOLE[:-5], pixels("the pixel data are cut short: 19 of 24 bytes")),
    "pixel data cut to nothing": (WHOLE[:PIXELS_AT], EMPTY),
    "a deflated file cut short": (
        encoded(dataset(), DeflatedExplicitVRLittleEndian)[:-6],
        header("the file ends in the middle of the deflated data"),
    ),
    # What is missing or of another type
    "no pixel data": (dicom(PixelData=None), NO_PIXELS),
    "empty pixel data": (dicom(PixelData=b""), EMPTY),
    "no Rows": (dicom(Rows=None), missing("Rows")),
    "no Columns": (dicom(Columns=None), missing("Columns")),
    "no BitsAllocated": (dicom(BitsAllocated=None), missing("BitsAllocated")),
    "no BitsStored": (dicom(BitsStored=None), missing("BitsStored")),
    "no PixelRepresentation": (dicom(PixelRepresentation=None), missing("PixelRepresentation")),
    "no SamplesPerPixel": (dicom(SamplesPerPixel=None), missing("SamplesPerPixel")),
    "no PhotometricInterpretation": (
        dicom(PhotometricInterpretation=None),
        missing("PhotometricInterpretation"),
    ),
    "no TransferSyntaxUID": (
        replaced(EXPLICIT, b"\0" * len(EXPLICIT)),
        pixels("the header names no transfer syntax"),
    ),
    "no SOPInstanceUID": (replaced(BODY[: BODY.index(b"\x08\0\x60\0")], b""), Kept()),
    "no HighBit": (dicom(HighBit=None), Kept()),
    "Rows as text": (rows(b"IS", b"3 "), missing("Rows")),
    "Rows as a long": (rows(b"UL", b"\3\0\0\0"), missing("Rows")),
    "two values for Rows": (rows(b"US", b"\3\0\3\0"), missing("Rows")),
    "an unknown VR": (replaced(b"\x18\0\x81\0DS", b"\x18\0\x81\0ZZ"), Kept()),
    # What the pixels are
    "zero rows": (dicom(Rows=0), header("the image has no rows or no columns")),
    "zero columns": (dicom(Columns=0), header("the image has no rows or no columns")),
    "65535 x 65535": (
        dicom(Rows=65535, Columns=65535),
        bad(f"65535 x 65535 {TOO_LARGE}", "Check the file; a slice is never that large"),
    ),
    "BitsAllocated 12": (
        dicom(BitsAllocated=12, BitsStored=12, HighBit=11),
        bits("12 bits allocated"),
    ),
    "BitsAllocated 0": (dicom(BitsAllocated=0), bits("0 bits allocated")),
    "BitsAllocated 64": (dicom(BitsAllocated=64), bits("64 bits allocated")),
    "BitsAllocated 32": (dicom(WIDE), Kept(WIDE)),
    "PixelRepresentation 2": (dicom(PixelRepresentation=2), bits("PixelRepresentation 2")),
    "BitsStored 0": (dicom(BitsStored=0), header("BitsStored is 0, of 16 bits allocated")),
    "BitsStored 17": (dicom(BitsStored=17), header("BitsStored is 17, of 16 bits allocated")),
    "HighBit 15 of 12 bits, high bits clear": (
        high_bit(12, 15, LOW),
        Kept(LOW, ("HighBit is 15, not 11: the low 12 bits are taken",)),
    ),
    "HighBit 15 of 12 bits, high bits in use": (
        high_bit(12, 15, PIXELS),
        pixels("HighBit is 15, BitsStored 12, and the bits above are in use"),
    ),
    "dirty high bits": (
        written(LOW[np.newaxis], ImplicitVRLittleEndian, 0xA000, BitsStored=12, HighBit=11),
        Kept(LOW),
    ),
    "dirty high bits, big endian": (
        written(LOW[np.newaxis], ExplicitVRBigEndian, 0xFFFF, BitsStored=12, HighBit=11),
        Kept(LOW),
    ),
    "12 bits, signed": (high_bit(12, 11, SIGNED), Kept(SIGNED)),
    "12 bits, sign not extended": (high_bit(12, 11, SIGNED & 0x0FFF), Kept(SIGNED)),
    "8 bits": (dicom(LOW.astype(np.uint8)), Kept(LOW.astype(np.uint8))),
    "float pixels": (floats(FLOATS), Kept(FLOATS)),
    "float pixels of 16 bits": (
        dicom(PixelData=None, FloatPixelData=bytes(48)),
        header("BitsAllocated is 16, but FloatPixelData has 32"),
    ),
    "NaN": (
        floats(np.where(FLOATS > 0, FLOATS, np.float32(np.nan))),
        pixels("its float pixels hold NaN or infinity", "Export the file again with finite values"),
    ),
    "MONOCHROME1 between slices that are not": (
        dicom(PhotometricInterpretation="MONOCHROME1"),
        Refused(
            (
                "MR001_t1-in: some of its slices are MONOCHROME1 and some are MONOCHROME2: their "
                "values cannot be compared. Export the series again with one of the two, or leave "
                "the case out with --on-error skip.",
            ),
            "convert",
        ),
    ),
    "RGB": (dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB"), grey("RGB")),
    "a palette": (dicom(PhotometricInterpretation="PALETTE COLOR"), grey("PALETTE COLOR")),
    "grey of three samples": (dicom(SamplesPerPixel=3), grey("of 3 samples each")),
    "an unknown photometric interpretation": (
        dicom(PhotometricInterpretation="DOE_JANE"),
        grey("of an unknown PhotometricInterpretation"),
    ),
    # How they are stored
    "implicit declared, explicit written": (replaced(EXPLICIT, IMPLICIT), Kept()),
    "implicit, as declared": (encoded(dataset(), ImplicitVRLittleEndian), Kept()),
    "deflated": (encoded(dataset(), DeflatedExplicitVRLittleEndian), Kept()),
    "RLE": (encapsulated([rle(PIXELS)], RLELossless), Kept()),
    "damaged RLE": (
        encapsulated([rle(PIXELS)[:70]], RLELossless),
        pixels("the pixel data cannot be decoded"),
    ),
    "a film": (
        encapsulated([b"\0" * 24], MPEG2MPML),
        pixels(
            "no decoder for MPEG2 Main Profile / Main Level is installed",
            "Rewrite the file uncompressed, for example with `gdcmconv --raw`",
        ),
    ),
    "a length far beyond the file": (
        with_length(0x7FFFFFFF)[:-1],
        pixels("the pixel data are cut short: 23 of 24 bytes"),
    ),
    "a length far beyond the file, all pixels there": (with_length(0x7FFFFFFF), Kept()),
    "undefined length without delimiter": (
        with_length(0xFFFFFFFF),
        pixels("the file ends in the middle of the header"),
    ),
    "undefined length, uncompressed": (
        with_length(0xFFFFFFFF, b"\xfe\xff\xdd\xe0\0\0\0\0"),
        pixels("the pixel data are compressed, the transfer syntax is not"),
    ),
    "a padded frame": (dicom(PixelData=PIXELS.tobytes() + bytes(10)), Kept()),
    "data longer than Rows": (
        dicom(PixelData=PIXELS.tobytes() * 2),
        pixels("the pixel data hold 2 frames, the header announces 1"),
    ),
    "bytes after the pixels": (WHOLE + b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0\0\0\0\0", Kept()),
    "ten million frames": (
        dicom(NumberOfFrames=10**7),
        bad(
            f"10000000 frames of 3 x 4 {TOO_LARGE}",
            "Check the file, or raise --max-pixels of split and convert",
        ),
    ),
    "NumberOfFrames as text": (text_at(1, "NumberOfFrames", "1A"), missing("NumberOfFrames")),
    "sequences in sequences": (
        WHOLE[:META_END] + DEEP + BODY,
        header("its sequences are nested too deeply"),
    ),
    # What else the header says
    "slope 0": (
        dicom(RescaleSlope=0),
        Kept(warnings=("a RescaleSlope of 0 counts as 1",), fields={"slope": 1.0}),
    ),
    "an empty slope": (dicom(RescaleSlope=""), Kept(fields={"slope": 1.0})),
    "a slope of text": (
        text_at(1, "RescaleSlope", "one"),
        Kept(
            warnings=("its RescaleSlope is not a number, and is left out",),
            fields={"slope": 1.0},
        ),
    ),
    "a slope without end": (
        text_at(1, "RescaleSlope", "1e999"),
        Kept(
            warnings=("its RescaleSlope is not a number, and is left out",),
            fields={"slope": 1.0},
        ),
    ),
    "a spacing of 0": (dicom(PixelSpacing=[0, 1]), Kept(fields={"spacing": None})),
    "a constant image": (
        dicom(PIXELS * 0 + 7),
        Kept(PIXELS * 0 + 7, ("constant image (every pixel is 7)",)),
    ),
    "burned-in annotation": (
        dicom(BurnedInAnnotation="YES"),
        Kept(warnings=("the header says that text is burned into the picture: look at it",)),
    ),
    "no burned-in annotation": (dicom(BurnedInAnnotation="NO"), Kept()),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_odd_image_ends_in_its_pixels_or_in_one_message(name: str, tmp_path: Path) -> None:
    data, expected = IMAGES[name]
    root = write_patient(tmp_path / "root")
    image(data)(root)
    expected.check(run_chain(root, tmp_path))
    assert chaosprep("inspect", root).code == 0


STEPS = PIXELS // 5000 * 20  # 0, 20, ... 220
NO_WINDOW = "no usable window in the DICOM headers; percentiles taken instead"
WHOLE_RANGE: dict[str, Any] = {"WindowCenter": 128, "WindowWidth": 256}  # 0 to 255: PS3.3 C.11.2.1
WINDOWS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "a usable window": (WHOLE_RANGE, "dicom", ()),
    "two windows": ({"WindowCenter": [128, 5], "WindowWidth": [256, 6]}, "dicom", ()),
    "an unknown VOI function": (WHOLE_RANGE | {"VOILUTFunction": "MAGIC"}, "dicom", ()),
    "window 0": ({"WindowWidth": 0}, "percentile", (NO_WINDOW,)),
    "a window below 0": ({"WindowWidth": -5}, "percentile", (NO_WINDOW,)),
    "an empty window": ({"WindowWidth": "", "WindowCenter": ""}, "percentile", (NO_WINDOW,)),
    "a centre without width": ({"WindowWidth": None}, "percentile", (NO_WINDOW,)),
}
TEXTS = {"a window of text": "wide", "two windows, one of text": "256\\wide"}


def check_window(root: Path, work: Path, source: str, warnings: tuple[str, ...]) -> None:
    """The window asked for is the identity; that of the percentiles spans all the values."""
    ended = run_chain(root, work, "--window", "dicom")
    assert ended.said.code == 0
    for row in ended.rows:
        assert (row["window_source"], tuple(row["warnings"])) == (source, warnings)
        expected = STEPS if source == "dicom" else np.rint(STEPS * (255 / STEPS.max()))
        np.testing.assert_array_equal(ended.image(row), expected)


@pytest.mark.parametrize("name", WINDOWS)
def test_an_odd_window_counts_or_is_replaced_with_a_warning(name: str, tmp_path: Path) -> None:
    changes, source, warnings = WINDOWS[name]
    root = write_series(tmp_path / "root", lambda place: slice_at(place, STEPS, **changes))
    check_window(root, tmp_path, source, warnings)


@pytest.mark.parametrize("name", TEXTS)
def test_a_window_of_text_counts_as_missing(name: str, tmp_path: Path) -> None:
    root = write_series(
        tmp_path / "root", lambda place: text_at(place, "WindowWidth", TEXTS[name], STEPS)
    )
    check_window(root, tmp_path, "percentile", (NO_WINDOW,))


def test_slopes_that_differ_are_applied_before_the_common_window(tmp_path: Path) -> None:
    """The same tissue, stored with slopes 1, 2 and 4: one picture, and the values as stored."""
    root = write_series(
        tmp_path / "root",
        lambda place: slice_at(place, STEPS // 2**place, RescaleSlope=2**place),
    )
    shown = run_chain(root, tmp_path / "shown", "--window", "minmax")
    for row in shown.rows:
        np.testing.assert_array_equal(shown.image(row), np.rint(STEPS * (255 / STEPS.max())))
    note = "the slices differ in their rescale: it was applied before the common window"
    assert [row["warnings"] for row in shown.rows] == [[note]] * 3
    kept = run_chain(root, tmp_path / "kept")
    for place, row in enumerate(kept.rows):
        np.testing.assert_array_equal(kept.image(row), STEPS // 2**place)
        assert row["slope"] == 2**place


def test_no_message_quotes_a_header() -> None:
    lines = [line for _, expected in IMAGES.values() for line in getattr(expected, "lines", ())]
    assert lines
    assert not [line for line in lines if "doe" in line.casefold()]


def test_skipping_leaves_the_damaged_slice_out_and_ends_with_3(tmp_path: Path) -> None:
    root = write_patient(tmp_path / "root")
    image(b"")(root)
    said = chaosprep("split", root, "-o", tmp_path / "out", "--val", "0", "--on-error", "skip")
    line = f"MR001_t1-in: {IMAGE}: the file is empty. Copy it again from its source."
    assert said.code == 3
    # The two that are left are 11 mm apart, their headers say 5.5.
    warned = "split: 2 slices with warnings; verify lists them"
    assert said.err.splitlines()[:3] == ["split: 1 of 1 case", f"Left out: {line}", warned]
    assert said.out.startswith("split: 1 case, 2 slices, 1 skipped -> ")
